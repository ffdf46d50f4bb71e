/** The key figures of a health snapshot: one line each, so that two snapshots can stand side by side. */
import { formatBytes, formatCount, plural } from './format.ts';
import { formatShare } from './measure.ts';
import type { DatabaseSnapshot, Snapshot } from './snapshot.ts';

/** A key figure with its label, both in words. */
interface Figure {
  readonly label: string;
  readonly value: string;
}

/** What stands where a part could not be measured. */
export const NOT_MEASURED = 'not measured';

type Pick = (database: DatabaseSnapshot) => number | null | undefined;

/** What a person asks first; the labels are the same for every snapshot. */
export function figuresOf(snapshot: Snapshot): Figure[] {
  const { databases, connections, archiver, slots, replication, log, missing } = snapshot;
  const sum = (label: string, pick: Pick, format: (value: number) => string = formatCount): Figure => ({
    label,
    value: summed(databases, pick, format),
  });
  const figure = <T>(label: string, part: T | null, format: (part: T) => string): Figure => ({
    label,
    value: part === null ? NOT_MEASURED : format(part),
  });
  return [
    { label: 'Databases', value: formatCount(databases.length) },
    sum('Size', ({ bytes }) => bytes, formatBytes),
    sum('Tables', ({ tables }) => tables?.count),
    sum('Rows, estimated', ({ tables }) => tables && Math.max(0, Math.round(tables.rows))),
    { label: 'Cache hit ratio', value: allHits(databases) },
    figure('Connections', connections, (found) =>
      formatCount(found.reduce((total, { count }) => total + count, 0)),
    ),
    sum('Deadlocks', ({ activity }) => activity?.deadlocks),
    figure('Standbys', replication, standbyWords),
    figure('Replication slots', slots, slotWords),
    figure('Archiver', archiver, archiverWords),
    sum('Invalid indexes and constraints', ({ invalid }) => invalid && invalid.indexes + invalid.constraints),
    sum('Sequences behind their column', ({ sequences }) => sequences?.behind.length),
    figure('Errors in the log', log, (found) => plural(errorsOf(found), 'line')),
    {
      label: 'Could not be measured',
      value: missing.length === 0 ? 'nothing' : plural(missing.length, 'thing'),
    },
  ];
}

/** The sum over the databases in which it was measured, and in how many it was not. */
function summed(
  databases: readonly DatabaseSnapshot[],
  pick: Pick,
  format: (value: number) => string,
): string {
  const values = databases.flatMap((database) => pick(database) ?? []);
  if (values.length === 0) return NOT_MEASURED;
  const left = databases.length - values.length;
  const all = format(values.reduce((total, value) => total + value, 0));
  return left === 0 ? all : `${all}, ${NOT_MEASURED} in ${plural(left, 'database')}`;
}

function allHits(databases: readonly DatabaseSnapshot[]): string {
  const seen = databases.flatMap(({ activity }) => activity ?? []);
  if (seen.length === 0) return NOT_MEASURED;
  return hitRatio({
    blocksHit: seen.reduce((total, { blocksHit }) => total + blocksHit, 0),
    blocksRead: seen.reduce((total, { blocksRead }) => total + blocksRead, 0),
  });
}

/** Blocks found in memory, of all that were asked for. */
export function hitRatio(activity: { blocksHit: number; blocksRead: number } | null): string {
  if (activity === null) return NOT_MEASURED;
  const all = activity.blocksHit + activity.blocksRead;
  return all > 0 ? formatShare(activity.blocksHit / all) : 'nothing read yet';
}

/** One sentence about the archiver. */
export function archiverWords({
  mode,
  archived,
  failed,
  failing,
}: NonNullable<Snapshot['archiver']>): string {
  if (mode === 'off') return 'off';
  const now = failing ? 'failing now' : 'working';
  return `${now}, mode ${mode}: ${formatCount(archived)} archived, ${formatCount(failed)} failed`;
}

function standbyWords(standbys: NonNullable<Snapshot['replication']>): string {
  if (standbys.length === 0) return 'none';
  const lags = standbys.flatMap(({ lagBytes }) => (lagBytes === null ? [] : [lagBytes]));
  const lag = lags.length === 0 ? '' : `, at most ${formatBytes(Math.max(0, ...lags))} behind`;
  return `${formatCount(standbys.length)}${lag}`;
}

function slotWords(slots: NonNullable<Snapshot['slots']>): string {
  if (slots.length === 0) return 'none';
  const idle = slots.filter(({ active }) => !active).length;
  const held = slots.reduce((total, { retainedBytes }) => total + Math.max(0, retainedBytes ?? 0), 0);
  return `${formatCount(slots.length)}${idle === 0 ? '' : `, ${formatCount(idle)} not in use`}, ${formatBytes(held)} held back`;
}

function errorsOf({ classes }: NonNullable<Snapshot['log']>): number {
  return classes
    .filter(({ severity }) => /^(error|fatal|panic)$/i.test(severity))
    .reduce((total, { count }) => total + count, 0);
}
