/** The user's own SQL, statement by statement: its result before beside its result after. */
import { formatCount, plural } from './format.ts';
import type { QueryRecord } from './record.ts';

/** One statement in one database, with what it returned before and after. */
export interface QueryPair {
  readonly query: QueryRecord;
  readonly before: QueryRecord | null;
  readonly after: QueryRecord | null;
  /** Both are there and returned the same, as far as the rows are kept. */
  readonly same: boolean;
}

/** Pairs in the order of the files; `urgent` ones are blocked or failed, blocked first. */
export function pairQueries(queries: readonly QueryRecord[]): { urgent: QueryPair[]; fine: QueryPair[] } {
  const places = new Map<string, QueryRecord[]>();
  for (const query of queries) {
    const place = JSON.stringify([query.file, query.line, query.database, query.sql]);
    places.set(place, [...(places.get(place) ?? []), query]);
  }
  const pairs = [...places.values()].flatMap(pairOf);
  const has = (status: QueryRecord['status'], { before, after }: QueryPair): boolean =>
    before?.status === status || after?.status === status;
  const blocked = pairs.filter((pair) => has('blocked', pair));
  const failed = pairs.filter((pair) => !has('blocked', pair) && has('error', pair));
  return {
    urgent: [...blocked, ...failed],
    fine: pairs.filter((pair) => !has('blocked', pair) && !has('error', pair)),
  };
}

function pairOf(runs: readonly QueryRecord[]): QueryPair[] {
  const before = runs.findLast(({ when }) => when === 'before') ?? null;
  const after = runs.findLast(({ when }) => when === 'after') ?? null;
  const query = after ?? before;
  if (!query) return [];
  return [{ query, before, after, same: before !== null && after !== null && sameResult(before, after) }];
}

function sameResult(before: QueryRecord, after: QueryRecord): boolean {
  const result = ({ columns, rows, total, status, why }: QueryRecord): string =>
    JSON.stringify([columns, rows, total, status, why]);
  return result(before) === result(after);
}

/** `2 blocked, 1 failed, 5 passed` */
export function countQueries(queries: readonly QueryRecord[]): string {
  const words = { blocked: 'blocked', error: 'failed', passed: 'passed' } as const;
  return (['blocked', 'error', 'passed'] as const)
    .flatMap((status) => {
      const count = queries.filter((query) => query.status === status).length;
      return count === 0 ? [] : [`${formatCount(count)} ${words[status]}`];
    })
    .join(', ');
}

/** How many rows there were, and how many of them are shown. */
export function rowWords(total: number, shown: number): string {
  if (total === 0) return 'No rows.';
  if (shown >= total) return `${plural(total, 'row')}.`;
  return `${plural(total, 'row')}, the first ${formatCount(shown)} are shown.`;
}
