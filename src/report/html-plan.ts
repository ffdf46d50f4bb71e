/** The plan: risk, downtime, advice, digest, the steps in a table, and what each of them runs and can break. */
import { plural } from './format.ts';
import { block, code, definitions, folded, lines, section, table, titled } from './html-parts.ts';
import { html, type Markup } from './markup.ts';
import { approvalWords, asksApproval, breaksWords, planAdvice, undoWords } from './plan-words.ts';
import type { PlannedStep, UpgradeRecord } from './record.ts';
import { downtimeWords } from './rehearsal-words.ts';

/** Null where no plan was made. */
export function planSection(record: UpgradeRecord): Markup | null {
  const { plan } = record;
  if (!plan) return null;
  const [before, after] = approvalWords(record);
  const rows = plan.steps.map((step, index) => [
    `${index + 1}. ${step.title}`,
    breaksWords(step),
    undoWords(step),
  ]);
  return section(
    'plan',
    asksApproval(record) ? 'The plan' : 'Plan',
    html`${definitions([
      ['Route', `${plan.route}, ${plan.from} → ${plan.wanted}`],
      ['Risk', plan.risk.class],
      ['Expected downtime', downtimeWords(record)],
      ['Digest', code(plan.digest)],
    ])}
${titled('Why this risk', lines(plan.risk.reasons))}${plan.steps.length > 0 && table('Planned steps', ['Step', 'Clients notice', 'Undo'], rows)}${titled('Release advice', lines(planAdvice(record)))}${titled('Notes', lines(plan.notes))}${
  asksApproval(record) && html`<p>${before}${code(plan.digest)}${after}</p>`
}${folded(`What ${plural(plan.steps.length, 'step')} would run, and can break`, plan.steps.map(stepBody))}`,
  );
}

function stepBody(step: PlannedStep): Markup {
  return html`<h3>${step.title}</h3>${block(step.does)}
${lines([
  html`Undo: ${undoWords(step)}`,
  html`Clients notice: ${breaksWords(step)}`,
  ...step.risks.map((risk) => html`Risk: ${risk}`),
  step.interruptible ? 'May be interrupted' : 'Must not be interrupted',
])}`;
}
