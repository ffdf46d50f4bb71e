/** The steps of a run. */
import { between, formatClock, formatDuration } from './format.ts';
import { badge, block, folded, section, table } from './html-parts.ts';
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
