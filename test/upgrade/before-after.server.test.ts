/** What a run reads of a real server before and after a restart: the lock, the downtime. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProbe } from '../../src/postgres/probe.ts';
import { serverPid } from '../../src/postgres/server.ts';
import { acquireLock } from '../../src/upgrade/lock.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';

let server: TestServer;

beforeAll(async () => {
  server = await testServer('15.17');
  await using connection = await server.connect();
  await connection.query('CREATE DATABASE app');
  await using app = await server.connect('app');
  await app.script(`
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    CREATE INDEX orders_note ON orders (note);
    INSERT INTO orders (note) VALUES ('a'), ('b')`);
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function restart(): Promise<void> {
  await server.stop();
  await server.start();
}

test('the lock: the second run is told who holds it; it is taken anew after a restart, and goes with its session', async () => {
  const lock = await acquireLock(server.settings('app'), 'run 7.1 by octocat');
  const refused = async (): Promise<void> => {
    const error = await failureOf(acquireLock(server.settings(), 'run 8.1 by hubot'));
    expect(error).toMatchObject({ code: 'locked', phase: 'connect' });
    expect(error.message).toMatch(
      /^Another run is at work on this target: run 7\.1 by octocat, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC as postgres\.$/,
    );
  };
  await refused();
  await restart();
  await lock.renew();
  await refused();
  await lock.release();
  const second = await acquireLock(server.settings(), 'run 8.1 by hubot');
  await second.release();
});

test('the probe sees a restart as a gap', async () => {
  const probe = startProbe(server.settings(), 5);
  await probe.settle(30, 10_000);
  const stopped = Date.now();
  await restart();
  const started = Date.now();
  await probe.settle(30, 10_000);
  const report = await probe.stop();
  expect(report.failures).toBeGreaterThan(0);
  expect(report.attempts).toBeGreaterThanOrEqual(60 + report.failures);
  expect(report.longestGap).toBeGreaterThan(0);
  expect(report.longestGap).toBeLessThan(started - stopped + 2500);
  expect(report.gapStarted).toBeLessThanOrEqual(report.firstFailure ?? 0);
  expect(report.firstFailure).toBeGreaterThanOrEqual(stopped);
  expect(report.firstSuccess).toBeGreaterThan(report.firstFailure ?? Number.POSITIVE_INFINITY);
  expect(report.firstSuccess).toBeLessThan(started + 2500);
  expect(report.lastSuccess).toBeGreaterThan(report.firstSuccess ?? Number.POSITIVE_INFINITY);
  expect(report.before.length).toBeGreaterThanOrEqual(30);
  expect(report.after.length).toBeGreaterThanOrEqual(30);
});

/** The whole server stands still, as on a disk that does not answer. */
async function freeze(): Promise<() => void> {
  await using connection = await server.connect();
  const rows = await connection.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
  const postmaster = await serverPid(server.data);
  if (postmaster === null) throw new Error('the server does not run');
  const ids = [postmaster, ...rows.map(({ pid }) => pid)];
  for (const id of ids) process.kill(id, 'SIGSTOP');
  return () => {
    for (const id of ids.toReversed()) process.kill(id, 'SIGCONT');
  };
}

test('the probe stops within seconds though the server stands still, and the gap counts', async () => {
  const probe = startProbe(server.settings(), 5);
  await probe.settle(30, 10_000);
  const thaw = await freeze();
  try {
    const begun = Date.now();
    const report = await probe.stop();
    expect(Date.now() - begun).toBeLessThan(6000);
    expect(report).toMatchObject({ failures: 1, firstSuccess: null });
    expect(report.firstFailure).toBeGreaterThanOrEqual(begun);
    expect(report.longestGap).toBeGreaterThanOrEqual(begun - (report.lastSuccess ?? 0));
    expect(report.attempts).toBeGreaterThan(30);
  } finally {
    thaw();
  }
});

test('a connection to a server that stands still can be closed', async () => {
  const connection = await server.connect();
  const thaw = await freeze();
  try {
    const begun = Date.now();
    await connection.close();
    expect(Date.now() - begun).toBeLessThan(6000);
  } finally {
    thaw();
  }
});
