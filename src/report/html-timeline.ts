/** The steps of a run as bars in an inline SVG, with the time in which clients could not commit. */
import { formatClock, formatDuration, plural } from './format.ts';
import { html, type Markup } from './markup.ts';
import { gapOf } from './overview.ts';
import type { StepRecord, UpgradeRecord } from './record.ts';

const ROW = 42;
const AXIS = 24;
/** More rows than this are a wall; the table below the chart has every step. */
const MOST_ROWS = 40;

/** One line of the chart. Times are milliseconds. */
interface Row {
  readonly label: string;
  readonly took: string;
  readonly kind: 'bar' | 'bar wrong' | 'gap';
  readonly from: number;
  readonly to: number;
}

/**
 * The chart, or null without a step. Widths are percentages and text is in pixels, so it fits a phone without
 * shrinking its letters.
 */
export function timeline(record: UpgradeRecord): Markup | null {
  if (record.steps.length === 0) return null;
  const rows = record.steps.slice(0, MOST_ROWS).map(stepRow);
  const left = record.steps.length - rows.length;
  const gap = gapRow(record);
  if (gap) rows.push(gap);
  const start = Math.min(...rows.map((row) => row.from));
  const end = Math.max(...rows.map((row) => row.to));
  const percent = (time: number): number => ((time - start) / Math.max(1, end - start)) * 100;
  const height = rows.length * ROW;
  return html`<figure>
<svg height="${height + AXIS}" role="img" aria-label="Timeline of ${plural(record.steps.length, 'step')} over ${formatDuration(end - start)}">
${gap && rect('band', percent(gap.from), percent(gap.to), 0, height)}
${rows.map((row, index) => drawn(row, index * ROW, percent))}
<text class="faint" x="0" y="${height + 18}">${clock(start)}</text>
<text class="faint" x="100%" y="${height + 18}" text-anchor="end">${clock(end)}</text>
</svg>
<figcaption>Times are UTC.${left > 0 && ` ${plural(left, 'more step')} not drawn.`}${
    gap &&
    html` <span class="swatch"></span> From the first failed commit to the next one that worked: ${clock(gap.from)} to ${clock(gap.to)}.`
  }</figcaption>
</figure>
`;
}

function stepRow(step: StepRecord): Row {
  const wrong = step.state === 'failed' || step.state === 'undo-failed' || step.state === 'interrupted';
  const from = Date.parse(step.started);
  const to = step.finished === null ? from : Date.parse(step.finished);
  return {
    label: labelOf(step),
    took: step.finished === null ? 'not finished' : formatDuration(to - from),
    kind: wrong ? 'bar wrong' : 'bar',
    from,
    to,
  };
}

function gapRow(record: UpgradeRecord): Row | null {
  const gap = gapOf(record.downtime);
  if (!gap) return null;
  const from = Date.parse(gap.from);
  const to = Date.parse(gap.to);
  return { label: 'Clients could not commit', took: formatDuration(to - from), kind: 'gap', from, to };
}

function drawn(row: Row, y: number, percent: (time: number) => number): Markup {
  return html`<text x="0" y="${y + 14}">${row.label}</text><text class="faint" x="100%" y="${y + 14}" text-anchor="end">${row.took}</text>
${rect('track', 0, 100, y + 22, 10)}${rect(row.kind, percent(row.from), percent(row.to), y + 23, 8)}
`;
}

/** SVG text does not wrap; a phone has room for about 36 letters beside the duration. */
function labelOf({ title, state }: StepRecord): string {
  const said = state === 'done' ? '' : ` (${state})`;
  const room = 36 - said.length;
  const characters = Array.from(title);
  return `${characters.length <= room ? title : `${characters.slice(0, room - 1).join('')}…`}${said}`;
}

function rect(kind: string, from: number, to: number, y: number, height: number): Markup {
  // The stroke of the class keeps a bar of no width visible.
  const width = Math.max(0, to - from);
  return html`<rect class="${kind}" x="${from.toFixed(3)}%" y="${y}" width="${width.toFixed(3)}%" height="${height}" rx="1"/>`;
}

function clock(ms: number): string {
  return formatClock(new Date(ms).toISOString());
}
