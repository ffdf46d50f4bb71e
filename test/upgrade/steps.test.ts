import { describe, expect, it } from 'vitest';
import { UpgradeError } from '../../src/errors.ts';
import { runSteps } from '../../src/upgrade/steps.ts';
import { deeds, planned, stepStates, world } from './world.ts';

describe('runSteps', () => {
  it('runs the steps in order, each written down before and after', async () => {
    using here = await world();
    const result = await runSteps(here.run, here.plan('a', 'b'), here.facts, here.probe);
    expect(result).toEqual({ state: 'done' });
    expect(here.events).toEqual([
      'group 1/2 Title of a',
      'probe',
      'run a',
      'end',
      'group 2/2 Title of b',
      'run b',
      'end',
    ]);
    expect(here.journal()).toEqual(['step a started', 'step a done', 'step b started', 'step b done']);
    expect(here.run.recorder.record.steps).toEqual(
      ['a', 'b'].map((id) => ({
        id,
        title: `Title of ${id}`,
        state: 'done',
        started: '2026-11-20T18:00:00.000Z',
        finished: '2026-11-20T18:00:00.000Z',
        output: [],
      })),
    );
  });

  it('writes to the journal before a step does anything', async () => {
    const seen: string[][] = [];
    using here = await world({ behaviour: { a: { run: async () => void seen.push(here.journal()) } } });
    await runSteps(here.run, here.plan('a'), here.facts, here.probe);
    expect(seen).toEqual([['step a started']]);
  });

  it('keeps what a step notes', async () => {
    using here = await world({ behaviour: { a: { run: async (step) => step.note('stopped in 3 ms') } } });
    await runSteps(here.run, here.plan('a'), here.facts, here.probe);
    expect(here.run.recorder.record.steps[0]?.output).toEqual(['stopped in 3 ms']);
    expect(here.events).toContain('log stopped in 3 ms');
  });

  it('leaves alone what is done, and everything before it', async () => {
    using here = await world({ behaviour: { b: { done: true } } });
    await runSteps(here.run, here.plan('a', 'b', 'c'), here.facts, here.probe);
    expect(deeds(here.events)).toEqual(['probe', 'run c']);
    expect(stepStates(here.run)).toEqual(['a already-done', 'b already-done', 'c done']);
    expect(here.journal()).toEqual(['step c started', 'step c done']);
  });

  it('stops applications again that were started since, where clients will be cut off', async () => {
    const restart = planned('restart', { breaks: 'every session ends' });
    using here = await world({ behaviour: { checkpoint: { done: true } } });
    await runSteps(here.run, here.plan('stop-applications', 'checkpoint', restart), here.facts, here.probe);
    expect(stepStates(here.run)).toEqual([
      'stop-applications done',
      'checkpoint already-done',
      'restart done',
    ]);
    using there = await world({ behaviour: { restart: { done: true } } });
    await runSteps(there.run, there.plan('stop-applications', restart, 'a'), there.facts, there.probe);
    expect(stepStates(there.run)).toEqual([
      'stop-applications already-done',
      'restart already-done',
      'a done',
    ]);
  });

  it('takes a backup of its own, also where what comes behind it is there from an earlier upgrade', async () => {
    const restart = planned('restart', { breaks: 'every session ends' });
    using here = await world({ behaviour: { packages: { done: true } } });
    // There is no server that could be dumped: it was begun, and that is the point.
    await expect(
      runSteps(here.run, here.plan('backup', 'packages', restart), here.facts, here.probe),
    ).rejects.toThrow();
    expect(stepStates(here.run)).toEqual(['backup failed']);
    using there = await world({ behaviour: { restart: { done: true } } });
    await runSteps(there.run, there.plan('backup', restart, 'a'), there.facts, there.probe);
    expect(stepStates(there.run)).toEqual(['backup already-done', 'restart already-done', 'a done']);
  });

  it('does nothing where the last step is done', async () => {
    using here = await world({ behaviour: { c: { done: true } } });
    expect(await runSteps(here.run, here.plan('a', 'b', 'c'), here.facts, here.probe)).toEqual({
      state: 'done',
    });
    expect(deeds(here.events)).toEqual([]);
  });

  it('renews the lock after a step that ends sessions', async () => {
    using here = await world();
    const restart = planned('restart', { breaks: 'every session ends' });
    await runSteps(here.run, here.plan('a', restart, 'b'), here.facts, here.probe);
    expect(deeds(here.events)).toEqual(['probe', 'run a', 'run restart', 'renew the lock', 'run b']);
  });

  it('stops where a step pauses, and says what to look at', async () => {
    using here = await world({ behaviour: { b: { pause: ['the lag of standby-1'] } } });
    const plan = here.plan('a', 'b', 'c');
    expect(await runSteps(here.run, plan, here.facts, here.probe)).toEqual({
      state: 'paused',
      step: plan.steps[1],
      look: ['the lag of standby-1'],
    });
    expect(deeds(here.events)).toEqual(['probe', 'run a', 'run b']);
    expect(here.journal().at(-1)).toBe('step b paused');
    expect(stepStates(here.run)).toEqual(['a done', 'b paused']);
  });

  it('stops where a step fails, and throws what it threw', async () => {
    const failure = new UpgradeError('server-start', 'PostgreSQL did not start.');
    using here = await world({ behaviour: { b: { run: () => Promise.reject(failure) } } });
    await expect(runSteps(here.run, here.plan('a', 'b', 'c'), here.facts, here.probe)).rejects.toBe(failure);
    expect(deeds(here.events)).toEqual(['probe', 'run a', 'run b']);
    expect(here.journal()).toEqual(['step a started', 'step a done', 'step b started', 'step b failed']);
    expect(stepStates(here.run)).toEqual(['a done', 'b failed']);
    expect(here.events.at(-1)).toBe('end');
  });
});

describe('a cancel', () => {
  it('between two steps ends the run there', async () => {
    using here = await world({ behaviour: { a: { run: async () => here.stop.abort() } } });
    await expect(runSteps(here.run, here.plan('a', 'b'), here.facts, here.probe)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(deeds(here.events)).toEqual(['probe', 'run a']);
    expect(stepStates(here.run)).toEqual(['a done']);
  });

  it('before the first step touches nothing', async () => {
    using here = await world();
    here.stop.abort();
    await expect(runSteps(here.run, here.plan('a'), here.facts, here.probe)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect([deeds(here.events), here.journal(), stepStates(here.run)]).toEqual([[], [], []]);
  });

  it('reaches only a step that may be interrupted', async () => {
    const seen: [string, boolean][] = [];
    using here = await world({
      behaviour: {
        hard: {
          async run({ signal }) {
            here.stop.abort();
            seen.push(['hard', signal.aborted]);
          },
        },
      },
    });
    await expect(runSteps(here.run, here.plan('hard', 'next'), here.facts, here.probe)).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
    using there = await world({
      behaviour: {
        soft: {
          async run({ signal }) {
            there.stop.abort();
            seen.push(['soft', signal.aborted]);
            signal.throwIfAborted();
          },
        },
      },
    });
    const soft = planned('soft', { interruptible: true });
    await expect(runSteps(there.run, there.plan(soft), there.facts, there.probe)).rejects.toThrow();
    expect(seen).toEqual([
      ['hard', false],
      ['soft', true],
    ]);
    expect([stepStates(here.run), stepStates(there.run)]).toEqual([['hard done'], ['soft interrupted']]);
  });
});
