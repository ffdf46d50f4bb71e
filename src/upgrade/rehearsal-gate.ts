/** `require-rehearsal`: whether a recent rehearsal of the same versions passed. Pure. */
import { formatTime } from '../report/format.ts';
import type { Rehearsed } from '../report/record-rehearsal.ts';
import { durationWords, milliseconds } from '../spec/duration.ts';
import { spanWords } from './window.ts';

/**
 * Why the newest rehearsal does not do; null where it does.
 * @param limit how old it may be, as the spec writes it
 */
export function whyNotRehearsed(
  last: Rehearsed | null,
  from: string,
  wanted: string,
  limit: string,
  now: Date,
): string | null {
  if (!last) return `no rehearsal from ${from} to ${wanted} is known here`;
  const at = `The last one (${last.run}, ${formatTime(last.at)})`;
  if (!last.passed) return `${at} failed${last.failure === null ? '' : `: ${last.failure}`}`;
  if (!last.exact) return `${at} ran on a version near ${wanted}, not on it`;
  const age = now.getTime() - Date.parse(last.at);
  // What was true of the data weeks ago says little, however lately it was restored.
  const backupAge = last.taken === null ? age : now.getTime() - Date.parse(last.taken);
  if (Math.max(age, backupAge) <= milliseconds(limit)) return null;
  if (age <= milliseconds(limit))
    return `${at} used a backup that is ${spanWords(backupAge)} old, and may be ${durationWords(limit)}`;
  return `${at} is ${spanWords(age)} old, and may be ${durationWords(limit)}`;
}
