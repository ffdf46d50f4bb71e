/** The plan in the log of mode plan: all of it, since there is nothing to unfold in a log. */
import { plainText } from './escape.ts';
import { approvalWords, asksApproval, breaksWords, planAdvice, undoWords } from './plan-words.ts';
import type { UpgradeRecord } from './record.ts';
import { downtimeWords } from './rehearsal-words.ts';

/** Lines; none where there is nothing to approve. */
export function planLines(record: UpgradeRecord): string[] {
  const { plan } = record;
  if (!plan || !asksApproval(record)) return [];
  const listed = (title: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [`  ${title}:`, ...items.map((item) => `    - ${plainText(item)}`)];
  return [
    `The plan: ${plainText(`${plan.from} → ${plan.wanted} by ${plan.route}`)}`,
    ...listed(`Risk ${plainText(plan.risk.class)}`, plan.risk.reasons),
    `  Expected downtime: ${plainText(downtimeWords(record))}`,
    ...listed('Release advice', planAdvice(record)),
    ...listed('To know before', plan.notes),
    ...plan.steps.flatMap((step, index) => [
      `  ${index + 1}. ${plainText(step.title)}${step.interruptible ? '' : ' (must not be interrupted)'}`,
      ...step.does.map((text) => `       runs: ${plainText(text)}`),
      `       undo: ${plainText(undoWords(step))}`,
      `       clients notice: ${plainText(breaksWords(step))}`,
      ...step.risks.map((text) => `       risk: ${plainText(text)}`),
    ]),
    `  ${approvalWords(record).join(plainText(plan.digest))}`,
  ];
}
