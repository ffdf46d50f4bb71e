/** What inspection says of clusters that run, are stopped, were killed, or are not the one that was meant. */
import { chown, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCluster } from '../../src/environments/embedded/cluster.ts';
import { freePort, serverPid, startServer } from '../../src/postgres/server.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { areWeRoot } from '../../src/process/user.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf, stepRunOf } from '../support/targets.ts';
import { environmentOf, serves, startWithOptions } from './embedded.ts';

let server: TestServer;

beforeEach(async () => {
  server = await testServer('15.17', { start: false });
});
afterEach(() => server?.[Symbol.asyncDispose]());

test('running, then stopped, then killed', async () => {
  const { log } = await startWithOptions(server);
  const args = ['-p', String(server.port), '-c', 'work_mem=5MB'];
  const common = { data: server.data, major: 15, user: server.user, args };
  const running = await readCluster(server.data);
  expect(running).toMatchObject({ ...common, log, stoppedCleanly: false });
  expect(running.pid).toBe(await serverPid(server.data));
  expect(running.binaries).toMatchObject({ bin: server.binaries.bin, version: server.binaries.version });
  await server.stop();
  expect(await readCluster(server.data)).toMatchObject({
    ...common,
    pid: null,
    log: null,
    stoppedCleanly: true,
    binaries: { bin: server.binaries.bin },
  });
  await server.start();
  await server.stop('immediate');
  expect(await readCluster(server.data)).toMatchObject({ pid: null, stoppedCleanly: false });
});

test('a cluster that was stopped cleanly is woken, with its options, and put back', async () => {
  await startWithOptions(server);
  await server.stop();
  const environment = environmentOf(server);
  expect(await environment.inspect()).toMatchObject({ serving: false, running: parseVersion('15.17') });
  const { run, told } = stepRunOf();
  await environment.wake?.(run);
  expect(await serves(server)).toEqual({ version: '15.17', work_mem: '5MB' });
  // Nobody knows any more where its log was.
  expect(told.off).toMatchObject([
    { id: 'woken', detail: { log: join(server.folder, 'state', 'server.log') } },
  ]);
  expect(await environment.inspect()).toMatchObject({ serving: true });
  const [entry] = told.off;
  if (!entry) throw new Error('nothing was switched off');
  await environment.putBack(entry, run);
  expect(await readCluster(server.data)).toMatchObject({ pid: null, stoppedCleanly: true });
  await environment.putBack(entry, run);
});

test('a cluster that was killed is not woken', async () => {
  await server.start();
  await server.stop('immediate');
  const { run, told } = stepRunOf();
  const error = await failureOf(environmentOf(server).wake?.(run) ?? Promise.resolve());
  expect(error).toMatchObject({
    code: 'unclean-stop',
    message: `The cluster in ${server.data} is stopped, and it was not stopped cleanly.`,
  });
  expect(told.off).toEqual([]);
});

test('a port that another server took, a connection that leads to it', async () => {
  await using other = await testServer('15.17');
  await server.start();
  await server.stop();
  const config = { port: server.port };
  const { run, told } = stepRunOf();
  const taken = environmentOf(server, config, other.settings());
  expect(await failureOf(taken.wake?.(run) ?? Promise.resolve())).toMatchObject({
    code: 'port-taken',
    message: `Port ${server.port} is taken, though the cluster in ${server.data} does not run.`,
  });
  expect(told.off).toEqual([]);
  await server.start();
  expect(await failureOf(environmentOf(server, config, other.settings()).inspect())).toMatchObject({
    code: 'wrong-server',
    message: `The connection leads to the data directory ${other.data}, and the spec says ${server.data}.`,
  });
});

test('a port in the spec that is not the one it was started with', async () => {
  await server.start();
  const port = await freePort();
  expect(await failureOf(environmentOf(server, { port }).inspect())).toMatchObject({
    code: 'port-mismatch',
    message: `The cluster in ${server.data} uses port ${server.port}, and environment.port says ${port}.`,
  });
});

test('a data directory that is reached through a symbolic link', async () => {
  const link = join(server.folder, 'link');
  await symlink(server.data, link);
  const { binaries, user, port, folder } = server;
  await startServer({ binaries, user, data: link, args: ['-p', String(port)], log: join(folder, 'own.log') });
  for (const data of [link, server.data])
    expect(await environmentOf(server, { data }).inspect()).toMatchObject({ serving: true });
  const environment = environmentOf(server, { data: link });
  const { run } = stepRunOf(environment.home.journal);
  await environment.step('restart', await environment.inspect(), parseVersion('15.18')).run(run);
  expect(await serves(server)).toMatchObject({ version: '15.18' });
});

test('no data directory, none that can be read, one that belongs to root, programs that are gone', async () => {
  expect(await failureOf(readCluster(join(server.folder, 'nothing')))).toMatchObject({
    code: 'data-missing',
  });
  expect(await failureOf(readCluster(server.folder))).toMatchObject({ code: 'data-unreadable' });
  // initdb has run, postgres never has.
  expect(await failureOf(readCluster(server.data))).toMatchObject({ code: 'binaries-lost' });
  await server.start();
  await server.stop();
  await readCluster(server.data);
  await rename(join(server.data, 'PG_VERSION'), join(server.data, 'PG_VERSION.gone'));
  expect(await failureOf(readCluster(server.data))).toMatchObject({ code: 'data-unreadable' });
  await rename(join(server.data, 'PG_VERSION.gone'), join(server.data, 'PG_VERSION'));
  if (!areWeRoot()) return;
  await chown(server.data, 0, 0);
  expect(await failureOf(readCluster(server.data))).toMatchObject({
    code: 'server-user',
    message: 'The data directory belongs to root, and PostgreSQL refuses to run as root.',
  });
});
