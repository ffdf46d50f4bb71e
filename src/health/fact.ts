/** Building blocks of the difference between two snapshots. Pure. */
import type { Thresholds } from '../checks/check.ts';
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';

/** What decides about differences, besides the snapshots. */
export interface DiffContext {
  /** server_version_num that the upgrade leads to. */
  wantedNum: number;
  /** Names of items that the route changes on purpose. */
  changed: readonly string[];
  thresholds: Thresholds;
}

/** Two snapshots and what decides about their difference. */
export interface Pair {
  before: Snapshot;
  after: Snapshot;
  context: DiffContext;
}

/** How an item may change; docs/health.md has the same words. */
export const rules = {
  version: 'must be the wanted one',
  equal: 'must be equal',
  restart: 'changes with the restart',
  setting: 'must be equal, unless it waited for a restart',
  broken: 'may become fewer, not more',
  forward: 'may not go back',
  behind: 'may not fall behind their column',
  told: 'told, not compared',
  rows: 'told; an alert where a large table loses nearly all rows',
  activity: 'told; an alert where most transactions roll back now and did not before',
  connections: 'told; an alert where nearly all clients stay away',
  slots: 'must be there with the same type and plugin, and not be lost',
  archiver: 'may not begin to fail',
  latency: 'an alert where it grew beyond the thresholds',
  log: 'nothing grave may be new; new errors are an alert',
} as const;

const clip = (text: string | null): string | null =>
  text !== null && text.length > 1000 ? `${text.slice(0, 1000)}…` : text;

/** An item; what is left out is null. */
export function fact(
  group: string,
  name: string,
  rule: string,
  verdict: FactRecord['verdict'],
  rest: Partial<Pick<FactRecord, 'before' | 'after' | 'why' | 'measure'>> = {},
): FactRecord {
  const { before = null, after = null, why = null, measure = null } = rest;
  return { group, name, before: clip(before), after: clip(after), verdict, why, rule, measure };
}

/** An item that must not change. */
export function same(group: string, name: string, before: string, after: string): FactRecord {
  return fact(group, name, rules.equal, before === after ? 'equal' : 'unexpected', { before, after });
}

/** Numbers as text and measure. */
export function numbers(
  before: number,
  after: number,
  unit: NonNullable<FactRecord['measure']>['unit'],
): Pick<FactRecord, 'before' | 'after' | 'measure'> {
  const shown = (value: number): string =>
    unit === 'bytes' || unit === 'rows' || unit === 'count'
      ? String(Math.round(value))
      : unit === 'share'
        ? `${(value * 100).toFixed(1)} %`
        : value.toFixed(2);
  return { before: shown(before), after: shown(after), measure: { before, after, unit } };
}

/** Failures inside the server, and of its files: SQLSTATE classes XX and 58. */
const serverFailed = /^(?:XX|58)/;

/**
 * An item for what could not be measured on a side. Neither errors nor two gaps are ever equal. Where the server
 * could read it before and breaks at it now, that is no gap but damage.
 * @param what the part as `missing` calls it, and the database that may be missing as a whole
 */
export function notCompared(
  { before, after }: Pair,
  item: { group: string; name: string; rule: string },
  what: readonly string[],
  gone: { before: boolean; after: boolean },
): FactRecord {
  const reason = (snapshot: Snapshot): Snapshot['missing'][number] | undefined =>
    snapshot.missing.find((entry) => what.includes(entry.what));
  const broken = !gone.before && gone.after && serverFailed.test(reason(after)?.state ?? '');
  const whys = [
    gone.before ? `not measured before: ${reason(before)?.why ?? 'no reason given'}` : '',
    gone.after ? `not measured after: ${reason(after)?.why ?? 'no reason given'}` : '',
  ];
  return fact(item.group, item.name, item.rule, broken ? 'unexpected' : 'not-compared', {
    before: gone.before ? null : 'measured',
    after: gone.after ? null : 'measured',
    why: whys.filter((why) => why !== '').join('; '),
  });
}

/** Compares a part that both sides have; says why where one has not. */
export function compared<T>(
  pair: Pair,
  item: { group: string; name: string; rule: string },
  what: readonly string[],
  sides: { before: T | null; after: T | null },
  compare: (before: T, after: T) => FactRecord[],
): FactRecord[] {
  const { before, after } = sides;
  if (before !== null && after !== null) return compare(before, after);
  return [notCompared(pair, item, what, { before: before === null, after: after === null })];
}
