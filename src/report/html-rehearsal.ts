/** A rehearsal in report.html: its stages, what was measured, where it ran. */
import { formatBytes, formatDuration, formatTime } from './format.ts';
import { code, definitions, lines, section, table, titled } from './html-parts.ts';
import { html, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import { measureRows, stageSymbol } from './rehearsal-words.ts';

/** Null where nothing was rehearsed. */
export function rehearsalSection({ rehearsal }: UpgradeRecord): Markup | null {
  if (!rehearsal) return null;
  const { scratch, backup, databases } = rehearsal;
  const stages = rehearsal.stages.map((stage) => [
    `${stageSymbol(stage)} ${stage.state}`,
    stage.title,
    stage.state === 'skipped' ? '' : formatDuration(stage.durationMs),
    lines(stage.output),
  ]);
  const rows = databases.map((database) => [
    code(database.name),
    database.bytes === null ? '' : formatBytes(database.bytes),
    formatDuration(database.restoreMs),
    formatDuration(database.indexBuildMs),
  ]);
  return section(
    'rehearsal',
    'Rehearsal',
    html`${table('Stages', ['', 'Stage', 'Took', 'Seen'], stages)}
${definitions(measureRows(rehearsal))}
${
  backup &&
  definitions([
    ['Backup', html`${code(backup.location)}, taken ${formatTime(backup.taken)} of ${backup.server}`],
    ['Manifest sha256', code(backup.manifestSha256)],
  ])
}${scratch && titled('Scratch server', html`<p>${scratch.kind}: ${code(scratch.where)}</p>${lines(scratch.isolation)}`)}${
  rows.length > 0 &&
  titled('Databases', table('Databases', ['Database', 'Size', 'Restore', 'of it indexes'], rows))
}`,
  );
}
