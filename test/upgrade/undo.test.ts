import { describe, expect, it } from 'vitest';
import type { JournalState } from '../../src/upgrade/journal.ts';
import { runSteps, undoSteps } from '../../src/upgrade/steps.ts';
import { deeds, planned, stepStates, world } from './world.ts';

const fail = (): Promise<void> => Promise.reject(new Error('no'));

function started(...ids: string[]): JournalState['steps'] {
  return new Map(ids.map((id) => [id, 'done']));
}

describe('undoSteps', () => {
  it('takes back what was started, newest first, the failed step included', async () => {
    using here = await world({ behaviour: { c: { run: fail } } });
    const plan = here.plan('a', 'b', 'c', 'd');
    await expect(runSteps(here.run, plan, here.facts, here.probe)).rejects.toThrow('no');
    const undone = await undoSteps(here.run, plan, here.facts, here.run.journal.state().steps);
    expect(deeds(here.events)).toEqual(['probe', 'run a', 'run b', 'run c', 'undo c', 'undo b', 'undo a']);
    expect(undone.map(({ id, title }) => [id, title])).toEqual([
      ['undo-c', 'Undo: Title of c'],
      ['undo-b', 'Undo: Title of b'],
      ['undo-a', 'Undo: Title of a'],
    ]);
    expect(here.journal().slice(-4)).toEqual([
      'step c failed',
      'step c undone',
      'step b undone',
      'step a undone',
    ]);
    expect(stepStates(here.run)).toEqual([
      'a done',
      'b done',
      'c failed',
      'undo-c undone',
      'undo-b undone',
      'undo-a undone',
    ]);
  });

  it('leaves out what cannot be undone, was never started, or is undone already', async () => {
    using here = await world({ behaviour: { b: { undo: null } } });
    const state: JournalState['steps'] = new Map([...started('a', 'b', 'c'), ['d', 'undone']]);
    await undoSteps(here.run, here.plan('a', 'b', 'c', 'd', 'e'), here.facts, state);
    expect(deeds(here.events)).toEqual(['undo c', 'undo a']);
  });

  it('ends where an undo fails: what is older is not touched under it', async () => {
    using here = await world({ behaviour: { b: { undo: fail } } });
    await expect(
      undoSteps(here.run, here.plan('a', 'b', 'c'), here.facts, started('a', 'b', 'c')),
    ).rejects.toThrow('no');
    expect(deeds(here.events)).toEqual(['undo c', 'undo b']);
    expect(here.journal()).toEqual(['step c started', 'step c undone', 'step b started']);
    expect(stepStates(here.run)).toEqual(['undo-c undone', 'undo-b undo-failed']);
  });

  it('is not interrupted, and renews the lock after a break', async () => {
    const aborted: boolean[] = [];
    using here = await world({
      behaviour: { restart: { undo: async ({ signal }) => void aborted.push(signal.aborted) } },
    });
    here.stop.abort();
    const restart = planned('restart', { breaks: 'every session ends', interruptible: true });
    await undoSteps(here.run, here.plan('a', restart), here.facts, started('a', 'restart'));
    expect(aborted).toEqual([false]);
    expect(deeds(here.events)).toEqual(['undo restart', 'renew the lock', 'undo a']);
  });

  it('goes on in a later run with what an earlier one had started', async () => {
    using here = await world({
      journal: [
        { kind: 'begin', run: 'run 1', host: 'h', pid: 1, mode: 'upgrade', from: '15.17', wanted: '15.20' },
        { kind: 'step', id: 'a', state: 'done' },
        { kind: 'step', id: 'b', state: 'started' },
      ],
    });
    await undoSteps(here.run, here.plan('a', 'b', 'c'), here.facts, here.run.journal.state().steps);
    expect(deeds(here.events)).toEqual(['undo b', 'undo a']);
  });
});
