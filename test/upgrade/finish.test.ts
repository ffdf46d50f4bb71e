import { describe, expect, it } from 'vitest';
import { Cancelled, UpgradeError } from '../../src/errors.ts';
import { type Ending, finish, unchangedEnding } from '../../src/upgrade/finish.ts';
import { stepRun } from '../../src/upgrade/target.ts';
import { deeds, planned, type World, world } from './world.ts';

const start = { run: 'process 1', mode: 'upgrade', from: '15.17', wanted: '15.20' } as const;
const off = { id: 'pooler', what: 'the pooler is paused', detail: undefined };
const good: Ending = { result: 'success', verdict: 'Upgraded.', next: null, finished: true };

async function begun(): Promise<World> {
  const here = await world();
  here.run.recorder.record.versions.from = '15.17';
  await here.run.journal.begin(start);
  here.run.recorder.record.plan = here.plan(planned('restart', { undo: 'start the old one' }));
  await here.run.journal.step('restart', 'started');
  await stepRun(here.run, null, false).switchOff(off);
  return here;
}

describe('finish', () => {
  it('puts back, looks at the target and archives the journal', async () => {
    using here = await begun();
    here.facts.running = { major: 15, minor: 20 };
    await finish(here.run, good);
    expect(deeds(here.events)).toEqual(['put back pooler', 'archive 2026-11-20T18-00-00-000Z']);
    expect(here.run.recorder.record).toMatchObject({
      result: 'success',
      verdict: 'Upgraded.',
      state: 'PostgreSQL 15.20 serves clients.',
      next: null,
      changed: true,
      versions: { from: '15.17', wanted: '15.20', now: '15.20' },
      finished: '2026-11-20T18:00:00.000Z',
    });
  });

  it('fails where something cannot be put back, and keeps the journal for it', async () => {
    using here = await begun();
    here.broken.add('pooler');
    await finish(here.run, good);
    expect(deeds(here.events)).toEqual(['put back pooler']);
    expect(here.journal().at(-1)).toBe('end failed');
    expect(here.run.recorder.record).toMatchObject({
      result: 'failed',
      verdict: 'Upgraded. Something could not be put back: the pooler is paused.',
      state: 'PostgreSQL 15.17 serves clients. Still switched off: the pooler is paused.',
      next: 'This could not be put back: the pooler is paused. pooler is stuck. Put it back by hand.',
      issues: [{ code: 'put-back', resolution: 'Not resolved: put it back by hand.' }],
      changed: false,
    });
  });

  it('leaves switched off what a pause left off', async () => {
    using here = await begun();
    await finish(here.run, { ...good, result: 'paused', finished: false });
    expect(deeds(here.events)).toEqual([]);
    expect(here.journal()).toEqual(['begin', 'step restart started', 'switched-off pooler', 'end paused']);
    expect(here.run.recorder.record.state).toBe(
      'PostgreSQL 15.17 serves clients. Still switched off: the pooler is paused.',
    );
  });

  it('leaves alone what another run switched off', async () => {
    using here = await world({
      journal: [
        { kind: 'begin', ...start, host: 'h', pid: 1 },
        { kind: 'switched-off', entry: off },
      ],
    });
    await finish(here.run, { ...good, result: 'refused' });
    expect([deeds(here.events), here.journal()]).toEqual([[], ['begin', 'switched-off pooler']]);
    expect(here.run.recorder.record.state).toBe('PostgreSQL 15.17 serves clients.');
  });

  it('forgets a run that has nothing to undo: it would hide the one that has', async () => {
    using here = await begun();
    here.run.recorder.record.plan = here.plan('restart');
    await finish(here.run, { ...good, result: 'refused' });
    expect(deeds(here.events)).toEqual(['put back pooler', 'discard']);
  });

  it('keeps what rollback did, and tells the end where the start was told', async () => {
    using here = await world({ mode: 'rollback' });
    await here.run.journal.begin(start);
    await finish(here.run, { ...good, result: 'rolled-back' });
    expect(deeds(here.events)).toEqual(['archive 2026-11-20T18-00-00-000Z']);
    expect(here.run.recorder.record.communication).toEqual([
      {
        at: '2026-11-20T18:00:00.000Z',
        to: 'terminal',
        what: 'rolled-back: Upgraded.',
        delivered: true,
        why: null,
      },
    ]);
  });

  it.each<[string, Ending, () => Promise<World>, boolean]>([
    ['did its work', good, begun, true],
    ['found nothing to do', { ...good, result: 'skipped' }, world, true],
    ['only looks', { ...good, result: 'skipped' }, () => world({ mode: 'plan' }), false],
    ['stopped in the middle', { ...good, result: 'paused', finished: false }, begun, false],
    ['was refused', { ...good, result: 'refused' }, world, false],
    [
      'found nothing to do, and another one unfinished',
      { ...good, result: 'skipped' },
      () => world({ journal: [{ kind: 'begin', ...start, host: 'h', pid: 1 }] }),
      false,
    ],
  ])('has what nobody needs any more removed by a run that %s', async (_, ending, make, tidied) => {
    using here = await make();
    const asked: unknown[] = [];
    here.run.environment.tidy = async (...args) => void asked.push(args);
    await finish(here.run, ending);
    expect(asked).toEqual(tidied ? [[14, new Date('2026-11-20T18:00:00.000Z')]] : []);
  });

  it('says where nothing serves', async () => {
    using here = await begun();
    here.facts.serving = false;
    await finish(here.run, { ...good, result: 'failed', finished: false });
    expect(here.run.recorder.record).toMatchObject({
      state: 'PostgreSQL does not serve clients.',
      changed: false,
      versions: { now: null },
    });
  });
});

describe('unchangedEnding', () => {
  it('tells everything that was found, and each way out once', () => {
    const window = new UpgradeError('window-closed', 'No window is open.', { hint: 'Wait.' });
    const wave = new UpgradeError('wave-waits', 'It waits for stock.', { hint: 'Wait.' });
    const rehearsal = new UpgradeError('rehearsal-missing', 'No rehearsal.', { hint: 'Rehearse.' });
    expect(unchangedEnding(window, false, [wave, rehearsal])).toEqual({
      result: 'refused',
      verdict: 'No window is open. It waits for stock. No rehearsal. Nothing was changed.',
      next: 'Wait.\nRehearse.',
      finished: true,
    });
  });

  it.each([
    [
      new UpgradeError('blocked', 'A check blocks.', { hint: 'Mend it.' }),
      'refused',
      'A check blocks. Nothing was changed.',
      'Mend it.',
    ],
    [new UpgradeError('plan-drift', 'Another plan.'), 'refused', 'Another plan. Nothing was changed.', null],
    [new UpgradeError('backup-not-proved', 'Not good.'), 'refused', 'Not good. Nothing was changed.', null],
    [
      new UpgradeError('server-down', 'Nothing answers.'),
      'failed',
      'Nothing answers. Nothing was changed.',
      null,
    ],
    [new Cancelled(), 'cancelled', 'The run was cancelled before anything was changed.', null],
  ])('of %s is %s', (error, result, verdict, next) => {
    expect(unchangedEnding(error, false)).toEqual({ result, verdict, next, finished: true });
    expect(unchangedEnding(error, true)).toEqual({ result, verdict, next, finished: false });
  });
});
