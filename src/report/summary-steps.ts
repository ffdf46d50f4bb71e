/** The steps of a run and the plan they follow, folded. */
import { between, formatClock, formatCount, formatDuration, plural } from './format.ts';
import { renderGantt } from './gantt.ts';
import { asksApproval, breaksWords, planAdvice, undoWords } from './plan-words.ts';
import type { UpgradeRecord } from './record.ts';
import { downtimeWords } from './rehearsal-words.ts';
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

/** The plan with all that each step does and can break. */
export function planDetails(record: UpgradeRecord, detail: Detail): string | null {
  const { plan: planned } = record;
  if (!planned) return null;
  const line = (text: string): string => words(text, detail);
  const some = (lines: readonly string[], show: (text: string) => string): string[] => {
    const left = lines.length - detail.items;
    return [
      ...lines.slice(0, detail.items).map((text) => `  - ${show(text)}`),
      ...(left > 0 ? [`  - ${formatCount(left)} more left out`] : []),
    ];
  };
  const items = planned.steps.map((step) =>
    [
      line(step.title),
      ...some(step.does, (text) => code(text, detail)),
      `  - Undo: ${line(undoWords(step))}`,
      `  - Clients notice: ${line(breaksWords(step))}`,
      ...some(step.risks, (text) => `Risk: ${line(text)}`),
      ...(step.interruptible ? [] : ['  - Must not be interrupted']),
    ].join('\n'),
  );
  const listed = (title: string, lines: readonly string[]): string | false =>
    lines.length > 0 && `${title}:\n\n${list(lines.map(line), detail)}`;
  // What the top of the summary says already is not said twice.
  const told = asksApproval(record);
  return folded(
    `Plan: ${planned.route}, ${plural(planned.steps.length, 'step')}`,
    stack(
      `${line(`${planned.from} → ${planned.wanted}`)}, digest ${code(planned.digest, detail)}`,
      !told && listed(`Risk ${line(planned.risk.class)}`, planned.risk.reasons),
      !told && `Expected downtime: ${line(downtimeWords(record))}`,
      list(items, detail),
      !told && listed('Release advice', planAdvice(record)),
      !told && listed('Notes', planned.notes),
    ),
  );
}
