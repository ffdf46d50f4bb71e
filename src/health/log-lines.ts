/** Classes of errors in the end of a server log: what went wrong and how often, never with whose data. */
import type { Snapshot } from '../report/snapshot.ts';

type Log = NonNullable<Snapshot['log']>;
type LogClass = Log['classes'][number];

const classesAtMost = 30;
const messageAtMost = 200;

/**
 * What tells of damage, or of a server that does not fit its files: never dropped from the list.
 * Each is compared with the message after its quoted parts were taken out.
 */
const needles: readonly string[] = [
  'may not be used as an output plugin',
  'unrecognized configuration parameter',
  'incompatible library',
  'could not access status of transaction',
  'collation version mismatch',
  'has version mismatch',
  'missing chunk',
  'could not load library',
  'invalid page',
  'could not read block',
];

/** Whether a class must be told of whatever else there is. */
export function isGrave({ severity, message }: Pick<LogClass, 'severity' | 'message'>): boolean {
  return severity === 'PANIC' || needles.some((needle) => message.includes(needle));
}

/**
 * A message without what it says about data: everything between the first and the last quotation mark, addresses,
 * long hexadecimal numbers, digits.
 * @param cut the message went on in another line, so a quotation mark may be missing
 */
export function normaliseMessage(message: string, cut = false): string {
  const first = message.indexOf('"');
  const last = message.lastIndexOf('"');
  let text = message;
  if (first >= 0)
    text =
      cut || last === first
        ? `${message.slice(0, first)}"…"`
        : `${message.slice(0, first)}"…"${message.slice(last + 1)}`;
  return text
    .slice(0, 2000)
    .replace(/ at character \d+$/, '')
    .replace(/'[^']*'/g, "'…'")
    .replace(/\S+@\S+/g, '…')
    .replace(/\b(?=[0-9a-f-]*\d)[0-9a-f][0-9a-f-]{7,}\b/gi, 'N')
    .replace(/\d+/g, 'N')
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, messageAtMost);
}

interface Line {
  severity: string;
  state: string | null;
  message: string;
  time: string | null;
}

const told = new Set(['PANIC', 'FATAL', 'ERROR', 'WARNING']);
/** The first of these in a line is the server's own; the text of statements comes after it. */
const severity =
  /\b(PANIC|FATAL|ERROR|WARNING|LOG|NOTICE|INFO|DEBUG[1-5]?|DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT|BACKTRACE): {2}/;
const timestamp = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?/;

/** Finds SQLSTATEs by the literal characters around %e in log_line_prefix; null where that cannot be done. */
function statePattern(prefix: string): RegExp | null {
  const parts = [...prefix.matchAll(/%-?\d*(.)|[^%]+/g)].map(([text, letter]) =>
    letter === '%' ? { literal: '%' } : letter === undefined ? { literal: text } : { letter },
  );
  const index = parts.findIndex(({ letter }) => letter === 'e');
  if (index < 0) return null;
  const [before, after] = [index - 1, index + 1].map((at) =>
    (parts[at]?.literal ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  );
  return before === '' && after === '' ? null : new RegExp(`${before}([0-9A-Z]{5})${after}`);
}

function* stderrLines(text: string, prefix: string): Generator<Line> {
  const state = statePattern(prefix);
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    // The server begins with a tab where a message goes on in another line.
    if (line.startsWith('\t')) continue;
    const found = severity.exec(line.slice(0, 2000));
    if (!found) continue;
    const head = line.slice(0, found.index);
    yield {
      severity: found[1] ?? '',
      state: state?.exec(head)?.[1] ?? null,
      message: told.has(found[1] ?? '')
        ? normaliseMessage(line.slice(found.index + found[0].length), lines[index + 1]?.startsWith('\t'))
        : '',
      time: timestamp.exec(line)?.[0] ?? null,
    };
  }
}

function* jsonLines(text: string): Generator<Line> {
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line) as Record<string, unknown>;
    } catch {
      // The first line may have been cut.
      continue;
    }
    const field = (name: string): string => (typeof entry[name] === 'string' ? (entry[name] as string) : '');
    const [first = '', ...rest] = field('message').split('\n');
    yield {
      severity: field('error_severity'),
      state: field('state_code') || null,
      message: normaliseMessage(first, rest.length > 0),
      time: timestamp.exec(field('timestamp'))?.[0] ?? null,
    };
  }
}

/** What a log is written as. */
export interface LogFormat {
  kind: 'stderr' | 'jsonlog';
  /** log_line_prefix */
  prefix: string;
}

/**
 * Counts the warnings and errors of a log's end by severity, SQLSTATE and message; at most 30 classes, grave ones
 * first, then the most frequent.
 */
export function classify(source: string, text: string, bytes: number, format: LogFormat): Log {
  const classes = new Map<string, LogClass>();
  let from: string | null = null;
  let to: string | null = null;
  for (const { severity: level, state, message, time } of format.kind === 'stderr'
    ? stderrLines(text, format.prefix)
    : jsonLines(text)) {
    from ??= time;
    to = time ?? to;
    if (!told.has(level)) continue;
    // A function may raise whatever text it likes, with names and numbers of people in it.
    const words = state === 'P0001' ? '(text of a function)' : message;
    const key = `${level} ${state} ${words}`;
    const known = classes.get(key);
    if (known) {
      known.count += 1;
      known.last = time ?? known.last;
    } else if (classes.size < 10_000)
      classes.set(key, { severity: level, state, message: words, count: 1, last: time });
  }
  const sorted = [...classes.values()].sort(
    (a, b) =>
      Number(isGrave(b)) - Number(isGrave(a)) || b.count - a.count || (a.message < b.message ? -1 : 1),
  );
  return { source, bytes, from, to, classes: sorted.slice(0, classesAtMost) };
}
