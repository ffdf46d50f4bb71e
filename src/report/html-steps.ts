/** The steps of a run, and the plan they follow. */
import { between, formatClock, formatDuration, plural } from './format.ts';
import { badge, block, code, definitions, folded, lines, section, table, titled } from './html-parts.ts';
import { timeline } from './html-timeline.ts';
import { html, type Markup } from './markup.ts';
import type { StepRecord, UpgradeRecord } from './record.ts';

/** The steps: chart, table, what they printed. */
export function stepsSection(record: UpgradeRecord): Markup | null {
  if (record.steps.length === 0) return null;
  const rows = record.steps.map((step) => [
    step.title,
    badge(step.state, stepWeight(step.state)),
    formatClock(step.started),
    step.finished === null ? 'not finished' : formatDuration(between(step.started, step.finished)),
  ]);
  const printed = record.steps
    .filter((step) => step.output.length > 0)
    .map((step) => html`<h3>${step.title}</h3>${block(step.output)}`);
  return section(
    'steps',
    'Steps',
    html`${timeline(record)}${table('Steps', ['Step', 'State', 'Started (UTC)', 'Took'], rows)}${
      printed.length > 0 && folded('What the steps printed', printed)
    }`,
  );
}

function stepWeight(state: StepRecord['state']): 'strong' | 'medium' | 'quiet' {
  if (state === 'done' || state === 'already-done') return 'quiet';
  return state === 'failed' || state === 'undo-failed' || state === 'interrupted' ? 'strong' : 'medium';
}

/** The plan as it was approved. */
export function planSection({ plan }: UpgradeRecord): Markup | null {
  if (!plan) return null;
  const steps = plan.steps.map(
    (step) => html`<h3>${step.title}</h3>${block(step.does)}
${lines([
  html`Undo: ${step.undo ?? 'nothing to undo'}`,
  step.breaks === null ? 'Clients notice nothing' : html`Clients notice: ${step.breaks}`,
  step.interruptible ? 'May be interrupted' : 'Must not be interrupted',
])}`,
  );
  return section(
    'plan',
    'Plan',
    html`${definitions([
      ['Route', `${plan.route}, ${plan.from} → ${plan.wanted}`],
      ['Digest', code(plan.digest)],
    ])}
${titled('Notes', lines(plan.notes))}${folded(plural(steps.length, 'planned step'), steps)}`,
  );
}
