/** plan.json: when it is written, what is in it, and what is taken for an approved one. */
import { mkdtempDisposable, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planFileOf, planPath, readApproved } from '../../src/action/plan-file.ts';
import { planFileSchema } from '../../src/report/plan-file.ts';
import { digestOf } from '../../src/upgrade/digest.ts';
import { planRecord, successRecord } from '../report/fixture.ts';

function approved() {
  const file = planFileOf(planRecord());
  if (!file) throw new Error('the fixture has a plan');
  file.plan.digest = digestOf(file.plan.decision);
  return file;
}

describe('planFileOf', () => {
  it('is the plan with where it was made', () => {
    const record = { ...planRecord(), run: successRecord().run };
    expect(planFileSchema.parse(planFileOf(record))).toEqual({
      version: 1,
      target: 'orders',
      made: '2026-11-20T18:01:30.000Z',
      run: 'https://github.com/example/shop/actions/runs/16200001',
      commit: '9fceb02d0ae598e95dc970b74767f19372d61af8',
      plan: record.plan,
    });
    expect(planPath(record, '/out')).toBe('/out/orders/plan.json');
  });

  it('is there in every mode that only looks, and nowhere else', () => {
    const modes = ['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback'] as const;
    expect(modes.filter((mode) => planFileOf({ ...planRecord(), mode }) !== null)).toEqual([
      'plan',
      'check',
      'rehearse',
    ]);
  });

  it('is not there without a plan, or where there is nothing to do', () => {
    const { plan } = planRecord();
    expect(planFileOf({ ...planRecord(), plan: null })).toBeNull();
    expect(planPath({ ...planRecord(), plan: plan && { ...plan, from: plan.wanted } }, '/out')).toBeNull();
  });
});

describe('readApproved', () => {
  const digest = approved().plan.digest;
  const none = { mode: 'upgrade', planDigest: '', planFile: '' } as const;

  it('is nothing where nothing was given', async () => {
    expect(await readApproved(none, ['orders', 'stock'])).toBeNull();
    expect(await readApproved({ ...none, planDigest: digest }, ['orders'])).toBeNull();
  });

  it('reads the file', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-plan-'));
    const planFile = join(folder.path, 'plan.json');
    await writeFile(planFile, JSON.stringify(approved()));
    const inputs = { ...none, planDigest: digest, planFile };
    expect(await readApproved(inputs, ['orders'])).toEqual(approved());
    await expect(readApproved(inputs, ['stock'])).rejects.toMatchObject({ code: 'plan-file' });
    // Neither opens a target to be upgraded.
    for (const mode of ['rollback', 'list'] as const)
      expect(await readApproved({ ...inputs, mode }, ['orders', 'stock'])).toBeNull();
    await truncate(planFile, 4 * 1024 * 1024 + 1);
    await expect(readApproved(inputs, ['orders'])).rejects.toMatchObject({
      code: 'plan-file',
      message: 'plan-file is not the approved plan: it cannot be read: it has more than 4 MiB.',
    });
  });

  it.each([
    [
      { ...none, planDigest: digest },
      ['orders', 'stock'],
      'input',
      'The input plan-digest names the plan of one target, and 2 are to run: orders, stock.',
    ],
    [
      { ...none, planFile: '/no/such/file' },
      ['orders'],
      'input',
      'The input plan-file is given without plan-digest.',
    ],
    [
      { ...none, planDigest: digest, planFile: '/no/such/file' },
      ['orders'],
      'plan-file',
      "plan-file is not the approved plan: it cannot be read: ENOENT: no such file or directory, stat '/no/such/file'.",
    ],
  ])('refuses %j of %j', async (inputs, names, code, message) => {
    await expect(readApproved(inputs, names)).rejects.toMatchObject({ code, message, phase: 'inputs' });
  });
});
