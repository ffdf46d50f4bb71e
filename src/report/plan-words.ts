/** What every renderer says of a plan: who approves it reads the same words everywhere. Pure. */
import type { PlannedStep, UpgradeRecord } from './record.ts';

/** Whether the record's plan is there to be approved: then it is what the reader came for. */
export function asksApproval({ mode, plan }: UpgradeRecord): boolean {
  return mode === 'plan' && plan !== null && plan.from !== plan.wanted;
}

/** What clients notice; and whether it is in the downtime, which counts from the database, not from applications. */
export function breaksWords({ id, breaks }: PlannedStep): string {
  if (breaks === null) return 'nothing';
  return id === 'stop-applications' ? `${breaks} (not in the downtime)` : `${breaks} (the downtime)`;
}

/** What takes it back. */
export function undoWords({ undo }: PlannedStep): string {
  return undo ?? 'nothing to undo';
}

/** What the action carries out of the release notes' advice, and what a person does, when; empty where none applies. */
export function planAdvice({ advice }: UpgradeRecord): string[] {
  const applies = advice.filter(({ state }) => state === 'applies');
  const of = (by: string, list: typeof applies): string[] =>
    list.length === 0 ? [] : [`${by}: ${list.map(({ title }) => title).join('; ')}`];
  const person = applies.filter(({ by }) => by === 'person');
  const unseen = advice.filter(({ state }) => state === 'error' || state === 'skipped');
  return [
    ...of(
      'By the action',
      applies.filter(({ by }) => by === 'action'),
    ),
    ...of(
      'By a person, before the upgrade',
      person.filter(({ timing }) => timing === 'before'),
    ),
    ...of(
      'By a person',
      person.filter(({ timing }) => timing !== 'before' && timing !== 'after'),
    ),
    ...of(
      'By a person, after the upgrade',
      person.filter(({ timing }) => timing === 'after'),
    ),
    ...of('Could not be asked', unseen),
  ];
}

/** How the plan is approved, around its digest. */
export function approvalWords({ result }: UpgradeRecord): readonly [string, string] {
  return result === 'success'
    ? [
        'Approve the job that waits for it, or start mode upgrade with plan-digest ',
        '. Any other plan is refused.',
      ]
    : ['There is nothing to approve while something blocks it. The digest is ', '.'];
}
