import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { lookOnly } from '../../src/upgrade/prepare.ts';
import { rollbackMode } from '../../src/upgrade/rollback-mode.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { unfinishedUpgrade } from '../../src/upgrade/unfinished.ts';
import { assertNobodyElse, upgradeMode } from '../../src/upgrade/upgrade-mode.ts';
import { targetWith } from '../spec/specs.ts';
import { type World, world } from './world.ts';

const earlier = {
  kind: 'begin',
  run: 'run 1.1 by octocat',
  host: 'elsewhere',
  pid: 1,
  mode: 'upgrade',
  from: '15.17',
};

describe('a run that must not start', () => {
  it('because another one is at work', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    using here = await world({
      journal: [{ ...earlier, host: hostname(), pid: child.pid, wanted: '15.20' }],
    });
    expect(() => assertNobodyElse(here.run)).toThrow(
      expect.objectContaining({
        code: 'locked',
        message: `Another run is at work on this target: run 1.1 by octocat, since 2026-11-20T18:00:00.000Z (process ${child.pid} on ${hostname()}).`,
      }),
    );
    await here.run.journal.end('failed', 'keep');
    here.run.journal.adopt();
    await here.run.journal.end('failed', 'keep');
    expect(() => assertNobodyElse(here.run)).not.toThrow();
    child.kill('SIGKILL');
  });

  it.each<[string, Parameters<typeof world>[0], string, string]>([
    [
      'resume without anything to resume',
      { mode: 'resume' },
      'nothing-to-resume',
      'There is no unfinished run on orders.',
    ],
    [
      'another version than the unfinished run',
      { journal: [{ ...earlier, wanted: '15.18' }] },
      'unfinished',
      'An earlier run to 15.18 did not finish, and the spec now asks for 15.20.',
    ],
  ])('%s', async (_what, options, code, message) => {
    using here = await world(options);
    await expect(upgradeMode(here.run)).rejects.toMatchObject({ code, message });
  });

  it('rollback without an upgrade to go back from', async () => {
    using here = await world({ mode: 'rollback' });
    await expect(rollbackMode(here.run)).rejects.toMatchObject({
      code: 'nothing-to-roll-back',
      message: 'No upgrade of orders by this action is known here.',
      hint: 'The journal is kept at memory; without it nobody knows what to go back to.',
    });
  });

  it('plan of a stopped server', async () => {
    using here = await world({ mode: 'plan', serving: false });
    await expect(lookOnly(here.run)).rejects.toMatchObject({
      code: 'server-down',
      message: 'Nothing serves ops@/no/such/folder:5432/orders: the server is stopped.',
    });
  });

  const restarted = { kind: 'step', id: 'restart', state: 'done' };
  const shopIsOff = {
    kind: 'switched-off',
    entry: { id: 'application:shop', what: 'application shop is stopped', detail: null },
  };
  const message =
    'An upgrade from 15.17 to 15.20 is unfinished (begun by run 1.1 by octocat, 2026-11-20T18:00:00.000Z).';

  it('plan where an upgrade is unfinished, also where the wanted version serves', async () => {
    const journal = [{ ...earlier, wanted: '15.20' }, restarted, shopIsOff];
    using here = await world({ mode: 'plan', journal });
    here.facts.running = { major: 15, minor: 20 };
    await expect(lookOnly(here.run)).rejects.toMatchObject({
      code: 'unfinished',
      message: `${message} Still switched off: application shop is stopped.`,
      hint: 'mode: resume finishes it, mode: rollback goes back to 15.17.',
    });
    expect(here.journal()).toHaveLength(3);
  });

  it('plan where an unfinished upgrade left nothing that serves', async () => {
    using here = await world({
      mode: 'check',
      serving: false,
      journal: [{ ...earlier, wanted: '15.20' }, restarted, { kind: 'end', result: 'failed' }],
    });
    await expect(lookOnly(here.run)).rejects.toMatchObject({
      errors: [{ code: 'unfinished', message }, { code: 'server-down' }],
    });
  });

  it.each<[string, object[], [number, number], string | null]>([
    ['nothing was begun but the backup', [{ ...earlier, wanted: '15.20' }], [15, 17], null],
    ['nobody has validated what serves', [{ ...earlier, wanted: '15.20' }], [15, 20], 'unfinished'],
    ['the spec asks for another version', [{ ...earlier, wanted: '15.18' }], [15, 17], 'unfinished'],
    [
      'it was a rollback',
      [{ ...earlier, mode: 'rollback', wanted: '15.20' }],
      [15, 17],
      'rollback-unfinished',
    ],
  ])('plan is refused by what is unfinished: %s', async (_what, journal, [major, minor], code) => {
    using here = await world({
      mode: 'plan',
      journal: [...journal, { kind: 'step', id: 'backup', state: 'started' }],
    });
    expect(unfinishedUpgrade(here.run, { major, minor })?.code ?? null).toBe(code);
  });

  it('upgrade to an older version', async () => {
    using here = await world();
    here.facts.running = { major: 15, minor: 21 };
    await expect(upgradeMode(here.run)).rejects.toMatchObject({ code: 'downgrade' });
  });

  it('upgrade to the version that runs is no fault', async () => {
    using here: World = await world();
    here.facts.running = { major: 15, minor: 20 };
    expect(await upgradeMode(here.run)).toEqual({
      result: 'skipped',
      verdict: 'Nothing to do: orders runs PostgreSQL 15.20 already.',
      next: null,
      finished: true,
    });
    expect(here.journal()).toEqual([]);
  });
});

describe('runTarget', () => {
  const target = targetWith('');

  it.each<[string, UpgradeRecord['mode'], Record<string, string>, string, string]>([
    ['no secret', 'plan', {}, 'secret-missing', 'The environment variable ORDERS_DATABASE_URL is not set.'],
    [
      'no URL',
      'upgrade',
      { ORDERS_DATABASE_URL: 'host=db1 password=hunter2' },
      'connection-url',
      'The connection in env:ORDERS_DATABASE_URL is not a PostgreSQL URL.',
    ],
  ])('leaves a complete record with %s', async (_what, mode, variables, code, message) => {
    using here = await world({ mode });
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-target-'));
    const record = await runTarget(target, { ...here.run.context, variables, outputDirectory: folder.path });
    expect(record).toMatchObject({
      result: 'failed',
      verdict: `${message} Nothing was changed.`,
      state: 'Not looked at: the target could not be opened.',
      changed: false,
      finished: '2026-11-20T18:00:00.000Z',
      issues: [{ code, what: message, resolution: 'Nothing was changed.' }],
    });
    const text = await readFile(join(folder.path, 'orders/report.json'), 'utf8');
    expect(recordSchema.parse(JSON.parse(text))).toEqual(record);
    expect(text).not.toContain('hunter2');
    expect(here.events).toEqual([`error orders: ${code}`]);
  });
});
