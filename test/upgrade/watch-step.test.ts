import { describe, expect, it } from 'vitest';
import { Cancelled } from '../../src/errors.ts';
import type { Looks } from '../../src/upgrade/watch-look.ts';
import { type Clock, watchStep } from '../../src/upgrade/watch-step.ts';
import { failureOf, stepRunOf, type Told } from '../support/targets.ts';
import { type World, world } from './world.ts';

const spec = `applications:
  - { name: shop, health: "http://localhost:8080/health" }
extensions: { pg_tviews: { errors-sql: SELECT 0 } }
watch: { for: 1m, every: 5 }`;

/** What each look sees, by the number of the question; what is not said is fine. */
interface Seen {
  connect?: (question: number) => string;
  shop?: (question: number) => number;
  errors?: (question: number) => number;
  grave?: (question: number) => string[];
  before?: number | null;
}

interface Watched {
  here: World;
  told: Told;
  waits: number[];
  asked: Record<'connect' | 'shop' | 'errors' | 'log', number>;
  run(): Promise<unknown>;
  stop: AbortController;
}

/** A watch on a clock that stands still unless somebody waits. */
async function watched(
  seen: Seen = {},
  lines = spec,
  onWait: (waits: number, stop: AbortController) => void = () => {},
): Promise<Watched> {
  const here = await world({ spec: lines });
  const stop = new AbortController();
  const { run: step, told } = stepRunOf(undefined, stop.signal);
  const waits: number[] = [];
  let now = 0;
  const clock: Clock = {
    now: () => now,
    async wait(ms) {
      waits.push(ms);
      onWait(waits.length, stop);
      if (stop.signal.aborted) throw new Cancelled();
      now += ms;
    },
  };
  const asked = { connect: 0, shop: 0, errors: 0, log: 0 };
  const looks: Looks = {
    connect: async () => seen.connect?.(++asked.connect) ?? '15.20',
    async application() {
      const status = seen.shop?.(++asked.shop) ?? 200;
      return { well: status === 200, seen: `HTTP ${status}` };
    },
    async errors() {
      const errors = seen.errors?.(++asked.errors) ?? 0;
      return [{ database: 'orders', extension: 'pg_tviews', errors, before: seen.before ?? null }];
    },
    log: async () => ({ source: '/var/log/pg.log', grave: seen.grave?.(++asked.log) ?? [] }),
  };
  return { here, told, waits, asked, stop, run: () => watchStep(here.run, () => looks, clock).run(step) };
}

const observedOf = ({ here }: Watched) => here.run.recorder.record.watch?.observed;
const refuse = (message: string): never => {
  throw new Error(message);
};

