/** The restart itself on real servers: with everything that a start was given, and back again. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCluster } from '../../src/environments/embedded/cluster.ts';
import { ensureServing, type StartRecipe } from '../../src/environments/embedded/restart.ts';
import { serverPid } from '../../src/postgres/server.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf, stepRunOf, until } from '../support/targets.ts';
import { environmentOf, serves, startWithOptions } from './embedded.ts';

describe.each([
  ['15.17', '15.18'],
  ['17.9', '17.10'],
  ['14.22', '14.23'],
])('from %s to %s', (from, to) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer(from, { start: false });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('and back, with options and log', async () => {
    const { log } = await startWithOptions(server);
    const environment = environmentOf(server);
    const { run, told } = stepRunOf(environment.home.journal);
    const facts = await environment.inspect();
    expect(facts).toMatchObject({ running: parseVersion(from), serving: true });

    const preflight = environment.step('preflight', facts, parseVersion(to));
    expect(await preflight.run(run)).toEqual({ state: 'done' });
    const restart = environment.step('restart', facts, parseVersion(to));
    expect(await restart.isDone()).toBe(false);
    await restart.run(run);
    expect(await restart.isDone()).toBe(true);
    expect(await serves(server)).toEqual({ version: to, work_mem: '5MB' });
    expect(await readCluster(server.data)).toMatchObject({
      args: ['-p', String(server.port), '-c', 'work_mem=5MB'],
      log,
    });
    expect(told.off).toMatchObject([{ id: 'server', detail: { version: from, log, data: server.data } }]);
    expect(told.back).toEqual(['server', 'woken']);
    expect(await readFile(log, 'utf8')).toMatch(new RegExp(`PostgreSQL ${from}[\\s\\S]*PostgreSQL ${to}`));

    await restart.undo?.(run);
    expect(await serves(server)).toEqual({ version: from, work_mem: '5MB' });
    expect(await readCluster(server.data)).toMatchObject({ log });
    expect(told.back).toEqual(['server', 'woken', 'server', 'woken']);
  });
});

describe('a server that hangs in its shutdown', () => {
  let server: TestServer;
  let recipe: StartRecipe;
  beforeAll(async () => {
    server = await testServer('15.17', { start: false });
    const { log } = await startWithOptions(server);
    const args = ['-p', String(server.port), '-c', 'work_mem=5MB'];
    recipe = { data: server.data, bin: server.binaries.bin, version: '15.17', args, log };
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** Asks for a smart shutdown, which waits for a session that stays: the process lives and refuses clients. */
  async function hang(): Promise<{ pid: number; let_go: () => Promise<void> }> {
    const session = await server.connect();
    const pid = await serverPid(server.data);
    if (pid === null) throw new Error('the server does not run');
    process.kill(pid, 'SIGTERM');
    await until(
      async () => (await failureOf(server.connect().then((open) => open.close()))).code,
      (code) => code === 'server-starting',
    );
    return { pid, let_go: () => session.close() };
  }

  test('putBack leaves a server alone that answers', async () => {
    const { run, told } = stepRunOf();
    const pid = await serverPid(server.data);
    await environmentOf(server).putBack({ id: 'server', what: 'stopped', detail: recipe }, run);
    expect(await serverPid(server.data)).toBe(pid);
    expect(told.progress).toEqual([]);
  });

  test('putBack waits until it is gone, then starts it', async () => {
    const { pid, let_go } = await hang();
    const { run, told } = stepRunOf();
    const put = environmentOf(server).putBack({ id: 'server', what: 'stopped', detail: recipe }, run);
    await until(
      async () => told.progress,
      ({ length }) => length > 0,
    );
    expect(told.progress[0]).toMatch(
      new RegExp(`^waiting for the server process ${pid} to come up or to end, 0 s: .*shutting down`),
    );
    expect(await serverPid(server.data)).toBe(pid);
    await let_go();
    await put;
    expect(await serverPid(server.data)).not.toBe(pid);
    expect(await serves(server)).toEqual({ version: '15.17', work_mem: '5MB' });
  });

  test('putBack gives up after its patience, and says what it saw', async () => {
    const { pid, let_go } = await hang();
    const error = await failureOf(ensureServing(recipe, server.settings(), () => {}, 0));
    expect(error).toMatchObject({ code: 'server-stuck', hint: expect.stringContaining(recipe.log) });
    expect(error.message).toContain(`The server process ${pid} is neither up nor gone after 0 seconds`);
    await let_go();
    await ensureServing(recipe, server.settings(), () => {});
  });

  test('the undo of the restart ends it and starts the old version', async () => {
    const { pid, let_go } = await hang();
    const environment = environmentOf(server);
    const { run, told } = stepRunOf(environment.home.journal);
    await run.switchOff({ id: 'server', what: 'stopped', detail: recipe });
    const facts = { running: parseVersion('15.17'), serving: true, details: [] };
    await environment.step('restart', facts, parseVersion('15.18')).undo?.(run);
    expect(await serverPid(server.data)).not.toBe(pid);
    expect(await serves(server)).toEqual({ version: '15.17', work_mem: '5MB' });
    expect(told.back).toEqual(['server', 'woken']);
    await let_go();
  });
});
