/** What a restored copy must have in common with the source's health snapshot. Pure. */
import type { FactRecord } from '../../report/record.ts';

/** Kinds of facts that are the content's, not the server's or the moment's. */
const groups: readonly string[] = ['objects', 'grants', 'extensions', 'sequences'];

/** Facts of the server that a dump carries over. */
const ofContent: readonly string[] = [
  'server version number',
  'databases',
  'roles',
  'memberships',
  'settings of roles and databases',
];

/**
 * The facts that say something about a copy. A scratch server has a system identifier, settings, activity and a log of
 * its own: those are left out.
 * @param closed databases that are not in the backup
 * @param updated databases in which an extension was updated on the copy: its objects change with it
 * @param crossing whether the copy is of another major
 */
export function factsOfCopy(
  facts: readonly FactRecord[],
  closed: readonly string[],
  updated: ReadonlySet<string>,
  crossing: boolean,
): FactRecord[] {
  const ofUpdated = (name: string): boolean =>
    [...updated].some(
      (database) =>
        name.startsWith(`${database}: extension `) ||
        name.startsWith(`${database}: objects of `) ||
        name === `${database}: grants`,
    );
  return facts
    .filter(({ group, name }) => groups.includes(group) || (group === 'server' && ofContent.includes(name)))
    .map((fact) => {
      if (fact.verdict !== 'unexpected') return fact;
      if (ofUpdated(fact.name)) return { ...fact, verdict: 'expected', why: 'an extension was updated' };
      if (crossing && fact.group === 'grants')
        return {
          ...fact,
          verdict: 'expected',
          why: 'another major grants its own objects otherwise; those of the databases were compared one by one',
        };
      if (closed.length > 0 && fact.name === 'databases')
        return { ...fact, verdict: 'expected', why: `not in the backup: ${closed.join(', ')}` };
      return fact;
    });
}