describe('observing', () => {
  it('goes on until the time is over, and tells how long it still takes', async () => {
    const watch = await watched({ before: 0 });
    using _ = watch.here;
    await watch.run();
    expect(watch.waits).toEqual(Array.from({ length: 12 }, () => 5000));
    expect(watch.told.progress[0]).toBe(
      'observing: 1 min left, 1 look, 1 new connection, none failed; shop answered 1 of 1 times; 0 errors of pg_tviews in orders',
    );
    expect(watch.told.progress.at(-1)).toMatch(/^observing: 5\.00 s left, 12 looks, /);
    expect(watch.told.notes).toEqual([
      'observed for 1m: 13 new connections, none failed; shop answered 13 of 13 times; 0 errors of pg_tviews in orders',
    ]);
    expect(observedOf(watch)).toMatchObject({
      looks: 13,
      forMs: 60_000,
      everyMs: 5000,
      to: expect.any(String),
      connections: { attempts: 13, failures: 0, allowed: 0.05, last: null },
      extensions: [{ database: 'orders', extension: 'pg_tviews', before: 0, most: 0 }],
      log: '/var/log/pg.log',
      limit: null,
    });
  });

  it('tells of long waits every ten seconds', async () => {
    const watch = await watched({}, 'watch: { for: 1m, every: 25 }');
    using _ = watch.here;
    await watch.run();
    expect(watch.waits).toEqual([10_000, 10_000, 5000, 10_000, 10_000, 5000, 10_000]);
    expect(watch.told.progress.map((line) => line.split(',')[0])).toEqual(
      ['1 min', '50.0 s', '40.0 s', '35.0 s', '25.0 s', '15.0 s', '10.0 s'].map(
        (left) => `observing: ${left} left`,
      ),
    );
  });

  it('a server that is down is noticed within two seconds', async () => {
    const watch = await watched({ connect: (n) => (n < 3 ? '15.20' : refuse('Nothing answers.')) });
    using _ = watch.here;
    expect(await failureOf(watch.run())).toMatchObject({
      code: 'watch-limit',
      message:
        'While the target was observed, a limit was crossed: 3 new connections one after the other failed: Nothing answers (since 2026-11-20 18:00:00 UTC).',
      docs: 'applications.md#watching',
    });
    expect(watch.waits).toEqual([5000, 5000, 1000, 1000]);
    expect(observedOf(watch)).toMatchObject({
      connections: { attempts: 5, failures: 3, last: 'Nothing answers.' },
      limit: { name: 'connections' },
      to: expect.any(String),
    });
  });

  it('connections that fail now and then cross the limit by their share', async () => {
    const watch = await watched({ connect: (n) => (n % 4 === 0 ? refuse('too many clients') : '15.20') });
    using _ = watch.here;
    // One of 13 is a large share, and says nothing; the second one does.
    expect(await failureOf(watch.run())).toMatchObject({
      message: expect.stringContaining(
        '2 of 9 new connections failed, and 5 % may; the last one: too many clients',
      ),
    });
  });

  it('another version ends it at once', async () => {
    const watch = await watched({ connect: (n) => (n === 2 ? '15.17' : '15.20') });
    using _ = watch.here;
    expect((await failureOf(watch.run())).message).toContain('PostgreSQL 15.17 serves, not 15.20');
    expect(observedOf(watch)?.limit?.name).toBe('version');
  });

  it('an application may fail one look, and not two', async () => {
    const once = await watched({ shop: (n) => (n % 2 === 0 ? 503 : 200) });
    using _ = once.here;
    await once.run();
    expect(once.here.run.recorder.record.watch?.applications).toEqual([
      {
        name: 'shop',
        health: 'http://localhost:8080/health',
        before: 'not-asked',
        beforeSeen: null,
        looks: 13,
        failures: 6,
        last: 'HTTP 200',
      },
    ]);
    const twice = await watched({ shop: (n) => (n > 3 ? 503 : 200) });
    using __ = twice.here;
    expect((await failureOf(twice.run())).message).toContain(
      'shop does not answer at http://localhost:8080/health (HTTP 503)',
    );
    expect(twice.asked.shop).toBe(5);
  });

  it('one that fails in the last look gets a second one', async () => {
    const watch = await watched({ shop: (n) => (n > 12 ? 503 : 200) });
    using _ = watch.here;
    expect((await failureOf(watch.run())).code).toBe('watch-limit');
    expect(watch.asked.shop).toBe(14);
    const better = await watched({ shop: (n) => (n === 13 ? 503 : 200) });
    using __ = better.here;
    await better.run();
    expect(better.asked.shop).toBe(14);
  });

  it('one that was unwell before takes nothing back', async () => {
    const watch = await watched({ shop: () => 503 });
    using _ = watch.here;
    await watch.here.run.journal.unwell(['shop']);
    await watch.run();
    expect(watch.here.run.recorder.record.watch?.applications).toMatchObject([
      { before: 'unwell', looks: 13, failures: 13 },
    ]);
  });

  it.each([
    [
      'more than before',
      3,
      (n: number) => (n > 4 ? 4 : 3),
      /errors of pg_tviews in orders grew from 3 to 4 /,
    ],
    [
      'more than in the first look',
      null,
      (n: number) => n - 1,
      /errors of pg_tviews in orders grew from 0 to 1 /,
    ],
  ])('errors: %s', async (_name, before, errors, message) => {
    const watch = await watched({ errors, before });
    using _ = watch.here;
    expect((await failureOf(watch.run())).message).toMatch(message);
    expect(observedOf(watch)?.limit?.name).toBe('errors');
  });

  it('errors that cannot be counted twice in a row', async () => {
    const once = await watched({ errors: (n) => (n === 2 ? refuse('no such table') : 0) });
    using _ = once.here;
    await once.run();
    const twice = await watched({ errors: (n) => (n > 1 ? refuse('no such table') : 0) });
    using __ = twice.here;
    expect((await failureOf(twice.run())).message).toContain(
      'the errors of extensions cannot be counted: no such table',
    );
    expect(twice.asked.errors).toBe(3);
  });

  it('a panic in the log', async () => {
    const watch = await watched({
      grave: (n) => (n === 3 ? ['PANIC: could not locate a valid checkpoint record'] : []),
    });
    using _ = watch.here;
    expect((await failureOf(watch.run())).message).toContain(
      "the server's log says PANIC: could not locate a valid checkpoint record",
    );
  });

  it('a cancel ends it, and the record says that it was not to the end', async () => {
    const watch = await watched({}, spec, (waits, stop) => waits === 4 && stop.abort());
    using _ = watch.here;
    expect((await failureOf(watch.run())).code).toBe('cancelled');
    expect(observedOf(watch)).toMatchObject({ looks: 4, limit: null, to: expect.any(String) });
  });
});

describe('a later run', () => {
  const step = (id: string, state: string): object => ({ kind: 'step', id, state });
  const isDone = async (...journal: object[]): Promise<boolean> => {
    using here = await world({ spec, journal });
    here.facts.running = { major: 15, minor: 20 };
    return watchStep(here.run).isDone();
  };

  it('observes anew, except where it was observed to the end and nothing was undone since', async () => {
    const validated = step('validate', 'done');
    expect(await isDone(validated, step('watch', 'done'))).toBe(true);
    expect(await isDone(validated, step('watch', 'started'))).toBe(false);
    expect(await isDone(validated, step('watch', 'failed'))).toBe(false);
    expect(await isDone(validated, step('watch', 'done'), step('restart', 'undone'))).toBe(false);
    expect(await isDone()).toBe(false);
  });
});
