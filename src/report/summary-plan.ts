/** The plan at the top of a summary, for whoever has two minutes to approve it; its details are folded further down. */
import { plural } from './format.ts';
import { approvalWords, asksApproval, breaksWords, planAdvice, undoWords } from './plan-words.ts';
import type { UpgradeRecord } from './record.ts';
import { downtimeWords } from './rehearsal-words.ts';
import { code, type Detail, list, stack, table, words } from './summary-parts.ts';

/** Risk, downtime, steps, advice, digest; null where there is nothing to approve. */
export function planOverview(record: UpgradeRecord, detail: Detail): string | null {
  const { plan } = record;
  if (!plan || !asksApproval(record)) return null;
  const line = (text: string): string => words(text, detail);
  const listed = (title: string, items: readonly string[]): string | false =>
    items.length > 0 && `${title}:\n\n${list(items.map(line), detail)}`;
  const [before, after] = approvalWords(record);
  const rows = plan.steps.map((step, index) => [
    String(index + 1),
    line(step.title),
    line(breaksWords(step)),
    line(undoWords(step)),
  ]);
  return stack(
    `### The plan: ${line(`${plan.from} → ${plan.wanted}, ${plural(plan.steps.length, 'step')}`)}`,
    `**Risk: ${line(plan.risk.class)}**`,
    list(plan.risk.reasons.map(line), detail),
    `**Expected downtime: ${line(downtimeWords(record))}**`,
    table(['', 'Step', 'Clients notice', 'Undo'], rows, detail),
    listed('Release advice', planAdvice(record)),
    listed('To know before', plan.notes),
    `${before}${code(plan.digest, detail)}${after} What each step runs and what it can break stands under "Plan" below.`,
  );
}
