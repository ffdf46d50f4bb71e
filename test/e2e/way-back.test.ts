/** The way back under bad conditions: killed, failing, with programs that changed; and what must not trigger it. */
import { existsSync, readFileSync } from 'node:fs';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startServer } from '../../src/postgres/server.ts';
import { runPost } from '../support/runner.ts';
import { binariesOf, testServer } from '../support/servers.ts';
import { type Target, target, targetFor } from './support.ts';

let folder: string;
let programs: string;
let orders: Target;

/** A target that runs on programs of its own, which a test may break while the new version runs. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'way-back-'));
  await chmod(folder, 0o755);
  programs = join(folder, 'old');
  const npm = await binariesOf('15.17');
  await cp(join(npm.bin, '..'), programs, { recursive: true, verbatimSymlinks: true });
  orders = await target('15.17', '15.18');
  const { server } = orders;
  await server.stop();
  await startServer({
    binaries: { ...npm, bin: join(programs, 'bin'), env: { LD_LIBRARY_PATH: join(programs, 'lib') } },
    data: server.data,
    args: ['-p', String(server.port)],
    log: join(server.folder, 'server.log'),
    user: server.user,
  });
});

afterEach(mendPrograms);

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const postgres = (): string => join(programs, 'bin/postgres');

/** Puts a script in the place of the old `postgres`; it still tells its version. */
async function breakPrograms(script: string): Promise<void> {
  await rename(postgres(), `${postgres()}.real`);
  await writeFile(
    postgres(),
    `#!/bin/sh\ncase "$1" in -V|--version) exec '${postgres()}.real' "$1";; esac\n${script}\nexec '${postgres()}.real' "$@"\n`,
  );
  await chmod(postgres(), 0o755);
}

async function mendPrograms(): Promise<void> {
  if (existsSync(`${postgres()}.real`)) await rename(`${postgres()}.real`, postgres());
}

test('what others create while the backup runs is not held against the upgrade', async () => {
  const action = orders.start('upgrade');
  await action.line(/client programs/);
  await using connection = await orders.server.connect('shop');
  await connection.script('CREATE TABLE app.made_meanwhile (id int PRIMARY KEY)');
  await using result = await action.done;

  expect(result.log).toContain('SUCCESS');
  expect(result.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
});

test('a rollback whose old programs fail leaves the new version serving, and can be repeated', async () => {
  await breakPrograms(`echo 'FATAL:  old programs are broken' >&2; exit 1`);
  await using failed = await orders.run('rollback');
  expect(failed.exitCode).toBe(1);
  expect(failed.outputs).toMatchObject({ result: 'failed', 'to-version': '15.18' });
  expect(await orders.version()).toBe('15.18');
  const record = await orders.record();
  expect(record.state).toBe('PostgreSQL 15.18 serves clients.');
  expect(record.next).toContain('mode: rollback');

  await using refused = await orders.run('upgrade');
  expect(refused.annotations.map(({ title }) => title)).toContain('orders: rollback-unfinished');

  await mendPrograms();
  await using again = await orders.run('rollback');
  expect(again.outputs).toMatchObject({ result: 'rolled-back', 'to-version': '15.17' });
});

test('a rollback killed between stop and start: post starts the server, and rollback can be finished', async () => {
  await using forward = await orders.run('upgrade');
  expect(forward.outputs.result).toBe('success');
  const hold = join(folder, 'hold');
  const reached = join(orders.server.folder, 'reached');
  await writeFile(hold, '');
  await breakPrograms(
    `if [ -e '${hold}' ]; then : > '${reached}'; while [ -e '${hold}' ]; do sleep 0.05; done; exit 1; fi`,
  );
  const action = orders.start('rollback');
  await expect.poll(() => existsSync(reached), { timeout: 60_000 }).toBe(true);
  action.kill9();
  await using result = await action.done;
  await mendPrograms();
  // A step that cleans up or checks out something else may run before post: post does not need the workspace.
  await rm(join(orders.workspace, 'postgres-upgrade.yaml'));
  await using post = await runPost(result);
  await rm(hold);
  await orders.spec();

  expect(post.exitCode).toBe(0);
  const record = await orders.record();
  expect(record.state).toMatch(/^PostgreSQL 15\.1[78] serves clients\.$/);
  expect(record.next).toContain('mode: rollback');
  await using finished = await orders.run('rollback');
  expect(finished.outputs).toMatchObject({ result: 'rolled-back', 'to-version': '15.17' });
  await using nothing = await orders.run('rollback');
  expect(nothing.outputs.result).toBe('skipped');
});

test('a backup that was killed leaves no server, no password file and no half dump', async () => {
  const action = orders.start('upgrade');
  await action.line(/databases and the roles in/);
  action.kill9();
  await using result = await action.done;
  await using post = await runPost(result);

  expect(post.exitCode).toBe(0);
  const backups = `${orders.server.data}.upgrade/backups`;
  expect((await readdir(backups)).filter((name) => name.startsWith('work-'))).toEqual([]);
  await expect
    .poll(async () => (await commandLines()).filter((line) => line.includes(backups)), { timeout: 20_000 })
    .toEqual([]);
  expect(await orders.version()).toBe('15.17');
});

test('an upgrade through a symbolic link in the path of the data directory', async () => {
  const first = await testServer('15.17', { start: false });
  const link = `${first.folder}-link`;
  await symlink(first.folder, link);
  await using linked = await targetFor(await testServer('15.17', { data: join(link, 'data') }), '15.18');
  await using result = await linked.run('upgrade');
  expect(result.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  await linked.server.stop();
  await rm(link);
  await first[Symbol.asyncDispose]();
});

test('reports that cannot be written are found before anything is done', async () => {
  const file = join(orders.workspace, 'a-file');
  await writeFile(file, '');
  await using result = await orders.run('upgrade', { inputs: { 'output-directory': join(file, 'out') } });
  expect(result.exitCode).toBe(1);
  expect(result.annotations).toEqual([expect.objectContaining({ title: 'output-folder' })]);
  expect(result.summary).toContain('Nothing was started');
});

test('what an application leaves running keeps running', async () => {
  const pid = join(orders.server.folder, 'child.pid');
  const child = `echo $$ > '${pid}'; while :; do echo alive; sleep 0.1; done`;
  await mkdir(join(folder, 'app'), { recursive: true });
  const start = join(folder, 'app/start');
  await writeFile(start, `#!/bin/sh\nsh -c "${child.replaceAll('$', '\\$').replaceAll('"', '\\"')}" &\n`);
  await chmod(start, 0o755);
  await orders.spec({
    more: `    applications:\n      - { name: worker, stop: ["true"], start: ["${start}"] }`,
  });
  await using result = await orders.run('upgrade');
  await orders.spec();
  expect(result.outputs.result).toBe('success');
  const number = Number(readFileSync(pid, 'utf8'));
  // It prints ten times a second: a pipe that nobody holds would have ended it by the second look.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(() => process.kill(number, 0)).not.toThrow();
  process.kill(number, 'SIGKILL');
});

/** The command line of every process that can be looked at. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
}
