/** The steps of a run and the plan they follow, folded. */
import { between, formatClock, formatCount, formatDuration, plural } from './format.ts';
import { renderGantt } from './gantt.ts';
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, list, stack, table, words } from './summary-parts.ts';

/** The steps, as a chart and as a table. */
export function stepDetails(record: UpgradeRecord, detail: Detail): string | null {
  if (record.steps.length === 0) return null;
  const rows = record.steps.map((step) => [
    words(step.title, detail),
    step.state,
    formatClock(step.started),
    step.finished === null ? 'not finished' : formatDuration(between(step.started, step.finished)),
  ]);
  const output = record.steps.flatMap((step) => {
    if (!detail.everything || step.output.length === 0) return [];
    const lines = step.output.slice(0, detail.items).map((line) => `  - ${code(line, detail)}`);
    const left = step.output.length - lines.length;
    if (left > 0) lines.push(`  - ${formatCount(left)} more lines left out`);
    return [`${words(step.title, detail)}\n${lines.join('\n')}`];
  });
  return folded(
    `Steps (${record.steps.length})`,
    stack(
      renderGantt(record),
      table(['Step', 'State', 'Started (UTC)', 'Took'], rows, detail),
      output.length > 0 && `What the steps printed:\n\n${list(output, detail)}`,
    ),
  );
}

/** The plan as it was approved. */
export function planDetails({ plan: planned }: UpgradeRecord, detail: Detail): string | null {
  if (!planned) return null;
  const items = planned.steps.map((step) => {
    const does = step.does.slice(0, detail.items).map((line) => `  - ${code(line, detail)}`);
    const left = step.does.length - does.length;
    if (left > 0) does.push(`  - ${formatCount(left)} more left out`);
    does.push(`  - Undo: ${step.undo === null ? 'nothing to undo' : words(step.undo, detail)}`);
    if (step.breaks !== null) does.push(`  - Clients notice: ${words(step.breaks, detail)}`);
    if (!step.interruptible) does.push('  - Must not be interrupted');
    return `${words(step.title, detail)}\n${does.join('\n')}`;
  });
  return folded(
    `Plan: ${planned.route}, ${plural(planned.steps.length, 'step')}`,
    stack(
      `${words(`${planned.from} → ${planned.wanted}`, detail)}, digest ${code(planned.digest, detail)}`,
      list(items, detail),
      planned.notes.length > 0 &&
        `Notes:\n\n${list(
          planned.notes.map((note) => words(note, detail)),
          detail,
        )}`,
    ),
  );
}
