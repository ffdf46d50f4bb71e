/** What an upgrade would be refused for, as far as a run that only looked can tell. One place for all reports. Pure. */
import { plural } from './format.ts';
import type { QueryRecord, UpgradeRecord } from './record.ts';

/** One thing that went wrong in a run. */
export type IssueRecord = UpgradeRecord['issues'][number];

/** What keeps an upgrade from beginning. A rehearsal on a copy is not among it: no upgrade asks how that one went. */
interface Refusals {
  /** Of the target itself, blocked or without an answer. */
  readonly checks: UpgradeRecord['checks'];
  /** The user's own SQL before the upgrade. */
  readonly queries: readonly QueryRecord[];
  /** Why no plan could be made: no way to this version, no programs, a version to avoid. */
  readonly issues: readonly IssueRecord[];
}

/** How a rehearsal resolves what it met at the target itself, not at the copy. */
export const rehearsalGoesOn = 'The rehearsal goes on: it does without.';

/** Codes that say something about the versions, wherever they are met. */
const OF_VERSIONS: readonly string[] = ['downgrade', 'route-major', 'version-avoid', 'version-unknown'];

/**
 * Codes that say something about this run or this moment: another run, with its own secret, need not meet them.
 * `blocked` only repeats the checks and statements that block.
 */
const OF_THIS_RUN: readonly string[] = [
  'blocked',
  'cancelled',
  'connect',
  'connection-url',
  'database-missing',
  'locked',
  'login-refused',
  'plan-drift',
  'pull-request-change',
  'secret-missing',
  'server-down',
  'server-starting',
  'ssl-root-cert',
  'too-many-connections',
];

/** Issues only of modes that look: those of the others tell what happened. */
export function refusalsOf({ mode, checks, queries, issues }: UpgradeRecord): Refusals {
  const bad = ['blocked', 'error'];
  return {
    checks: checks.filter(({ when, status }) => when === 'before' && bad.includes(status)),
    queries: queries.filter(({ when, status }) => when === 'before' && bad.includes(status)),
    issues: issues.filter(({ code, resolution }) => {
      if (mode === 'rehearse') return resolution === rehearsalGoesOn || OF_VERSIONS.includes(code);
      return (mode === 'plan' || mode === 'check') && !OF_THIS_RUN.includes(code);
    }),
  };
}

/** Whether an upgrade would be refused as things stand. A run that was refused for what it is itself does not tell. */
export function wouldBeRefused(record: UpgradeRecord): boolean {
  if (countRefusals(record) > 0) return true;
  return (
    record.result === 'refused' &&
    record.issues.every(({ code }) => code === 'blocked' || !OF_THIS_RUN.includes(code))
  );
}

/** How many things keep an upgrade from beginning. */
export function countRefusals(record: UpgradeRecord): number {
  const { checks, queries, issues } = refusalsOf(record);
  return checks.length + queries.length + issues.length;
}

/** `1 thing blocks the upgrade`, `2 things block the upgrade`. @param count at least 1 */
export function blockWords(count: number, what = 'the upgrade'): string {
  return `${plural(count, 'thing')} ${count === 1 ? 'blocks' : 'block'} ${what}`;
}

/** Whether a run that only looked did not come to see what an upgrade is refused for. */
export function sawTooLittle({ result, plan, checks }: UpgradeRecord): boolean {
  return result !== 'success' && result !== 'skipped' && (plan === null || checks.length === 0);
}
