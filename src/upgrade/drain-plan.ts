/** Waiting for open transactions, as the plan shows it. Pure. */
import type { PlannedStep } from '../report/record.ts';
import type { TargetSpec } from '../spec/schema.ts';

/** Null where the spec does not ask for it. */
export function plannedDrain({ drain }: TargetSpec): PlannedStep | null {
  if (drain === undefined) return null;
  const { 'at-most': most, timeout, then } = drain;
  const ends = then === 'end';
  return {
    id: 'drain',
    title: 'Wait for open transactions',
    does: [
      `wait until at most ${most} transactions of others are open, for ${timeout} seconds`,
      ends
        ? 'afterwards pg_terminate_backend of the sessions that are still in one'
        : 'afterwards end the upgrade: the version is not changed',
    ],
    undo: null,
    breaks: ends ? `sessions that are still in a transaction after ${timeout} seconds are ended` : null,
    risks: [
      ends
        ? 'Transactions of ended sessions are rolled back.'
        : 'A transaction that stays open ends the upgrade here, before the version is changed.',
    ],
    interruptible: true,
  };
}
