/** New binaries that do not work: the way back must lead to the old version with every row. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWriter } from '../../scripts/sample/writer.ts';
import { type Target, target } from './support.ts';
import { whenServing, wrappedBinaries } from './wrapped.ts';

let orders: Target;
let programs: string;

beforeAll(async () => {
  orders = await target('15.17', '15.18');
  programs = await mkdtemp(join(tmpdir(), 'programs-'));
  await chmod(programs, 0o755);
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
  await rm(programs, { recursive: true, force: true });
});

async function upgradeWith(script: string, name: string, more = ''): ReturnType<Target['run']> {
  await orders.spec({ binaries: await wrappedBinaries('15.18', join(programs, name), script), more });
  return orders.run('upgrade');
}

test('a configuration that the new version refuses is found before the old server is stopped', async () => {
  const writer = await startWriter(orders.server.settings('shop'));
  await using result = await upgradeWith(
    `case "$*" in *"-D ${orders.server.data} "*) echo 'FATAL:  unrecognized configuration parameter "refused.by_new"' >&2; exit 1;; esac`,
    'refuses-config',
  );
  const totals = await writer.stop();

  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ result: 'rolled-back', changed: 'false', 'to-version': '15.17' });
  expect(totals.failures).toBe(0);
  const record = await orders.record();
  expect(record.issues).toEqual([
    expect.objectContaining({ code: 'config-refused', hint: expect.stringContaining('refused.by_new') }),
  ]);
  expect(record.state).toBe('PostgreSQL 15.17 serves clients.');
});

test('a new server that does not start ends rolled back, the old version serving and every row there', async () => {
  const writer = await startWriter(orders.server.settings('shop'));
  await using result = await upgradeWith(
    whenServing(orders.server.data, `echo 'FATAL:  could not load library "only_old.so"' >&2; exit 1`),
    'does-not-start',
  );
  await writer.stop();

  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ result: 'rolled-back', changed: 'false', 'to-version': '15.17' });
  expect(await orders.version()).toBe('15.17');
  await using shop = await orders.server.connect('shop');
  expect(await writer.verify(shop)).toEqual([]);
  const record = await orders.record();
  expect(record.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'backup done',
    'preflight done',
    'checkpoint done',
    'restart failed',
    'undo-restart undone',
  ]);
  expect(record.issues[0]).toMatchObject({
    code: 'server-start',
    hint: expect.stringContaining('only_old.so'),
    resolution: 'Rolled back: PostgreSQL 15.17 serves again.',
  });
  expect(record.downtime?.failures).toBeGreaterThan(0);
  expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
  expect(result.summary).toContain('only_old.so');
});

test('on-failure: stop leaves it as it is and says the next command', async () => {
  await using result = await upgradeWith(
    whenServing(orders.server.data, `echo 'FATAL:  broken' >&2; exit 1`),
    'stops',
    '    on-failure: stop',
  );

  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ result: 'failed', 'to-version': '15.17' });
  const record = await orders.record();
  // The server is never left stopped: what was switched off is put back, whatever the spec says of the rest.
  expect(record.state).toBe('PostgreSQL 15.17 serves clients.');
  expect(record.next).toContain('mode: rollback');

  await orders.spec();
  await using resumed = await orders.run('resume');
  expect(resumed.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  await using back = await orders.run('rollback');
  expect(back.outputs.result).toBe('rolled-back');
});

test('a validation that fails goes back', async () => {
  // The new server comes up with a setting that nobody asked for: an unexpected difference.
  await using result = await upgradeWith(
    whenServing(orders.server.data, `set -- "$@" -c work_mem=7MB`),
    'surprise',
  );

  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ result: 'rolled-back', 'to-version': '15.17' });
  const record = await orders.record();
  expect(record.issues[0]).toMatchObject({
    code: 'validation-facts',
    hint: expect.stringContaining('setting work_mem'),
  });
  expect(record.steps.at(-1)).toMatchObject({ id: 'undo-restart', state: 'undone' });
});
