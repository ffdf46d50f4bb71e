/** The releases of one major as dots on a line: what runs, what is wanted, what to avoid, when fixes end. */
import { clip } from './escape.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import type { ReleaseLine } from './record-release.ts';
import { endWords, lifetimeOf } from './release-words.ts';

const LINE = 40;
/** Room between the newest release and the end of fixes, in percent of the width. */
const REST = 14;

/** A version that is marked, with what it is in words. */
interface Mark {
  readonly version: string;
  readonly words: readonly string[];
}

/** The picture. Positions are percentages and text is in pixels: it fits a phone without shrinking its letters. */
export function releaseLine(line: ReleaseLine, index: number, record: UpgradeRecord): Markup | null {
  const { releases, endOfLife } = line;
  if (releases.length === 0) return null;
  const end = endOfLife === null ? 100 : 100 - REST;
  const at = (place: number): number => (releases.length === 1 ? end : (place / (releases.length - 1)) * end);
  const placed = marksOf(line, record).map((mark) => ({
    ...mark,
    x: at(releases.findIndex(({ version }) => version === mark.version)),
  }));
  const below = Math.max(0, placed.length - 1);
  const height = LINE + 26 + below * 20 + (endOfLife === null ? 0 : 20);
  const [from, to] = [placed.at(0)?.x ?? 0, placed.at(-1)?.x ?? 0];
  const id = `release-line-${index}`;
  return html`<figure>
<svg class="line" height="${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">Releases of PostgreSQL ${line.major}</title><desc id="${id}-desc">${described(line, placed)}</desc>
${stroke('rail', 0, end)}${endOfLife !== null && stroke('rail open', end, 100)}${placed.length > 1 && stroke('way', from, to)}
${releases.map((release, place) =>
  dot(
    release,
    at(place),
    placed.some(({ version }) => version === release.version),
  ),
)}
${placed.map((mark, place) => label(mark, place))}
${
  endOfLife !== null &&
  html`<line class="end" x1="100%" y1="${LINE - 8}" x2="100%" y2="${height - 20}"/>${text('faint', 100, height - 6, 'end', endLabel(line))}`
}
</svg>
<figcaption>${caption(line)}</figcaption>
</figure>
`;
}

function marksOf(line: ReleaseLine, { versions: { from, wanted, now } }: UpgradeRecord): Mark[] {
  const marks: [string | null, string][] = [
    [from, now === null || now === from ? 'running' : 'before'],
    [wanted === from && now === from ? null : wanted, now === wanted ? 'now' : 'wanted'],
    [line.newest, 'newest'],
  ];
  return line.releases.flatMap(({ version }) => {
    const words = marks.flatMap(([marked, word]) => (marked === version ? [word] : []));
    return words.length === 0 ? [] : [{ version, words }];
  });
}

function dot(release: ReleaseLine['releases'][number], x: number, marked: boolean): Markup {
  const { version, date, avoid, inferred } = release;
  const said = [version, date, avoid && 'to be avoided', inferred && 'inferred'].filter(Boolean).join(', ');
  const kind = ['dot', marked && 'marked', inferred && 'hollow'].filter(Boolean).join(' ');
  const cross =
    avoid &&
    html`<svg x="${percent(x)}" y="${LINE}" class="cross"><line x1="-6" y1="-6" x2="6" y2="6"/><line x1="-6" y1="6" x2="6" y2="-6"/></svg>`;
  return html`<g><title>${said}</title><circle class="${kind}" cx="${percent(x)}" cy="${LINE}" r="${marked ? 6 : 3.5}"/>${cross}</g>`;
}

/** The first label stands above the line, the others below, each in a row of its own. */
function label({ version, words, x }: Mark & { readonly x: number }, place: number): Markup {
  const y = place === 0 ? 14 : LINE + 8 + place * 20;
  const [from, to] = place === 0 ? [20, LINE - 8] : [LINE + 8, y - 12];
  const anchor = x < 30 ? 'start' : x > 60 ? 'end' : 'middle';
  return html`<line class="lead" x1="${percent(x)}" y1="${from}" x2="${percent(x)}" y2="${to}"/>${text('mark', x, y, anchor, `${words.join(' and ')} ${clip(version, 16)}`)}`;
}

function text(kind: string, x: number, y: number, anchor: string, words: string): Markup {
  return html`<text class="${kind}" x="${percent(x)}" y="${y}" text-anchor="${anchor}">${words}</text>`;
}

function stroke(kind: string, from: number, to: number): Markup {
  return html`<line class="${kind}" x1="${percent(from)}" y1="${LINE}" x2="${percent(to)}" y2="${LINE}"/>`;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function endLabel({ endOfLife, daysToEndOfLife: days }: ReleaseLine): string {
  const date = clip(endOfLife ?? '', 12);
  const when = endWords(days);
  return `${days !== null && days < 0 ? 'last fixes' : 'fixes until'} ${date}${when === '' ? '' : `, ${when}`}`;
}

function described(line: ReleaseLine, marks: readonly Mark[]): string {
  const marked = marks.map(({ version, words }) => `${version} is ${words.join(' and ')}`);
  const all = [...marked, lifetimeOf(line)].join('; ');
  const first = line.releases.at(0)?.version;
  return `From ${first} to ${line.releases.at(-1)?.version}. ${all}.`;
}

function caption({ major, releases }: ReleaseLine): Insertable {
  const avoid = releases.filter((release) => release.avoid).map(({ version }) => version);
  const inferred = releases.filter((release) => release.inferred).map(({ version }) => version);
  return [
    `A dot is a release of PostgreSQL ${major}, oldest first.`,
    avoid.length > 0 && ` Crossed out, to be avoided: ${avoid.join(', ')}.`,
    inferred.length > 0 && ` Hollow: known only from releases of other majors (${inferred.join(', ')}).`,
  ];
}
