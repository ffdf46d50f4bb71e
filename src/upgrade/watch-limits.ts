/** The limits that an observed target may not cross. Pure. */
import type { ObservedRecord } from '../report/record-watch.ts';
import { percent } from '../report/watch-words.ts';

/** The limit that was crossed. */
export type Limit = NonNullable<ObservedRecord['limit']>;

/** New connections that may fail one after the other; one more, and nobody can connect. */
const connectionsInARow = 2;
/** Looks of one kind that may fail one after the other. */
const looksInARow = 1;

/** What fails at this moment, without a success in between. */
export interface Streak {
  times: number;
  /** ISO 8601, UTC: when it began. */
  since: string;
  seen: string;
}

/** The streaks by what is looked at. */
export type Streaks = Map<string, Streak>;

/** Counts a failure, or ends the streak with `null`. */
export function count(streaks: Streaks, key: string, seen: string | null, at: string): void {
  if (seen === null) {
    streaks.delete(key);
    return;
  }
  const { times = 0, since = at } = streaks.get(key) ?? {};
  streaks.set(key, { times: times + 1, since, seen });
}

/** Milliseconds between two new connections: a server that is down must not be down until a look an hour later. */
export function connectEvery({ everyMs }: Pick<ObservedRecord, 'everyMs'>): number {
  return Math.min(everyMs, 10_000);
}

/** How many attempts to connect a whole watch makes, where none fails. */
export function plannedAttempts(observed: Pick<ObservedRecord, 'forMs' | 'everyMs'>): number {
  return Math.ceil(observed.forMs / connectEvery(observed)) + 1;
}

/**
 * New connections: three failures one after the other are too many, and so is a share that cannot be kept any more, even
 * if all that are still to come succeed. A single failure decides nothing, except where none is allowed: of a few
 * attempts it would be a large share, and say little. Nor does the share while a failure is being tried again.
 * @param final whether no attempts are to come
 */
export function connectionLimit(observed: ObservedRecord, streaks: Streaks, final: boolean): Limit | null {
  const { attempts, failures, allowed, last } = observed.connections;
  const streak = streaks.get('connection');
  const since = streak?.since ?? observed.from;
  if (streak && streak.times > connectionsInARow) {
    const what = `${streak.times} new connections one after the other failed: ${streak.seen}`;
    return { name: 'connections', what, since };
  }
  // It is tried again at once: whether that was a moment or more, the next try says.
  if (streak && allowed > 0) return null;
  const of = final ? attempts : Math.max(attempts, plannedAttempts(observed));
  if (failures <= allowed * of || (failures < 2 && allowed > 0)) return null;
  return {
    name: 'connections',
    what: `${failures} of ${attempts} new connections failed, and ${percent(allowed)} may; the last one: ${last ?? 'unknown'}`,
    since: observed.from,
  };
}

/** An application, or a count of errors, that could not be had twice in a row. */
export function streakLimit(streaks: Streaks, name: 'applications' | 'errors'): Limit | null {
  for (const [key, { times, since, seen }] of streaks)
    if (key.startsWith(`${name}:`) && times > looksInARow) return { name, what: seen, since };
  return null;
}

/** More objects of an extension in error than before, beyond what is allowed. */
export function errorsLimit(observed: ObservedRecord, allowed: number, at: string): Limit | null {
  const worse = observed.extensions.find(({ before, most }) => most > before + allowed);
  if (!worse) return null;
  const { database, extension, before, most } = worse;
  const more = allowed > 0 ? `, and ${allowed} more are allowed` : '';
  return {
    name: 'errors',
    what: `the errors of ${extension} in ${database} grew from ${before} to ${most}${more}`,
    since: at,
  };
}
