import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../src/report/record-watch.ts';
import {
  connectionLimit,
  count,
  errorsLimit,
  type Streaks,
  streakLimit,
} from '../../src/upgrade/watch-limits.ts';
import { plannedWatch } from '../../src/upgrade/watch-plan.ts';
import { specWith } from '../spec/specs.ts';

const from = '2026-11-20T18:00:00.000Z';
const at = '2026-11-20T18:01:00.000Z';
const later = '2026-11-20T18:02:00.000Z';

/** Ten minutes, a look every five seconds: 121 attempts. */
function observed(attempts: number, failures: number, changes: Partial<ObservedRecord> = {}): ObservedRecord {
  return {
    from,
    to: null,
    forMs: 600_000,
    everyMs: 5000,
    looks: attempts,
    connections: { attempts, failures, allowed: 0.05, last: failures > 0 ? 'too many clients' : null },
    extensions: [],
    log: null,
    limit: null,
    ...changes,
  };
}

describe('new connections', () => {
  const crossed = (record: ObservedRecord, final = false): boolean =>
    connectionLimit(record, new Map(), final) !== null;

  it('may fail up to their share of the whole watch', () => {
    expect(crossed(observed(10, 6))).toBe(false);
    expect(crossed(observed(10, 7))).toBe(true);
    expect(crossed(observed(121, 6), true)).toBe(false);
    expect(crossed(observed(121, 7), true)).toBe(true);
    // Tried again after a failure: there are more attempts than were planned.
    expect(crossed(observed(140, 7))).toBe(false);
    expect(connectionLimit(observed(10, 7), new Map(), false)).toEqual({
      name: 'connections',
      what: '7 of 10 new connections failed, and 5 % may; the last one: too many clients',
      since: from,
    });
  });

  it('may fail once, however few there are, except where none may', () => {
    expect(crossed(observed(2, 1, { forMs: 1000 }), true)).toBe(false);
    expect(crossed(observed(2, 2, { forMs: 1000 }), true)).toBe(true);
    const strict = observed(121, 1);
    strict.connections.allowed = 0;
    expect(crossed(strict)).toBe(true);
  });

  it('may not fail three times one after the other, whatever their share', () => {
    const streaks: Streaks = new Map();
    const all = observed(3, 3);
    all.connections.allowed = 1;
    for (const [index, time] of [at, later].entries()) {
      count(streaks, 'connection', `refused ${index}`, time);
      expect(connectionLimit(all, streaks, false)).toBeNull();
    }
    count(streaks, 'connection', 'refused', later);
    expect(connectionLimit(all, streaks, false)).toEqual({
      name: 'connections',
      what: '3 new connections one after the other failed: refused',
      since: at,
    });
    count(streaks, 'connection', null, later);
    expect(connectionLimit(all, streaks, false)).toBeNull();
  });
});

describe('applications and counts', () => {
  it('may fail once, and twice only with a success in between', () => {
    const streaks: Streaks = new Map();
    count(streaks, 'applications:shop', 'shop: HTTP 503', at);
    count(streaks, 'errors:asked', 'cannot be counted', at);
    expect(streakLimit(streaks, 'applications')).toBeNull();
    count(streaks, 'applications:shop', null, at);
    count(streaks, 'applications:shop', 'shop: HTTP 502', later);
    expect(streakLimit(streaks, 'applications')).toBeNull();
    count(streaks, 'applications:shop', 'shop: HTTP 500', later);
    expect(streakLimit(streaks, 'applications')).toEqual({
      name: 'applications',
      what: 'shop: HTTP 500',
      since: later,
    });
    expect(streakLimit(streaks, 'errors')).toBeNull();
  });
});

it('errors may not grow beyond what is allowed', () => {
  const record = observed(1, 0, {
    extensions: [
      { database: 'shop', extension: 'hstore', before: 0, most: 0 },
      { database: 'shop', extension: 'pg_tviews', before: 2, most: 4 },
    ],
  });
  expect(errorsLimit(record, 2, at)).toBeNull();
  expect(errorsLimit(record, 1, at)).toEqual({
    name: 'errors',
    what: 'the errors of pg_tviews in shop grew from 2 to 4, and 1 more are allowed',
    since: at,
  });
});

describe('the plan', () => {
  it('says what is looked at, and what happens then', () => {
    const step = plannedWatch(
      specWith(`applications:
  - { name: shop, health: "http://localhost:8080/health" }
  - { name: jobs, stop: ["true"], start: ["true"] }
extensions: { pg_tviews: { errors-sql: SELECT 0 }, hstore: {} }
watch: 10m`),
    );
    expect(step).toMatchObject({ id: 'watch', undo: null, breaks: null, interruptible: true });
    expect([step?.title, ...(step?.does ?? []), ...(step?.risks ?? [])]).toMatchInlineSnapshot(`
      [
        "Observe for 10 minutes",
        "a new connection every 5 s: at most 5 % may fail, and no three one after the other",
        "the version that serves: 15.20",
        "GET http://localhost:8080/health every 5 s: no two failures one after the other",
        "errors-sql of pg_tviews every 5 s: at most 0 more than before",
        "the server's log, where it can be read: no PANIC, no FATAL that tells of damage",
        "A limit may be crossed: then the upgrade is taken back and the version before serves again (on-failure: rollback).",
        "The way back breaks clients a second time; what they have written meanwhile stays.",
        "The run takes 10 minutes longer: the job's timeout must have room for it.",
        "A run that is cancelled meanwhile leaves the new version, which was found good; a killed one does too.",
        "An application that did not answer before the upgrade does not count.",
      ]
    `);
  });

  it('leaves out what the spec does not ask for', () => {
    expect(plannedWatch(specWith())).toBeNull();
    const step = plannedWatch(
      specWith('on-failure: stop\nwatch: { for: 1s, every: 1, connection-failures: 0 }'),
    );
    expect([step?.title, ...(step?.does ?? []), ...(step?.risks ?? [])]).toMatchInlineSnapshot(`
      [
        "Observe for 1 second",
        "a new connection every 1 s: at most 0 % may fail, and no three one after the other",
        "the version that serves: 15.20",
        "the server's log, where it can be read: no PANIC, no FATAL that tells of damage",
        "A limit may be crossed: then the run ends as failed, and the version stays as it is at that moment (on-failure: stop).",
        "The run takes 1 second longer: the job's timeout must have room for it.",
        "A run that is cancelled meanwhile leaves the new version, which was found good; a killed one does too.",
      ]
    `);
  });
});
