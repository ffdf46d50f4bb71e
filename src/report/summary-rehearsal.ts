/** A rehearsal in the job summary: its stages and measures at the top, its surroundings folded further down. */
import { formatBytes, formatDuration, formatTime } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import { measureRows, stageSymbol } from './rehearsal-words.ts';
import { code, type Detail, folded, joined, list, stack, table, words } from './summary-parts.ts';

/** Stages and measures; null where nothing was rehearsed. */
export function rehearsalOverview({ rehearsal }: UpgradeRecord, detail: Detail): string | null {
  if (!rehearsal) return null;
  const stages = rehearsal.stages.map((stage) => [
    `${stageSymbol(stage)} ${stage.state}`,
    words(stage.title, detail),
    stage.state === 'skipped' ? '' : formatDuration(stage.durationMs),
    joined(stage.output, detail, '<br>'),
  ]);
  const measured = measureRows(rehearsal).map(([label, value]) => [label, words(value, detail)]);
  return stack(
    '### The rehearsal',
    table(['', 'Stage', 'Took', 'Seen'], stages, detail),
    measured.length > 0 && table(['Measured', ''], measured, detail),
  );
}

/** Where it ran, and how it was kept from acting on anything. */
export function rehearsalDetails({ rehearsal }: UpgradeRecord, detail: Detail): string | null {
  if (!rehearsal) return null;
  const { scratch, backup, databases } = rehearsal;
  const rows = databases.map((database) => [
    code(database.name, detail),
    database.bytes === null ? '' : formatBytes(database.bytes),
    formatDuration(database.restoreMs),
    formatDuration(database.indexBuildMs),
  ]);
  return folded(
    'Rehearsal: where it ran',
    stack(
      backup &&
        list(
          [
            `Backup: ${code(backup.location, detail)}, taken ${formatTime(backup.taken)} of ${words(backup.server, detail)}`,
            `Manifest sha256: ${code(backup.manifestSha256, detail)}`,
          ],
          detail,
        ),
      scratch && `Scratch server: ${words(scratch.kind, detail)}, ${code(scratch.where, detail)}`,
      scratch &&
        list(
          scratch.isolation.map((line) => words(line, detail)),
          detail,
        ),
      rows.length > 0 && table(['Database', 'Size', 'Restore', 'of it indexes'], rows, detail),
    ),
  );
}
