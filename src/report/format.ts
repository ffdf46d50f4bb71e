/** Numbers and times as people read them. Always in UTC, always in the same notation. */

/** `20 ms`, `0.36 s`, `12.3 s`, `4 min 12 s`, `1 h 4 min`, `2 d 3 h`. A negative one (a clock was set back) is `0 s`. */
export function formatDuration(ms: number): string {
  if (!(ms > 0)) return '0 s';
  if (ms < 99.5) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, 'min', 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 24 * 60) return pair(minutes, 60, 'h', 'min');
  return pair(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function pair(value: number, size: number, large: string, small: string): string {
  const rest = value % size;
  const whole = `${Math.floor(value / size)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** Latency of one transaction: three digits that matter, `0.42 ms`, `12.3 ms`, `1,234 ms`. */
export function formatLatency(ms: number): string {
  const digits = ms < 10 ? 2 : ms < 100 ? 1 : 0;
  return `${digits === 0 ? formatCount(Math.round(ms)) : ms.toFixed(digits)} ms`;
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `512 B`, `1.4 GiB`: powers of 1024, as pg_size_pretty counts. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let name = '';
  for (const unit of UNITS) {
    value /= 1024;
    name = unit;
    // 1023.95 would be shown as 1024.0.
    if (value < 1023.95) break;
  }
  return `${value.toFixed(1)} ${name}`;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 table`, `1,204 tables`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `2026-11-20 18:02:11 UTC` */
export function formatTime(iso: string): string {
  return `${utc(iso).slice(0, 10)} ${utc(iso).slice(11, 19)} UTC`;
}

/** `2026-11-20 18:02 UTC` */
export function formatMinute(iso: string): string {
  return `${utc(iso).slice(0, 10)} ${utc(iso).slice(11, 16)} UTC`;
}

/** `18:02:11.360`, for steps that take less than a second. UTC. */
export function formatClock(iso: string): string {
  return utc(iso).slice(11, 23);
}

/** Milliseconds from one time to another. */
export function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

function utc(iso: string): string {
  return new Date(iso).toISOString();
}
