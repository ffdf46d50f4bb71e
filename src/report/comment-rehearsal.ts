/** The stages of a rehearsal and what it measured, folded. Pure. */
import { formatBytes, formatDuration, formatMinute } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import { type Detail, folded, joined, stack, table, words } from './summary-parts.ts';

/** Null without a rehearsal. */
export function stageDetails({ rehearsal }: UpgradeRecord, detail: Detail): string | null {
  if (!rehearsal) return null;
  const { stages, measures, scratch, backup } = rehearsal;
  const rows = stages.map(({ title, state, durationMs, output }) => [
    words(title, detail),
    state === 'failed' ? '❌ failed' : state,
    formatDuration(durationMs),
    joined(output.slice(0, state === 'failed' ? 5 : 1), { ...detail, characters: 300 }, '<br>'),
  ]);
  const figures: [string, number | null, (value: number) => string][] = [
    ['Restore', measures.restoreMs, formatDuration],
    ['Indexes and constraints', measures.indexBuildMs, formatDuration],
    ['Advice', measures.adviceMs, formatDuration],
    ['Stop', measures.stopMs, formatDuration],
    ['Start', measures.startMs, formatDuration],
    ['Restored copy', measures.restoredBytes, formatBytes],
    ['Disk for backup and copy', measures.neededBytes, formatBytes],
  ];
  const measured = figures.flatMap(([name, value, format]) =>
    value === null ? [] : [`${name} ${format(value)}`],
  );
  return folded(
    `Rehearsal: ${rehearsal.passed ? 'passed' : 'failed'}`,
    stack(
      backup &&
        words(`Backup of ${backup.server} from ${formatMinute(backup.taken)} (${backup.from}).`, detail),
      scratch && words(`Scratch server: ${scratch.kind}, ${scratch.where}.`, detail),
      rows.length > 0 && table(['Stage', 'State', 'Took', 'Said'], rows, detail),
      measured.length > 0 && words(`${measured.join(', ')}.`, detail),
    ),
  );
}
