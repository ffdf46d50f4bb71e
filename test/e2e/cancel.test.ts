/** Runs that are cancelled or killed: nothing stays switched off, and the next run goes on. */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWriter } from '../../scripts/sample/writer.ts';
import { freePort } from '../../src/postgres/server.ts';
import { run } from '../../src/process/run.ts';
import { type ArtifactService, startArtifactService } from '../support/artifact-service.ts';
import { runPost } from '../support/runner.ts';
import { type Target, target } from './support.ts';
import { whenServing, wrappedBinaries } from './wrapped.ts';

let orders: Target;
let service: ArtifactService;
let folder: string;
let applications: string;
let health: string;
let pidFile: string;

const script = join(import.meta.dirname, 'application.mjs');

beforeAll(async () => {
  [orders, service] = await Promise.all([target('15.17', '15.18'), startArtifactService()]);
  folder = await mkdtemp(join(tmpdir(), 'cancel-'));
  // The server's user must be able to look for the file that lets the new server go on.
  await chmod(folder, 0o755);
  const port = await freePort();
  health = `http://127.0.0.1:${port}/health`;
  pidFile = join(folder, 'application.pid');
  const call = (verb: string): string =>
    JSON.stringify([process.execPath, script, verb, String(port), pidFile]);
  applications = `    applications:\n      - { name: storefront, stop: ${call('stop')}, start: ${call('start')}, health: "${health}" }`;
  await run([process.execPath, script, 'start', String(port), pidFile]);
  await vi.waitFor(async () => expect(await isUp()).toBe(true), { timeout: 10_000 });
});

afterAll(async () => {
  if (existsSync(pidFile)) await run([process.execPath, script, 'stop', '0', pidFile]);
  await orders?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function isUp(): Promise<boolean> {
  return fetch(health).then(
    (response) => response.ok,
    () => false,
  );
}

/** Programs of the new version that tell when they are started for real, and wait until they may go on. */
async function waitingBinaries(
  name: string,
): Promise<{ binaries: string; reached: string; letGo(): Promise<void> }> {
  // The new server writes it, as the user that it runs as.
  const reached = join(orders.server.folder, `${name}.reached`);
  const go = join(folder, `${name}.go`);
  const wait = `: > '${reached}'; while [ ! -e '${go}' ]; do sleep 0.05; done`;
  const binaries = await wrappedBinaries('15.18', join(folder, name), whenServing(orders.server.data, wait));
  return { binaries, reached, letGo: () => writeFile(go, '') };
}

test('a cancel during the backup changes nothing, and post uploads the record', async () => {
  await orders.spec({ more: applications });
  const action = orders.start('upgrade', { inputs: { artifacts: 'reports' }, env: service.environment });
  await action.line(/1\/\d Back up and prove it/);
  await action.line(/client programs/);
  action.cancel();
  await using result = await action.done;

  expect(result.conclusion).toBe('cancelled');
  expect(result.exitCode).toBe(1);
  expect(result.durationMs).toBeLessThan(30_000);
  const record = await orders.record();
  expect(record).toMatchObject({
    result: 'cancelled',
    changed: false,
    state: 'PostgreSQL 15.17 serves clients.',
    next: null,
  });
  expect(record.steps).toEqual([expect.objectContaining({ id: 'backup', state: 'interrupted' })]);
  expect(service.artifacts()).toEqual([]);

  await using post = await runPost(result);
  expect(post.exitCode).toBe(0);
  expect(service.artifacts().map(({ name }) => name)).toContain(
    'postgres-upgrade-orders-upgrade.report.json',
  );
  // The cancel may come before there is a folder for it.
  expect(await readdir(`${orders.server.data}.upgrade/backups`).catch(() => [])).toEqual([]);
  expect(await isUp()).toBe(true);
});

test('a cancel during the restart lets it finish; resume validates it', async () => {
  const { binaries, reached, letGo } = await waitingBinaries('cancel');
  await orders.spec({ binaries, more: applications });
  const action = orders.start('upgrade');
  await expect.poll(() => existsSync(reached), { timeout: 60_000 }).toBe(true);
  expect(await isUp()).toBe(false);
  action.cancel();
  await action.line('Stopping: a step that must not be interrupted is finished first.');
  await letGo();
  await using result = await action.done;

  expect(result.conclusion).toBe('cancelled');
  expect(result.signal).toBeNull();
  expect(await orders.version()).toBe('15.18');
  const record = await orders.record();
  expect(record).toMatchObject({
    result: 'cancelled',
    changed: true,
    state: 'PostgreSQL 15.18 serves clients.',
  });
  expect(record.verdict).toContain('it was not validated');
  expect(record.next).toContain('mode: resume');
  expect(record.switchedOff.map(({ id, putBackAt }) => [id, putBackAt !== null])).toEqual([
    ['application:storefront', true],
    ['server', true],
  ]);
  expect(await isUp()).toBe(true);

  await using resumed = await orders.run('resume');
  expect(resumed.exitCode).toBe(0);
  expect((await orders.record()).steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'backup already-done',
    'preflight already-done',
    'stop-applications already-done',
    'checkpoint already-done',
    'restart already-done',
    'validate done',
    'start-applications done',
  ]);
  expect(await isUp()).toBe(true);
  await using back = await orders.run('rollback');
  expect(back.outputs.result).toBe('rolled-back');
});

test('main killed in the middle of the restart: post starts the server and the application again', async () => {
  const writer = await startWriter(orders.server.settings('shop'));
  const { binaries, reached, letGo } = await waitingBinaries('killed');
  await orders.spec({ binaries, more: applications });
  const action = orders.start('upgrade', {
    inputs: { artifacts: 'reports' },
    env: service.environmentOf('killed', 'job'),
  });
  await expect.poll(() => existsSync(reached), { timeout: 60_000 }).toBe(true);
  action.kill9();
  await using result = await action.done;
  expect(result.signal).toBe('SIGKILL');
  expect(await isUp()).toBe(false);

  await using post = await runPost(result);
  await letGo();
  expect(post.log).toContain('main was killed during "Restart on 15.18"');
  expect(post.exitCode).toBe(0);
  expect(await orders.version()).toBe('15.17');
  expect(await isUp()).toBe(true);
  const record = await orders.record();
  expect(record).toMatchObject({
    result: 'cancelled',
    changed: false,
    state: 'PostgreSQL 15.17 serves clients.',
  });
  expect(record.steps.at(-1)).toMatchObject({ id: 'restart', state: 'interrupted' });
  expect(post.summary).toContain('The run was killed');
  expect(service.artifacts().filter(({ name }) => name.endsWith('.report.html'))).not.toEqual([]);

  await orders.spec({ more: applications });
  await using again = await orders.run('resume');
  expect(again.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  await writer.stop();
  await using shop = await orders.server.connect('shop');
  expect(await writer.verify(shop)).toEqual([]);
});

test('main and post both gone: the next upgrade puts back what was left, and goes on', async () => {
  await using back = await orders.run('rollback');
  expect(back.outputs.result).toBe('rolled-back');
  const { binaries, reached, letGo } = await waitingBinaries('gone');
  await orders.spec({ binaries, more: applications });
  const action = orders.start('upgrade');
  await expect.poll(() => existsSync(reached), { timeout: 60_000 }).toBe(true);
  action.kill9();
  await using result = await action.done;
  expect(result.signal).toBe('SIGKILL');

  await orders.spec({ more: applications });
  await using again = await orders.run('upgrade');
  await letGo();
  expect(again.log).toContain('going on where');
  expect(again.log).toContain('SUCCESS');
  expect(again.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  expect(await isUp()).toBe(true);
});
