/** An upgrade that died: an approval holds what is left of it, and no look at the target says that all is well. */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverPid } from '../../src/postgres/server.ts';
import { type Target, target } from './support.ts';

let orders: Target;
let folder: string;

beforeAll(async () => {
  orders = await target('15.17', '15.18');
  folder = await mkdtemp(join(tmpdir(), 'unfinished-'));
  await chmod(folder, 0o755);
});

afterAll(async () => {
  await writeFile(join(folder, 'go'), '');
  await orders?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const mark = (name: string): string => join(folder, name);
const sh = (script: string): string => JSON.stringify(['sh', '-c', script]);

/** An application whose start tells that it was called, and waits until it may go on. */
function storefront(name = ''): string {
  const start = `: > '${mark(`started${name}`)}'; while [ ! -e '${mark('go')}' ]; do sleep 0.05; done`;
  const stop = `: > '${mark(`stopped${name}`)}'`;
  return `    applications: [{ name: storefront, stop: ${sh(stop)}, start: ${sh(start)} }]`;
}

async function digestNow(): Promise<string> {
  await using plan = await orders.run('plan');
  expect(plan.outputs.result).toBe('success');
  return plan.outputs['plan-digest'] ?? '';
}

test('a run that died in its backup has begun nothing: its approval is of no other plan', async () => {
  const approved = await digestNow();
  const action = orders.start('upgrade', { inputs: { 'plan-digest': approved } });
  await action.line(/client programs/);
  action.kill9();
  await using _ = await action.done;
  const pid = await serverPid(orders.server.data);

  const changed = [
    '    backup: { prove: none }',
    '    on-failure: stop',
    '    advice: apply',
    storefront('-unapproved'),
  ];
  await orders.spec({ more: changed.join('\n') });
  for (const mode of ['upgrade', 'resume']) {
    await using result = await orders.run(mode, { inputs: { 'plan-digest': approved } });
    expect([result.exitCode, result.outputs.result, result.outputs.changed]).toEqual([1, 'refused', 'false']);
    expect(result.annotations.map(({ title }) => title)).toContain('orders: plan-drift');
  }
  expect(existsSync(mark('stopped-unapproved'))).toBe(false);
  expect(await serverPid(orders.server.data)).toBe(pid);
  expect(await orders.version()).toBe('15.17');
  // What is right by now may be planned and approved.
  expect(await digestNow()).not.toBe(approved);
});

test('one that died with an application stopped is unfinished, and is finished as it was approved', async () => {
  await orders.spec({ more: storefront() });
  const approved = await digestNow();
  const inputs = { 'plan-digest': approved };
  const action = orders.start('upgrade', { inputs });
  await expect.poll(() => existsSync(mark('started')), { timeout: 60_000 }).toBe(true);
  action.kill9();
  await using _ = await action.done;
  await writeFile(mark('go'), '');
  expect(await orders.version()).toBe('15.18');

  const unfinished = 'An upgrade from 15.17 to 15.18 is unfinished (begun by ';
  for (const mode of ['plan', 'check']) {
    await using look = await orders.run(mode);
    expect([look.exitCode, look.outputs.result, look.outputs['plan-digest']]).toEqual([1, 'refused', '']);
    const record = await orders.record();
    expect(record.verdict).toContain(unfinished);
    expect(record.verdict).toContain(
      'Still switched off: application storefront is stopped. This run changed nothing.',
    );
    expect(record.next).toBe('mode: resume finishes it, mode: rollback goes back to 15.17.');
    expect(record.checks.length > 0).toBe(mode === 'check');
  }

  await rm(mark('started'));
  await orders.spec({ more: storefront('-unapproved') });
  await using other = await orders.run('resume', { inputs });
  expect(other.outputs.result).toBe('refused');
  const drift = other.annotations.find(({ title }) => title === 'orders: plan-drift');
  expect(drift?.message).toContain(
    'The unfinished run would not be finished as it was approved. Changed since: application storefront, how it is stopped: ',
  );
  // It is started all the same: by the command that was approved.
  expect([existsSync(mark('started')), existsSync(mark('started-unapproved'))]).toEqual([true, false]);

  await orders.spec({ more: storefront() });
  await using resumed = await orders.run('resume', { inputs });
  expect(resumed.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  await using check = await orders.run('check');
  expect(check.outputs.result).toBe('skipped');
});
