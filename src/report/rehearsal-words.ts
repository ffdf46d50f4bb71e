/** How a rehearsal went, in one sentence: this run's own, or the newest earlier one. Pure. */
import { formatBytes, formatDuration, formatMinute } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { RehearsalRecord, RehearsalStage } from './record-rehearsal.ts';

/** Of this run, else of the newest earlier one with its date: an age would differ in every run, else `never rehearsed`. */
export function rehearsalWords(record: UpgradeRecord): string {
  const { rehearsal, rehearsed, mode } = record;
  if (rehearsal) return ofThisRun(rehearsal, record.versions.wanted);
  if (mode === 'rehearse') return 'it did not come to the rehearsal';
  if (!rehearsed) return 'never rehearsed';
  const at = formatMinute(rehearsed.at);
  const versions = `${rehearsed.from} → ${rehearsed.wanted}`;
  if (!rehearsed.passed)
    return `failed on ${at} (${versions}): ${rehearsed.failure ?? 'nobody wrote down why'}`;
  return `passed on ${at} (${versions}${rehearsed.exact ? '' : ', on another minor version'}; ${rehearsed.run})`;
}

function ofThisRun(
  { passed, ranOn, exact, stages, backup, measures }: RehearsalRecord,
  wanted: string,
): string {
  const on = ranOn === null ? '' : ` on ${ranOn}${exact ? '' : `, not on ${wanted}`}`;
  const failed = stages.find(({ state }) => state === 'failed');
  if (!passed) return `failed${on}${failed ? `: ${failed.title}` : ''}`;
  const restored = measures.restoreMs === null ? '' : `, restored in ${formatDuration(measures.restoreMs)}`;
  const of = backup === null ? '' : ` from a backup of ${backup.server}`;
  return `passed${on}${of}${restored}`;
}

/** How long clients will wait, and who says so. */
export function downtimeWords({ rehearsal, plan }: UpgradeRecord): string {
  const measures = rehearsal?.measures;
  if (measures && measures.expectedDowntimeMs !== null)
    return `${formatDuration(measures.expectedDowntimeMs)} (${measures.downtimeBasis})`;
  if (!plan) return 'not known: no plan was made';
  const { expectedMs, basis } = plan.downtime;
  if (expectedMs === null) return `not known: ${basis}`;
  return expectedMs === 0 ? `none: ${basis}` : `${formatDuration(expectedMs)} (${basis})`;
}

/** A stage's state as a sign. */
export function stageSymbol({ state }: RehearsalStage): string {
  return { passed: '✅', failed: '❌', skipped: '⏭️' }[state];
}

/** What was measured, label and value; nothing for what was not. */
export function measureRows({ measures }: RehearsalRecord): [string, string][] {
  const duration = (ms: number | null): string | null => (ms === null ? null : formatDuration(ms));
  const bytes = (size: number | null): string | null => (size === null ? null : formatBytes(size));
  const rows: [string, string | null][] = [
    ['Restore', duration(measures.restoreMs)],
    ['of it indexes and constraints', duration(measures.indexBuildMs)],
    ['Release advice and extensions', duration(measures.adviceMs)],
    ['Stop', duration(measures.stopMs)],
    ['Start until a client could commit', duration(measures.startMs)],
    [
      'Expected downtime',
      measures.expectedDowntimeMs === null
        ? null
        : `${formatDuration(measures.expectedDowntimeMs)} (${measures.downtimeBasis})`,
    ],
    ['Backup on disk', bytes(measures.dumpBytes)],
    ['Restored copy on disk', bytes(measures.restoredBytes)],
    ['Disk needed for both', bytes(measures.neededBytes)],
  ];
  return rows.flatMap(([label, value]) => (value === null ? [] : [[label, value] as [string, string]]));
}
