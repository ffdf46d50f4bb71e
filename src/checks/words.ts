/** The few words that checks share: bounded lists and durations. Sizes and counts are those of the report. */
import { formatCount } from '../report/format.ts';

/** Objects that are named before the rest is counted: a report stays readable with a million of them. */
const shownAtMost = 20;

/**
 * The first lines, and how many there are besides.
 * @param total how many there really are, where SQL cut the list
 */
export function bounded(lines: readonly string[], total = lines.length): string[] {
  const shown = lines.slice(0, shownAtMost);
  const more = Math.max(total, lines.length) - shown.length;
  return more > 0 ? [...shown, `and ${formatCount(more)} more`] : shown;
}

/** Seconds as `0.3 s`, `45 s`, `12 min` or `3 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
