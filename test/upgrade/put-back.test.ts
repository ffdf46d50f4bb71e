import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UpgradeError } from '../../src/errors.ts';
import type { Mode } from '../../src/report/record.ts';
import { runSteps } from '../../src/upgrade/steps.ts';
import { putBackAll, stepRun } from '../../src/upgrade/target.ts';
import { deeds, world } from './world.ts';

const off = (id: string, detail?: unknown): { id: string; what: string; detail: unknown } => ({
  id,
  what: `${id} is off`,
  detail,
});

describe('switchOff', () => {
  it('is in the journal and in the record on disk before anything is switched off', async () => {
    const seen: string[][] = [];
    using here = await world({
      behaviour: {
        a: {
          async run(step) {
            await step.switchOff(off('pooler', { pool: 1 }));
            seen.push(here.journal());
          },
        },
      },
    });
    await runSteps(here.run, here.plan('a'), here.facts, here.probe);
    expect(seen).toEqual([['step a started', 'switched-off pooler']]);
    expect(here.run.journal.state().outstanding).toEqual([off('pooler', { pool: 1 })]);
    expect(here.run.recorder.record.switchedOff).toEqual([
      { id: 'pooler', what: 'pooler is off', at: '2026-11-20T18:00:00.000Z', putBackAt: null },
    ]);
  });

  it('does nothing where the journal cannot be written', async () => {
    let touched = false;
    using here = await world({
      behaviour: {
        a: {
          async run(step) {
            await step.switchOff(off('pooler'));
            touched = true;
          },
        },
      },
    });
    const store = here.run.environment.home.journal;
    const write = store.append;
    store.append = (line) =>
      line.includes('switched-off') ? Promise.reject(new UpgradeError('journal-write', 'full')) : write(line);
    await expect(runSteps(here.run, here.plan('a'), here.facts, here.probe)).rejects.toMatchObject({
      code: 'journal-write',
    });
    expect([touched, here.run.recorder.record.switchedOff]).toEqual([false, []]);
  });
});

describe('isBack', () => {
  it('closes what a step puts back itself, and knows nothing of others', async () => {
    using here = await world();
    const step = stepRun(here.run, null, false);
    await step.switchOff(off('server'));
    await step.isBack('server');
    await step.isBack('server');
    await step.isBack('woken');
    expect(here.journal()).toEqual(['switched-off server', 'put-back server']);
    expect(here.run.recorder.record.switchedOff[0]?.putBackAt).toBe('2026-11-20T18:00:00.000Z');
    expect(await putBackAll(here.run)).toEqual([]);
    expect(deeds(here.events)).toEqual([]);
  });
});

describe('putBackAll', () => {
  it('goes newest first, and once only', async () => {
    using here = await world();
    const step = stepRun(here.run, null, false);
    for (const id of ['a', 'b', 'c']) await step.switchOff(off(id, { of: id }));
    expect(await putBackAll(here.run)).toEqual([]);
    expect(await putBackAll(here.run)).toEqual([]);
    expect(deeds(here.events)).toEqual([
      'put back c {"of":"c"}',
      'put back b {"of":"b"}',
      'put back a {"of":"a"}',
    ]);
    expect(here.journal().slice(3)).toEqual(['put-back c', 'put-back b', 'put-back a']);
    expect(here.run.recorder.record.switchedOff.map(({ putBackAt }) => putBackAt !== null)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('goes on after a failure, and tries that one again next time', async () => {
    using here = await world();
    const step = stepRun(here.run, null, false);
    for (const id of ['a', 'b', 'c']) await step.switchOff(off(id));
    here.broken.add('b');
    const failures = await putBackAll(here.run);
    expect(deeds(here.events)).toEqual(['put back c', 'put back b', 'put back a']);
    expect(failures.map(({ code, message, hint }) => ({ code, message, hint }))).toEqual([
      {
        code: 'put-back',
        message: 'This could not be put back: b is off. b is stuck.',
        hint: 'Put it back by hand.',
      },
    ]);
    expect(here.run.journal.state().outstanding.map(({ id }) => id)).toEqual(['b']);
    here.broken.clear();
    expect(await putBackAll(here.run)).toEqual([]);
    expect(deeds(here.events).slice(3)).toEqual(['put back b']);
  });

  it('takes only what it is asked for', async () => {
    using here = await world();
    const step = stepRun(here.run, null, false);
    for (const id of ['a', 'b']) await step.switchOff(off(id));
    await putBackAll(here.run, ({ id }) => id === 'a');
    expect(deeds(here.events)).toEqual(['put back a']);
    expect(here.run.journal.state().outstanding.map(({ id }) => id)).toEqual(['b']);
  });

  it('puts back what an earlier run left, and says whose it was', async () => {
    using here = await world({ journal: [{ kind: 'switched-off', entry: off('a', 'x') }] });
    await putBackAll(here.run);
    expect(deeds(here.events)).toEqual(['put back a "x"']);
    expect(here.run.recorder.record.switchedOff).toEqual([
      {
        id: 'a',
        what: 'a is off (by an earlier run)',
        at: '2026-11-20T18:00:00.000Z',
        putBackAt: '2026-11-20T18:00:00.000Z',
      },
    ]);
  });

  it('puts back once what was switched off twice, as it was the first time', async () => {
    using here = await world({ journal: [{ kind: 'switched-off', entry: off('a', 'before') }] });
    await stepRun(here.run, null, false).switchOff(off('a', 'already off'));
    await putBackAll(here.run);
    expect(deeds(here.events)).toEqual(['put back a "before"']);
  });
});

describe('an application that is put back', () => {
  const application = (start: string): object => ({
    ...{ name: 'shop', stop: ['true'], start: ['sh', '-c', start], 'start-timeout': 5 },
  });
  it.each<[Mode, string, string]>([
    ['resume', '', 'today'],
    ['resume', 'd'.repeat(64), 'then'],
    ['upgrade', 'd'.repeat(64), 'then'],
    ['rollback', 'd'.repeat(64), 'today'],
  ])('in mode %s with plan-digest "%s" is started by the command of %s', async (mode, planDigest, which) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-put-back-'));
    const touch = (name: string): string => `: > '${join(folder.path, name)}'`;
    using here = await world({
      mode,
      spec: `applications: [${JSON.stringify(application(touch('today')))}]\n`,
      journal: [
        {
          kind: 'switched-off',
          entry: { id: 'application:shop', what: 'shop is stopped', detail: application(touch('then')) },
        },
      ],
    });
    here.run.context.planDigest = planDigest;
    expect(await putBackAll(here.run)).toEqual([]);
    expect(await readdir(folder.path)).toEqual([which]);
  });
});
