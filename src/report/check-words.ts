/** Checks in order of urgency, counted, and their status as a word. */
import { formatCount, plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';

/** One check of a record. */
export type CheckRecord = UpgradeRecord['checks'][number];

const ORDER = ['blocked', 'error', 'warning', 'info', 'passed', 'skipped', 'disabled'] as const;
const STATUS_WORDS: Record<CheckRecord['status'], string> = {
  blocked: 'blocked',
  error: 'unanswered',
  warning: 'warning',
  info: 'info',
  passed: 'passed',
  skipped: 'skipped',
  disabled: 'switched off in the spec',
};

/** A check's status as a word; `error` means that nobody knows, which is not the same as bad. */
export function statusWord(status: CheckRecord['status']): string {
  return STATUS_WORDS[status];
}

/** A title states what should be so: for a check that blocks or warns it says that this is not so. */
export function titleWords({ status, title }: CheckRecord): string {
  return status === 'blocked' || status === 'warning' ? `not so: ${title}` : title;
}

/** `1 blocked, 2 warnings, 38 passed` */
export function countChecks(checks: readonly CheckRecord[]): string {
  const counts = ORDER.flatMap((status) => {
    const count = checks.filter((check) => check.status === status).length;
    if (count === 0) return [];
    return [status === 'warning' ? plural(count, 'warning') : `${formatCount(count)} ${statusWord(status)}`];
  });
  return counts.length === 0 ? 'none were made' : counts.join(', ');
}

/** Checks that stop a run first, then those that warn, then the rest. */
export function byUrgency(checks: readonly CheckRecord[]): CheckRecord[] {
  return checks.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
}

/** Checks that a person should read. An unanswered one counts as unknown, never as passed. */
export function asksAttention(check: CheckRecord): boolean {
  return check.status === 'blocked' || check.status === 'error' || check.status === 'warning';
}
