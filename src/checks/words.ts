/** The few words that checks share: bounded lists, sizes, durations. */

/** Objects that are named before the rest is counted: a report stays readable with a million of them. */
export const shownAtMost = 20;

/**
 * The first lines, and how many there are besides.
 * @param total how many there really are, where SQL cut the list
 */
export function bounded(lines: readonly string[], total = lines.length): string[] {
  const shown = lines.slice(0, shownAtMost);
  const more = Math.max(total, lines.length) - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}

/** Bytes in the server's own units (kB = 1024 bytes), for example `1.5 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < 4) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && Math.abs(value) < 10 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${['bytes', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

/** Seconds as `0.3 s`, `45 s`, `12 min` or `3 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 file`, `3 files`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
