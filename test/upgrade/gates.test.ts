/** Windows, waves and rehearsals, asked together; and who overrode what. */
import { hostname, userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errorsOf } from '../../src/errors.ts';
import type { Gate } from '../../src/report/record.ts';
import type { Rehearsed } from '../../src/report/record-rehearsal.ts';
import { assertGates, tellGates } from '../../src/upgrade/gates.ts';
import { whyNotRehearsed } from '../../src/upgrade/rehearsal-gate.ts';
import { load, smallest } from '../spec/specs.ts';
import { deeds, type World, world } from './world.ts';

/** The world's clock stands at Friday 2026-11-20 18:00 UTC. */
const closed = 'windows: [{ days: [sat], hours: "22:00-04:00", time-zone: Europe/Berlin }]';
const open = 'windows: [{ days: [fri], hours: "17:00-19:00" }]';
const windowMessage =
  'No maintenance window of orders is open. The next one (sat 22:00-04:00 Europe/Berlin) opens in 1 day 3 hours: Saturday 21 November 2026, 22:00 Europe/Berlin (2026-11-21T22:00:00+01:00, in UTC 2026-11-21T21:00:00Z).';
const waveMessage =
  'orders (wave 2) waits for a target of an earlier wave. stock (wave 1): no upgrade to 15.20 by this action is known here.';
const rehearsalMessage =
  'orders demands a rehearsal from 15.17 to 15.20 that passed in the last 7 days. No rehearsal from 15.17 to 15.20 is known here.';

async function gated(spec: string, overrides: Gate[] = [], options = {}): Promise<World> {
  const here = await world({ spec, ...options });
  const { run } = here;
  const stock = smallest
    .split('targets:\n')[1]
    ?.replace('orders', 'stock')
    .replace('/srv/orders', '/srv/stock');
  const [target] = load(`${smallest}${spec.replaceAll(/^(?=.)/gm, '    ')}\n${stock}`);
  if (target) Object.assign(run, { target, spec: target.spec });
  run.context.overrides = new Set(overrides);
  run.recorder.record.versions.from = '15.17';
  return here;
}

async function refusals({ run }: World): Promise<[string, string][]> {
  return await assertGates(run).then(
    () => [],
    (cause: unknown) => errorsOf(cause).map(({ code, message }) => [code, message]),
  );
}

const all = `${closed}\nwave: 2\nrequire-rehearsal: 7d`;

describe('assertGates', () => {
  it('lets pass what demands nothing, or what it demands', async () => {
    using free = await gated('');
    expect(await refusals(free)).toEqual([]);
    using inside = await gated(open);
    expect(await refusals(inside)).toEqual([]);
    expect(inside.events).toEqual([
      'log orders: in the maintenance window fri 17:00-19:00 UTC, until Friday 20 November 2026, 19:00 UTC (2026-11-20T19:00:00Z)',
    ]);
  });

  it('tells all refusals together, and how each is overridden', async () => {
    using here = await gated(all);
    const error: unknown = await assertGates(here.run).catch((cause: unknown) => cause);
    expect(errorsOf(error).map(({ code, message, hint }) => ({ code, message, hint }))).toEqual([
      {
        code: 'window-closed',
        message: windowMessage,
        hint: 'Run it again then. To go ahead nevertheless, a person names it: input override: window. The record shows who did.',
      },
      {
        code: 'wave-waits',
        message: waveMessage,
        hint: 'Upgrade the earlier waves first, and let them soak. To go ahead nevertheless, a person names it: input override: wave. The record shows who did.',
      },
      {
        code: 'rehearsal-missing',
        message: rehearsalMessage,
        hint: 'Rehearse it: run the action with mode: rehearse and targets: orders. To go ahead nevertheless, a person names it: input override: rehearsal. The record shows who did.',
      },
    ]);
    expect(here.run.recorder.record.overrides).toEqual([]);
  });

  it('an override by name opens only its gate', async () => {
    using here = await gated(all, ['window']);
    expect((await refusals(here)).map(([code]) => code)).toEqual(['wave-waits', 'rehearsal-missing']);
  });

  it('an override that was needed is in the record, with who did it', async () => {
    using here = await gated(closed, ['window', 'wave']);
    const by = `${userInfo().username} on ${hostname()}`;
    expect(await refusals(here)).toEqual([]);
    expect(here.run.recorder.record.overrides).toEqual([{ gate: 'window', by, what: windowMessage }]);
    expect(here.run.recorder.record.communication).toEqual([
      {
        at: '2026-11-20T18:00:00.000Z',
        to: 'terminal',
        what: `Override of window by ${by}: ${windowMessage}`,
        delivered: true,
        why: null,
      },
    ]);
    expect(here.events).toEqual([
      'warning orders: override of window',
      'log orders: the override of wave was not needed',
    ]);
  });

  it('on GitHub it is the actor', async () => {
    using here = await gated(closed, ['window']);
    here.run.context.identity = {
      ...{ repository: 'o/r', actor: 'octocat', event: 'push', workflow: 'w', job: 'j', runId: '7' },
      ...{ attempt: 1, ref: 'r', commit: 'c', url: 'https://github.com/o/r/actions/runs/7', runner: 'r' },
    };
    await assertGates(here.run);
    expect(here.run.recorder.record.overrides).toMatchObject([{ gate: 'window', by: 'octocat' }]);
  });
});

