/** What every renderer says of a plan: who approves it reads the same words everywhere. Pure. */
import type { Gate, PlannedStep, UpgradeRecord } from './record.ts';

/** What a closed gate says of an upgrade that begins now, and when it is open. */
const gateWords: Readonly<Record<Gate, { closed: string; open: string }>> = {
  window: { closed: 'its maintenance window is closed', open: 'the maintenance window is open' },
  wave: { closed: 'an earlier wave is not done', open: 'the earlier waves are done' },
  rehearsal: { closed: 'no rehearsal of it is good enough', open: 'a rehearsal has passed' },
};

/** Begin of a plan's note of a gate that would refuse an upgrade now. */
export function refusedNow(gate: Gate): string {
  return `At this time an upgrade would be refused (${gate}): `;
}

/** Gates that would refuse an upgrade at the time of a plan or check that found nothing else; read from its notes. */
function closedGates({ mode, plan, result }: Pick<UpgradeRecord, 'mode' | 'plan' | 'result'>): Gate[] {
  if (result !== 'success' || (mode !== 'plan' && mode !== 'check')) return [];
  return (Object.keys(gateWords) as Gate[]).filter((gate) =>
    plan?.notes.some((note) => note.startsWith(refusedNow(gate))),
  );
}

/** What waits before an upgrade that nothing else blocks; null where it could begin now. */
export interface Waiting {
  /** Names of the closed gates, as the input `override` takes them. */
  gates: string;
  /** Why it would be refused now. */
  closed: string;
  /** What has to be so. */
  open: string;
}

/** @see Waiting */
export function waitingOf(record: Pick<UpgradeRecord, 'mode' | 'plan' | 'result'>): Waiting | null {
  const gates = closedGates(record);
  if (gates.length === 0) return null;
  const words = (of: 'closed' | 'open'): string => gates.map((gate) => gateWords[gate][of]).join(', and ');
  return { gates: gates.join(', '), closed: words('closed'), open: words('open') };
}

/** Whether the record's plan is there to be approved: then it is what the reader came for. */
export function asksApproval({ mode, plan }: UpgradeRecord): boolean {
  return mode === 'plan' && plan !== null && plan.from !== plan.wanted;
}

/** What clients notice; and whether it is in the downtime, which counts from the database, not from applications. */
export function breaksWords({ id, breaks }: PlannedStep): string {
  if (breaks === null) return 'nothing';
  return ['stop-applications', 'read-only', 'drain'].includes(id)
    ? `${breaks} (not in the downtime)`
    : `${breaks} (the downtime)`;
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
export function approvalWords(record: UpgradeRecord): readonly [string, string] {
  const waiting = waitingOf(record);
  if (waiting)
    return [
      `Approve the job that waits for it when ${waiting.open}, or start mode upgrade then with plan-digest `,
      `. Any other plan is refused. Before that it takes a person who overrides it: override: ${waiting.gates}.`,
    ];
  return record.result === 'success'
    ? [
        'Approve the job that waits for it, or start mode upgrade with plan-digest ',
        '. Any other plan is refused.',
      ]
    : ['There is nothing to approve while something blocks it. The digest is ', '.'];
}
