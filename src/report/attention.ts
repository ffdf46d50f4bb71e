/** What a reader must see first: what blocks, then what warns. One place for all reports. */
import { sortAdvice } from './advice.ts';
import { byUrgency, type CheckRecord } from './check-words.ts';
import { clip } from './escape.ts';
import type { FactRecord, QueryRecord, UpgradeRecord } from './record.ts';
import type { AdviceRecord, ReleaseRecord } from './record-release.ts';
import { type IssueRecord, refusalsOf } from './refusals.ts';
import { groupUnanswered } from './unanswered.ts';

/** A release whose notes a person must read, and why. */
export type MustRead = ReleaseRecord['mustRead'][number];

/** What stops an upgrade, or makes one that was carried out wrong. */
interface Blocks {
  readonly checks: readonly CheckRecord[];
  readonly queries: readonly QueryRecord[];
  readonly facts: readonly FactRecord[];
  readonly mustRead: readonly MustRead[];
  /** Why no plan could be made, where the verdict does not say it. */
  readonly issues: readonly IssueRecord[];
}

/** What to look at, though nothing stops. */
interface Warnings {
  readonly checks: readonly CheckRecord[];
  readonly facts: readonly FactRecord[];
  readonly mustRead: readonly MustRead[];
  readonly advice: readonly AdviceRecord[];
}

/** Blocked ones first, then those that nobody could answer, one for each reason: unknown is not fine. */
export function blocksOf(record: UpgradeRecord): Blocks {
  return {
    checks: groupUnanswered(
      byUrgency(record.checks.filter(({ status }) => status === 'blocked' || status === 'error')),
    ),
    queries: failedQueries(record.queries),
    facts: record.facts.filter(({ verdict }) => verdict === 'unexpected'),
    mustRead: mustReadBlocks(record) ? (record.release?.mustRead ?? []) : [],
    issues: refusalsOf(record).issues.filter(({ what }) => !clip(record.verdict, 500).includes(what)),
  };
}

/** Warnings of checks, alerts of the comparison, notes to read, and advice that applies. */
export function warningsOf(record: UpgradeRecord): Warnings {
  return {
    checks: record.checks.filter(({ status }) => status === 'warning'),
    facts: record.facts.filter(({ verdict }) => verdict === 'alert'),
    mustRead: mustReadBlocks(record) ? [] : (record.release?.mustRead ?? []),
    advice: sortAdvice(record.advice).applies,
  };
}

/** Statements of the user's own that returned what they must not, then those that failed. */
function failedQueries(queries: readonly QueryRecord[]): QueryRecord[] {
  return [
    ...queries.filter(({ status }) => status === 'blocked'),
    ...queries.filter(({ status }) => status === 'error'),
  ];
}

/** A run that went well or changed something was not stopped by notes that wait for a reader. */
function mustReadBlocks({ result, changed }: UpgradeRecord): boolean {
  return !changed && result !== 'success' && result !== 'skipped';
}

/** Whether there is nothing at all in a group of lists. */
export function isQuiet(lists: Blocks | Warnings): boolean {
  return Object.values(lists).every((list) => list.length === 0);
}
