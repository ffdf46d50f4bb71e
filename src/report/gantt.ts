/** A mermaid gantt chart of the steps. GitHub draws it in a summary; elsewhere it reads as a list. */

import { oneLine } from './escape.ts';
import { formatTime, plural } from './format.ts';
import { gapOf } from './overview.ts';
import type { StepRecord, UpgradeRecord } from './record.ts';

/** Mermaid refuses text of more than 50,000 characters; a chart of more bars than this is not read anyway. */
const MOST_BARS = 60;

/** The fenced chart, or null with fewer than two steps that have both times. */
export function renderGantt(record: UpgradeRecord): string | null {
  const steps = record.steps.filter((step) => step.finished !== null);
  if (steps.length < 2) return null;
  const bars = steps.slice(0, MOST_BARS).map((step, index) => {
    // A number first: a label that starts with `section` or `click` would be that statement.
    return `    ${index + 1} ${ganttLabel(step.title)} :${tagOf(step)}s${index + 1}, ${times(step.started, step.finished ?? '')}`;
  });
  const gap = gapOf(record.downtime);
  if (gap) bars.push('    section Clients', `    No commit possible :crit, gap, ${times(gap.from, gap.to)}`);
  const lines = [
    '```mermaid',
    'gantt',
    // Day.js reads a zone as an offset and shows the reader's own; without one the clock stays UTC.
    '    dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '    axisFormat %H:%M:%S',
    '    todayMarker off',
    `    title Steps from ${formatTime(steps[0]?.started ?? record.started)}`,
    '    section Steps',
    ...bars,
    '```',
  ];
  const left = steps.length - MOST_BARS;
  return left > 0 ? `${lines.join('\n')}\n\n${plural(left, 'more step')} not drawn.` : lines.join('\n');
}

/** Only letters, digits and a few signs: `:`, `;`, `#`, `,`, `%%` and braces are mermaid's syntax, `<` is HTML's. */
export function ganttLabel(title: string): string {
  const label = oneLine(title)
    .replace(/[^\p{L}\p{M}\p{N} ._()/+-]+/gu, ' ')
    .replace(/ +/g, ' ')
    .replace(/-{2,}/g, '-')
    .trim();
  const characters = Array.from(label);
  if (characters.length > 60) return `${characters.slice(0, 59).join('')}…`;
  return label === '' ? 'step' : label;
}

function tagOf(step: StepRecord): string {
  switch (step.state) {
    case 'failed':
    case 'undo-failed':
    case 'interrupted':
      return 'crit, ';
    case 'running':
    case 'paused':
      return 'active, ';
    case 'done':
    case 'already-done':
    case 'undone':
      return 'done, ';
  }
}

function times(from: string, to: string): string {
  // A bar of no length is not drawn, and one that ends before it starts (a clock was set back) breaks the chart.
  const start = Date.parse(from);
  const end = Math.max(Date.parse(to), start + 1);
  return `${local(start)}, ${local(end)}`;
}

function local(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
