/** Figures of a database that move by themselves. Pure. */
import type { FactRecord } from '../report/record.ts';
import type { DatabaseSnapshot } from '../report/snapshot.ts';
import { fact, numbers, type Pair, rules, same } from './fact.ts';

type Part<K extends keyof DatabaseSnapshot> = NonNullable<DatabaseSnapshot[K]>;

/** Fewer than this are no large table. Rows. */
const largeTable = 10_000;

/** Their number, and estimates of what is in them. */
export function tables(name: string, before: Part<'tables'>, after: Part<'tables'>): FactRecord[] {
  const collapsed = before.largest.flatMap((was) => {
    const is = after.largest.find((table) => table.name === was.name);
    return is && was.rows > largeTable && is.rows < was.rows * 0.1 ? [{ was, is }] : [];
  });
  return [
    same('tables', `${name}: tables`, String(before.count), String(after.count)),
    fact('tables', `${name}: size of tables and indexes`, rules.told, 'not-compared', {
      ...numbers(before.bytes, after.bytes, 'bytes'),
      why: 'an estimate that moves by itself',
    }),
    fact('tables', `${name}: rows`, rules.rows, 'not-compared', {
      ...numbers(before.rows, after.rows, 'rows'),
      why: 'an estimate that moves by itself',
    }),
    ...collapsed.slice(0, 10).map(({ was, is }) =>
      fact('tables', `${name}: rows of ${was.name}`, rules.rows, 'alert', {
        ...numbers(was.rows, is.rows, 'rows'),
        why: 'nearly all rows are gone, by estimate: count them',
      }),
    ),
  ];
}

/** Fewer transactions than this say nothing: the checks of the run are some hundred themselves. */
const enoughTransactions = 1000;

/** Caches and transactions: they move by themselves, so only a cliff is an alert. */
export function activity(
  pair: Pair,
  name: string,
  before: Part<'activity'>,
  after: Part<'activity'>,
): FactRecord[] {
  const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  const hits = ({ blocksHit, blocksRead }: Part<'activity'>): number =>
    share(blocksHit, blocksHit + blocksRead);
  const all = ({ commits, rollbacks }: Part<'activity'>): number => commits + rollbacks;
  // Counters that were reset begin at zero: what they count is all new.
  const goesOn = after.commits >= before.commits && after.rollbacks >= before.rollbacks;
  const added: Part<'activity'> = goesOn
    ? {
        ...after,
        commits: after.commits - before.commits,
        rollbacks: after.rollbacks - before.rollbacks,
      }
    : after;
  const seconds = (from: string | null, to: string): number =>
    from === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
  const spans = [
    seconds(before.since, pair.before.at),
    seconds(goesOn ? pair.before.at : after.since, pair.after.at),
  ];
  const rate = (transactions: number, span: number): number => (span > 0 ? transactions / span : 0);
  const failing =
    all(added) >= enoughTransactions &&
    share(added.rollbacks, all(added)) > 0.5 &&
    share(before.rollbacks, all(before)) < 0.1;
  return [
    fact('activity', `${name}: cache hits`, rules.told, 'not-compared', {
      ...numbers(hits(before), hits(after), 'share'),
      why: 'caches are cold after a restart',
    }),
    ...(spans.every((span) => span > 0)
      ? [
          fact('activity', `${name}: transactions per second`, rules.told, 'not-compared', {
            ...numbers(rate(all(before), spans[0] ?? 0), rate(all(added), spans[1] ?? 0), 'per-second'),
            why: 'the mean until the upgrade, and since then with the break in it',
          }),
        ]
      : []),
    fact(
      'activity',
      `${name}: transactions rolled back`,
      rules.activity,
      failing ? 'alert' : 'not-compared',
      {
        ...numbers(share(before.rollbacks, all(before)), share(added.rollbacks, all(added)), 'share'),
        why: failing ? 'most transactions fail since the upgrade' : 'moves by itself',
      },
    ),
  ];
}
