/** The whole procedure on a real Debian over ssh: upgrade under load, and back on the data that was written since. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BedTarget, lostOrders, storefront, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

describe.each(['pg_ctlcluster', 'systemd'] as const)('under %s', (supervisor) => {
  let bed: Bed;
  let target: BedTarget;
  beforeAll(async () => {
    bed = await startBed({ supervisor });
    target = await targetOn(bed);
    await bed.run('storefront', 'start');
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  test('plan names the exact packages, and changes nothing', async () => {
    await using result = await target.run('plan');
    expect(result.conclusion, result.log).toBe('success');
    const { plan, checks } = await target.record();
    expect(plan?.steps.map(({ id }) => id)).toEqual([
      'backup',
      'packages',
      'checkpoint',
      'install',
      'restart',
      'validate',
    ]);
    expect(plan?.steps[1]?.does[0]).toContain(`postgresql-15=${bed.packages.new}`);
    expect(plan?.steps[3]?.undo).toContain(`postgresql-15=${bed.packages.old}`);
    expect(
      checks.filter(({ id }) => id.startsWith('package-')).map(({ id, status }) => [id, status]),
    ).toEqual([
      ['package-candidate', 'passed'],
      ['package-changes', 'passed'],
      ['package-way-back', 'passed'],
      ['package-holds', 'passed'],
      ['package-locks', 'passed'],
      ['package-state', 'passed'],
      ['package-restarts', 'passed'],
      ['package-automation', 'passed'],
      ['package-neighbours', 'passed'],
    ]);
    expect(await target.installed()).toBe(bed.packages.old);
  });

  test('upgrade under load: no acknowledged write is lost, one short gap', async () => {
    await target.spec({ more: `${storefront(bed)}\n    watch: 3s\n` });
    await using writer = await startWriter(bed.postgres.url);
    await using result = await target.run('upgrade');
    const totals = await writer.stop();
    expect(result.conclusion, result.log).toBe('success');
    expect(await target.version()).toBe(bed.versions.new);
    expect(await target.installed()).toBe(bed.packages.new);
    expect(await writer.missing()).toEqual([]);
    expect(await lostOrders(bed)).toEqual([]);
    expect(totals.longestGapMs).toBeLessThan(5000);
    const record = await target.record();
    expect(record.result).toBe('success');
    expect(record.switchedOff.every(({ putBackAt }) => putBackAt !== null)).toBe(true);
    expect((await fetch(bed.application.health)).status).toBe(200);
    expect((await bed.run('ls', '/usr/sbin/policy-rc.d')).code).not.toBe(0);
  });

  test('rollback on live data: what was written since is kept', async () => {
    await using writer = await startWriter(bed.postgres.url);
    await using result = await target.run('rollback');
    expect(result.conclusion, result.log).toBe('success');
    expect(await target.version()).toBe(bed.versions.old);
    expect(await target.installed()).toBe(bed.packages.old);
    expect(await writer.missing()).toEqual([]);
    expect(await lostOrders(bed)).toEqual([]);
    expect((await target.record()).result).toBe('rolled-back');
  });
});
