/** Maintenance windows: whether one is open, and when the next one opens. Pure. */
import type { MaintenanceWindow } from '../spec/fleet-schema.ts';
import { firstMoment, isoIn, localOf, wordsIn } from './zone.ts';

/** One opening of a window; both ends as milliseconds since 1970. */
interface Opening {
  window: MaintenanceWindow;
  opens: number;
  closes: number;
}

/** Whether an upgrade may begin now. */
export type WindowState =
  | { open: true; window: MaintenanceWindow; closes: Date }
  /** `opens` is null where no window ever opens in the next weeks. */
  | { open: false; window: MaintenanceWindow; opens: Date | null };

const day = 86_400_000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
/** A weekly window may fall into an hour that is skipped in spring: then its next one is two weeks away. */
const horizon = 15;

/** Openings from yesterday on: a window across midnight belongs to the day on which it starts. */
function openingsOf(window: MaintenanceWindow, now: number): Opening[] {
  const zone = window['time-zone'];
  const [from, to] = window.hours.split('-').map((text) => {
    const [hours, minutes] = text.split(':').map(Number) as [number, number];
    return (hours * 60 + minutes) * 60_000;
  }) as [number, number];
  const today = Math.floor(localOf(now, zone) / day) * day;
  const dates = Array.from({ length: horizon + 2 }, (_, index) => today + (index - 1) * day);
  return dates
    .filter((date) => window.days.some((name) => name === weekdays[new Date(date).getUTCDay()]))
    .map((date) => ({
      window,
      opens: firstMoment(date + from, zone),
      closes: firstMoment(date + to + (to <= from ? day : 0), zone),
    }))
    .filter(({ opens, closes }) => closes > opens);
}

/**
 * Of several open windows the one that closes last; of several closed ones the one that opens first.
 * @param windows at least one: a target without any may be upgraded at any time
 */
export function windowAt(windows: readonly MaintenanceWindow[], now: Date): WindowState {
  const [first] = windows;
  if (!first) throw new Error('there is no window to ask');
  const instant = now.getTime();
  const openings = windows.flatMap((window) => openingsOf(window, instant));
  const open = openings
    .filter(({ opens, closes }) => opens <= instant && instant < closes)
    .sort((a, b) => b.closes - a.closes)[0];
  if (open) return { open: true, window: open.window, closes: new Date(open.closes) };
  const next = openings.filter(({ opens }) => opens > instant).sort((a, b) => a.opens - b.opens)[0];
  return { open: false, window: next?.window ?? first, opens: next ? new Date(next.opens) : null };
}

/** `fri, sat 22:00-04:00 Europe/Berlin`. */
export function windowWords({ days, hours, 'time-zone': zone }: MaintenanceWindow): string {
  return `${new Set(days).size === 7 ? 'every day' : days.join(', ')} ${hours} ${zone}`;
}

/** `Saturday 21 November 2026, 22:00 Europe/Berlin (2026-11-21T22:00:00+01:00, in UTC 2026-11-21T21:00:00Z)`. */
export function momentWords(moment: Date, zone: string): string {
  const instant = moment.getTime();
  const utc = moment.toISOString().replace('.000Z', 'Z');
  const own = zone === 'UTC' ? utc : `${isoIn(instant, zone)}, in UTC ${utc}`;
  return `${wordsIn(instant, zone)} ${zone} (${own})`;
}

/** `2 days 3 hours`, `1 hour 5 minutes`, `1 minute`: minutes are rounded up, and left out beside days. */
export function spanWords(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  const count = (value: number, word: string): string[] =>
    value === 0 ? [] : [`${value} ${word}${value === 1 ? '' : 's'}`];
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  if (days > 0) return [...count(days, 'day'), ...count(hours, 'hour')].join(' ');
  return [...count(hours, 'hour'), ...count(minutes % 60, 'minute')].join(' ');
}
