/** The parts of a health snapshot, each null where the snapshot has nothing to say. */
import { formatBytes, formatCount, formatDuration, formatLatency } from './format.ts';
import { archiverWords } from './health-figures.ts';
import { bar } from './html-bars.ts';
import { code, table } from './html-parts.ts';
import { objectParts } from './html-snapshot-objects.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { momentWords } from './moment-words.ts';
import type { Snapshot } from './snapshot.ts';

/** One fold of the health section. */
export interface SnapshotPart {
  readonly title: string;
  readonly show: (snapshot: Snapshot) => Markup | null;
}

/** All parts in the order in which people ask for them. */
export const snapshotParts: readonly SnapshotPart[] = [
  { title: 'Could not be measured', show: missing },
  ...objectParts,
  { title: 'Connections', show: connections },
  { title: 'Standbys and replication slots', show: replication },
  { title: 'WAL archiver', show: archiver },
  { title: 'Statements that took most time', show: statements },
  { title: 'Server log', show: log },
  { title: 'Server', show: ({ server }) => pairs('Server', server) },
  { title: 'Settings', show: ({ settings }) => pairs('Settings', settings ?? {}) },
];

function connections({ connections: found }: Snapshot): Markup | null {
  if (found === null) return null;
  const most = Math.max(0, ...found.map(({ count }) => count));
  return listed(
    'Connections',
    ['State', 'Connections', ''],
    found.map(({ state, count }) => [state, formatCount(count), bar(most > 0 ? (count / most) * 100 : 0)]),
  );
}

function replication({ replication: standbys, slots }: Snapshot): Markup | null {
  const shown = [
    listed(
      'Standbys',
      ['Standby', 'State', 'Synchronous', 'Behind'],
      (standbys ?? []).map(({ name, state, sync, lagBytes }) => [code(name), state, sync, size(lagBytes)]),
    ),
    listed(
      'Replication slots',
      ['Slot', 'Type', 'Plugin', 'In use', 'WAL', 'Held back'],
      (slots ?? []).map(({ name, type, plugin, active, walStatus, retainedBytes }) => [
        code(name),
        type,
        code(plugin),
        active ? 'yes' : 'no',
        walStatus,
        size(retainedBytes),
      ]),
    ),
  ];
  return shown.every((part) => part === null) ? null : html`${shown}`;
}

function archiver({ archiver: found }: Snapshot): Markup | null {
  return found && html`<p>${archiverWords(found)}.</p>`;
}

function statements({ statements: found }: Snapshot): Markup | null {
  if (found === null) return null;
  return listed(
    'Statements',
    ['Statement', 'Database', 'Calls', 'Mean', 'Total', 'Rows'],
    found.map(({ text, database, calls, totalMs, rows }) => [
      code(text),
      code(database),
      formatCount(calls),
      calls > 0 ? formatLatency(totalMs / calls) : '',
      formatDuration(totalMs),
      formatCount(rows),
    ]),
  );
}

function log({ log: found }: Snapshot): Markup | null {
  if (found === null) return null;
  const { source, bytes, from, to, classes } = found;
  const since =
    from === null ? '' : `, from ${momentWords(from)}${to === null ? '' : ` to ${momentWords(to)}`}`;
  const rows = classes.map(({ severity, state, message, count, last }) => [
    severity,
    code(state),
    code(message),
    formatCount(count),
    last === null ? '' : momentWords(last),
  ]);
  return html`<p>The last ${formatBytes(bytes)} of ${code(source)}${since}.</p>${
    listed('Log', ['Severity', 'SQLSTATE', 'Message', 'Lines', 'Last'], rows) ??
    html`<p>No line that matters.</p>`
  }`;
}

function missing({ missing: found }: Snapshot): Markup | null {
  return listed(
    'Not measured',
    ['What', 'Why', 'SQLSTATE'],
    found.map(({ what, why, state }) => [what, why, code(state)]),
  );
}

function pairs(label: string, values: Readonly<Record<string, string>>): Markup | null {
  return listed(
    label,
    ['Name', 'Value'],
    Object.entries(values).map(([name, value]) => [name, code(value)]),
  );
}

function listed(
  label: string,
  head: readonly string[],
  rows: readonly (readonly Insertable[])[],
): Markup | null {
  return rows.length === 0 ? null : table(label, head, rows);
}

function size(bytes: number | null): string {
  return bytes === null ? 'not known' : formatBytes(Math.max(0, bytes));
}
