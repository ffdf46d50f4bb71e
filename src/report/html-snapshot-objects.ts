/** The parts of a health snapshot that are about what is in the databases. */
import { formatBytes, formatCount, plural } from './format.ts';
import { hitRatio, NOT_MEASURED } from './health-figures.ts';
import { bar } from './html-bars.ts';
import { code, lines, table } from './html-parts.ts';
import type { SnapshotPart } from './html-snapshot.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { momentWords } from './moment-words.ts';
import type { DatabaseSnapshot, Snapshot } from './snapshot.ts';

/** Databases, their activity, largest tables, objects and extensions. */
export const objectParts: readonly SnapshotPart[] = [
  { title: 'Databases', show: databases },
  { title: 'Activity', show: activity },
  { title: 'Largest tables', show: largest },
  { title: 'Extensions, sequences, what is invalid', show: condition },
  { title: 'Objects by schema', show: objects },
];

function databases({ databases: found }: Snapshot): Markup | null {
  const most = Math.max(0, ...found.map(({ bytes }) => bytes ?? 0));
  const rows = found.map(({ name, bytes, tables, activity: seen }): Insertable[] => [
    code(name),
    bytes === null ? NOT_MEASURED : html`${formatBytes(bytes)}${bar(most > 0 ? (bytes / most) * 100 : 0)}`,
    tables === null ? NOT_MEASURED : formatCount(tables.count),
    tables === null ? NOT_MEASURED : rowCount(tables.rows),
    hitRatio(seen),
  ]);
  if (rows.length === 0) return null;
  return table('Databases', ['Database', 'Size', 'Tables', 'Rows, estimated', 'Cache hit ratio'], rows);
}

function activity({ databases: found }: Snapshot): Markup | null {
  const rows = found.flatMap(({ name, activity: seen }) =>
    seen === null
      ? []
      : [
          [
            code(name),
            formatCount(seen.commits),
            formatCount(seen.rollbacks),
            formatCount(seen.deadlocks),
            seen.since === null ? 'the beginning' : momentWords(seen.since),
          ],
        ],
  );
  if (rows.length === 0) return null;
  return table('Activity', ['Database', 'Commits', 'Rollbacks', 'Deadlocks', 'Counted since'], rows);
}

function largest({ databases: found }: Snapshot): Markup | null {
  const listed = found
    .flatMap(({ name, tables }) => (tables?.largest ?? []).map((entry) => ({ ...entry, database: name })))
    .toSorted((a, b) => b.bytes - a.bytes);
  const most = listed[0]?.bytes ?? 0;
  if (listed.length === 0) return null;
  return table(
    'Largest tables',
    ['Table', 'Database', 'Size', 'Rows, estimated'],
    listed.map(({ name, database, bytes, rows }) => [
      code(name),
      code(database),
      html`${formatBytes(bytes)}${bar(most > 0 ? (bytes / most) * 100 : 0)}`,
      rowCount(rows),
    ]),
  );
}

function condition({ databases: found }: Snapshot): Markup | null {
  const rows = found.map(({ name, extensions, sequences, invalid, grants }): Insertable[] => [
    code(name),
    extensions === null
      ? NOT_MEASURED
      : extensions.map((extension, place) => [place > 0 && ', ', `${extension.name} ${extension.version}`]),
    sequences === null ? NOT_MEASURED : sequenceWords(sequences),
    invalid === null
      ? NOT_MEASURED
      : `${plural(invalid.indexes, 'index', 'indexes')}, ${plural(invalid.constraints, 'constraint')}`,
    grants === null ? NOT_MEASURED : plural(grants.objects, 'object'),
  ]);
  if (rows.length === 0) return null;
  return table('Condition', ['Database', 'Extensions', 'Sequences', 'Invalid', 'With grants'], rows);
}

function sequenceWords({ count, compared, behind }: NonNullable<DatabaseSnapshot['sequences']>): Markup {
  return html`${formatCount(count)}, ${formatCount(compared)} compared with their column${
    behind.length > 0 && html`; behind it:${lines(behind.map(code))}`
  }`;
}

function objects({ databases: found }: Snapshot): Markup | null {
  const rows = found.flatMap(({ name, objects: counted }) =>
    (counted ?? []).map(({ schema, kind, count }) => [code(name), code(schema), kind, formatCount(count)]),
  );
  return rows.length === 0 ? null : table('Objects', ['Database', 'Schema', 'Kind', 'Count'], rows);
}

function rowCount(rows: number): string {
  return rows < 0 ? 'not known' : formatCount(Math.round(rows));
}
