/** Local time in IANA zones, from the runtime's own table (Intl). Pure. */

/** A moment as a clock in some zone shows it: milliseconds as if the clock were in UTC. */
type Local = number;

const hour = 3_600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** What a clock in the zone shows, to the second. */
export function localOf(instant: number, zone: string): Local {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

function offsetAt(instant: number, zone: string): number {
  return localOf(instant, zone) - Math.floor(instant / 1000) * 1000;
}

/**
 * The first moment at which a clock in the zone shows this time. Of an hour that comes twice it is the first one; of
 * one that is skipped it is the moment at which the clock jumps over it.
 */
export function firstMoment(local: Local, zone: string): number {
  const before = offsetAt(local - 24 * hour, zone);
  const after = offsetAt(local + 24 * hour, zone);
  const found = [local - before, local - after]
    .filter((instant) => localOf(instant, zone) === local)
    .sort((a, b) => a - b)[0];
  if (found !== undefined) return found;
  // The jump lies between the two readings: the offset changes there.
  let [low, high] = [local - after, local - before].sort((a, b) => a - b) as [number, number];
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (offsetAt(middle, zone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** `2026-11-21T22:00:00+01:00`. */
export function isoIn(instant: number, zone: string): string {
  const offset = Math.round(offsetAt(instant, zone) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const shift = Math.abs(offset);
  return `${new Date(localOf(instant, zone)).toISOString().slice(0, 19)}${offset < 0 ? '-' : '+'}${two(Math.floor(shift / 60))}:${two(shift % 60)}`;
}

/** `Saturday 21 November 2026, 22:00`. */
export function wordsIn(instant: number, zone: string): string {
  const local = new Date(localOf(instant, zone));
  const word = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options }).format(local);
  const day = `${word({ weekday: 'long' })} ${local.getUTCDate()} ${word({ month: 'long' })} ${local.getUTCFullYear()}`;
  return `${day}, ${local.toISOString().slice(11, 16)}`;
}
