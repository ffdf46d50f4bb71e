/** What a restored copy must have in common with the source's health snapshot. Pure. */
import type { FactRecord } from '../../report/record.ts';
import type { Snapshot } from '../../report/snapshot.ts';

/**
 * Kinds of facts that are the content's, not the server's or the moment's. Grants, roles and settings of databases are
 * not among them: the restore has compared each by itself, and pg_dump leaves out what equals a default.
 */
const groups: readonly string[] = ['objects', 'extensions', 'sequences'];

/** Facts of the server that a dump carries over. */
const ofContent: readonly string[] = ['server version number', 'databases', 'memberships'];

/** What explains a difference of a database, so that it may be one. */
export interface Explained {
  /** Databases that are not in the backup. */
  closed: readonly string[];
  /** Databases in which an extension has another version on the copy: its objects are others too. */
  extensions: ReadonlySet<string>;
  /** Databases with invalid indexes, which are in no dump. */
  invalid: ReadonlySet<string>;
}

/**
 * The facts that say something about a copy. A scratch server has a system identifier, settings, activity and a log of
 * its own: those are left out.
 */
export function factsOfCopy(facts: readonly FactRecord[], explained: Explained): FactRecord[] {
  return facts
    .filter(({ group, name }) => groups.includes(group) || (group === 'server' && ofContent.includes(name)))
    .map((fact) => {
      const why = fact.verdict === 'unexpected' ? reasonFor(fact, explained) : null;
      return why === null ? fact : { ...fact, verdict: 'expected', why };
    });
}

function reasonFor({ name, before, after }: FactRecord, explained: Explained): string | null {
  const isOf = (databases: ReadonlySet<string>, what: string): boolean =>
    [...databases].some((database) => name.startsWith(`${database}: ${what} `));
  if (isOf(explained.extensions, 'extension') || isOf(explained.extensions, 'objects of'))
    return 'an extension has another version here';
  const onlyIndexes = [before, after].every((text) => /^indexes \d+$/.test(text ?? ''));
  if (onlyIndexes && isOf(explained.invalid, 'objects of')) return 'invalid indexes are in no dump';
  if (name === 'databases' && explained.closed.length > 0)
    return `not in the backup: ${explained.closed.join(', ')}`;
  return null;
}

/** What of two snapshots explains differences between a source and its copy. */
export function explainedBy(before: Snapshot, after: Snapshot, closed: readonly string[]): Explained {
  const versions = (snapshot: Snapshot, name: string): string =>
    JSON.stringify(snapshot.databases.find((database) => database.name === name)?.extensions ?? null);
  const named = (of: (database: Snapshot['databases'][number]) => boolean): Set<string> =>
    new Set(before.databases.filter(of).map(({ name }) => name));
  return {
    closed,
    extensions: named(({ name }) => versions(before, name) !== versions(after, name)),
    invalid: named(({ invalid }) => (invalid?.indexes ?? 0) > 0),
  };
}
