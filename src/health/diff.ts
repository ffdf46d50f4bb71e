/** The health diff: what two snapshots have in common, and whether what differs may differ. Pure. */
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { clusterFacts } from './diff-cluster.ts';
import { databaseFacts } from './diff-database.ts';
import { logFacts } from './diff-log.ts';
import { statementFacts } from './diff-statements.ts';
import { type DiffContext, fact, type Pair, rules } from './fact.ts';

/** Items that a person can still look through. */
const itemsAtMost = 300;

/** A database that only one side knows: one item, since the list of databases says the same. */
function lonely(pair: Pair): FactRecord[] {
  const names = (snapshot: Snapshot): string[] => snapshot.databases.map(({ name }) => name);
  const [was, is] = [names(pair.before), names(pair.after)];
  const item = (name: string, why: 'gone' | 'new'): FactRecord =>
    fact('server', `database ${name}`, rules.equal, 'unexpected', {
      before: why === 'gone' ? 'measured' : null,
      after: why === 'new' ? 'measured' : null,
      why,
    });
  return [
    ...was.filter((name) => !is.includes(name)).map((name) => item(name, 'gone')),
    ...is.filter((name) => !was.includes(name)).map((name) => item(name, 'new')),
  ];
}

/** One that could be connected to before, and cannot be now. */
function unreachable({ before, after }: Pair): FactRecord[] {
  const known = (snapshot: Snapshot, what: string) =>
    snapshot.missing.find((entry) => entry.what === what && what.startsWith('database '));
  return after.missing.flatMap(({ what, why }) =>
    known(after, what) && !known(before, what)
      ? [fact('server', what, rules.equal, 'unexpected', { before: 'connected', why })]
      : [],
  );
}

const weight: Record<FactRecord['verdict'], number> = {
  unexpected: 0,
  alert: 1,
  expected: 2,
  'not-compared': 3,
  equal: 4,
};

/** Folds the least important items of a group into one, until the rest can be read; nothing changes its verdict. */
function condensed(facts: readonly FactRecord[]): FactRecord[] {
  if (facts.length <= itemsAtMost) return [...facts];
  const sorted = facts.toSorted((a, b) => weight[a.verdict] - weight[b.verdict]);
  // Room for one item of each verdict and group.
  const kept = new Set(sorted.slice(0, itemsAtMost - 50));
  const folded = new Map<string, FactRecord[]>();
  for (const item of sorted.filter((each) => !kept.has(each))) {
    const key = `${item.verdict} ${item.group}`;
    folded.set(key, [...(folded.get(key) ?? []), item]);
  }
  return [
    ...facts.filter((item) => kept.has(item)),
    ...[...folded.values()].map((items) => {
      const [{ group, verdict, rule } = facts[0] as FactRecord] = items;
      return fact(group, `${items.length} more of ${group}`, rule, verdict, {
        why: `${items
          .slice(0, 5)
          .map(({ name }) => name)
          .join(', ')}, ...`,
      });
    }),
  ];
}

/** Compares two snapshots. Every difference is an item; what is equal is summed up where there is much of it. */
export function compareSnapshots(before: Snapshot, after: Snapshot, context: DiffContext): FactRecord[] {
  const pair: Pair = { before, after, context };
  const facts = [
    ...clusterFacts(pair),
    ...lonely(pair),
    ...unreachable(pair),
    ...before.databases.flatMap((database) => {
      const other = after.databases.find(({ name }) => name === database.name);
      return other ? databaseFacts(pair, database, other) : [];
    }),
    ...statementFacts(pair),
    ...logFacts(pair),
  ];
  return condensed(
    facts.map((item) =>
      item.verdict === 'unexpected' && context.changed.includes(item.name)
        ? { ...item, verdict: 'expected', why: 'this upgrade changes it' }
        : item,
    ),
  );
}

/** The items that fail a validation. */
export function unexpectedOf(facts: readonly FactRecord[]): FactRecord[] {
  return facts.filter(({ verdict }) => verdict === 'unexpected');
}