describe('tellGates', () => {
  it('says what would be refused, in the plan and as notices, and refuses nothing', async () => {
    using here = await gated(all, ['wave'], { mode: 'plan' });
    here.run.recorder.record.plan = here.plan('restart');
    await tellGates(here.run);
    expect(here.run.recorder.record.plan.notes).toEqual([
      `At this time an upgrade would be refused (window): ${windowMessage}`,
      `At this time an upgrade would need its override of wave: ${waveMessage}`,
      `At this time an upgrade would be refused (rehearsal): ${rehearsalMessage}`,
    ]);
    expect(deeds(here.events)).toEqual([
      'notice orders: at this time an upgrade would be refused',
      'notice orders: at this time an upgrade would need its override of wave',
      'notice orders: at this time an upgrade would be refused',
    ]);
    expect(here.run.recorder.record.overrides).toEqual([]);
  });

  it('is silent where there is nothing to upgrade', async () => {
    using here = await gated(all, [], { mode: 'check' });
    here.run.recorder.record.versions.from = '15.20';
    await tellGates(here.run);
    expect(here.events).toEqual([]);
  });
});

describe('whyNotRehearsed', () => {
  const last: Rehearsed = {
    at: '2026-11-13T18:00:00.000Z',
    passed: true,
    from: '15.17',
    wanted: '15.20',
    exact: true,
    run: 'run 7.1 by octocat',
    expectedDowntimeMs: 400,
    restoreMs: 1000,
    failure: null,
    taken: null,
    basis: 'b',
  };
  const why = (changes: Partial<Rehearsed>, now = '2026-11-20T18:00:00.000Z'): string | null =>
    whyNotRehearsed({ ...last, ...changes }, '15.17', '15.20', '7d', new Date(now));
  const by = 'The last one (run 7.1 by octocat, 2026-11-13 18:00:00 UTC)';

  it('is null up to the limit', () => {
    expect(why({})).toBeNull();
    expect(why({}, '2026-11-20T18:00:00.001Z')).toBe(`${by} is 7 days old, and may be 7 days`);
    expect(why({}, '2026-11-22T21:00:00.000Z')).toBe(`${by} is 9 days 3 hours old, and may be 7 days`);
  });

  it('names what failed, and what was not exact', () => {
    expect(why({ passed: false, failure: 'a view broke' })).toBe(`${by} failed: a view broke`);
    expect(why({ passed: false })).toBe(`${by} failed`);
    expect(why({ exact: false })).toBe(`${by} ran on a version near 15.20, not on it`);
  });
});
