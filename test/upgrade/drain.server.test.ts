/** Waiting for open transactions of a real server. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../src/postgres/connection.ts';
import { drainStep } from '../../src/upgrade/drain-step.ts';
import { stepRun } from '../../src/upgrade/target.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf, until } from '../support/targets.ts';
import { client, stateOf, worldOn } from './read-only-support.ts';

let server: TestServer;
const open: Connection[] = [];

beforeAll(async () => {
  server = await testServer('15.17');
  await using admin = await server.connect();
  await admin.script(
    'CREATE ROLE app LOGIN; CREATE ROLE helper LOGIN IN ROLE pg_read_all_stats, pg_signal_backend',
  );
  await admin.script('CREATE ROLE blind LOGIN');
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** A session in a transaction. */
async function inTransaction(user = 'app', name = 'storefront'): Promise<Connection> {
  const connection = await client(server, 'postgres', user, name);
  open.push(connection);
  await connection.script("BEGIN; SELECT 'hunter22'");
  return connection;
}

interface Drained {
  output: string[];
  progress: string[];
  took: number;
  failure: Error | null;
}

async function drain(spec: string, user = 'postgres', heard: () => void = () => {}): Promise<Drained> {
  using here = await worldOn(server, `drain: ${spec}`);
  here.run.settings = { ...server.settings(), user };
  const progress: string[] = [];
  here.run.context.log.progress = (line) => {
    progress.push(line);
    heard();
  };
  const record = here.run.recorder.startStep('drain', 'Wait');
  const begun = performance.now();
  const failure = await drainStep(here.run)
    .run(stepRun(here.run, record, true))
    .then(
      () => null,
      (cause: Error) => cause,
    );
  return { output: record.output, progress, took: performance.now() - begun, failure };
}

test('only open transactions of other clients count', async () => {
  await using _idle = await client(server, 'postgres');
  await using ours = await connect(server.settings(), { name: 'postgres-upgrade probe' });
  await ours.script('BEGIN; SELECT 1');
  const replication = new pg.Client({
    ...server.settings(),
    ssl: false,
    replication: 'database',
  } as pg.ClientConfig);
  await replication.connect();
  await replication.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const none = await drain('{ at-most: 0, timeout: 1 }');
    expect([none.failure, none.progress]).toEqual([null, []]);
    expect(none.output).toEqual([expect.stringMatching(/^drained in \d+ ms: 0 transactions are left$/)]);
    expect(none.took).toBeLessThan(900);
  } finally {
    await replication.end();
  }
  // Another user with our name is not us.
  const pretender = await inTransaction('app', 'postgres-upgrade probe');
  expect((await drain('{ at-most: 0, timeout: 1 }')).failure).toMatchObject({ code: 'drain-timeout' });
  expect((await drain('{ at-most: 1, timeout: 1 }')).failure).toBeNull();
  // What failed is rolled back already, and has nothing to lose.
  await stateOf(pretender, 'SELECT 1/0');
  expect((await drain('{ at-most: 0, timeout: 1 }')).failure).toBeNull();
});

test('it goes on as soon as enough of them are done, and says what it waits for', async () => {
  const [first] = [await inTransaction(), await inTransaction('app', '::error::boo')];
  let ended = 0;
  const result = await drain('{ at-most: 1, timeout: 60 }', 'postgres', () => {
    void first?.script('COMMIT').then(() => {
      ended ||= performance.now();
    });
  });
  expect(result.failure).toBeNull();
  expect(performance.now() - ended).toBeLessThan(400);
  expect(result.progress[0]).toMatch(
    /^orders: 2 transactions are open, at most 1 may be; the oldest: process \d+ of "app" \("storefront"\), idle in transaction, open for 0 s; 60 s left$/,
  );
});

test('it says so at least every two seconds', async () => {
  await inTransaction();
  const { progress, took } = await drain('{ at-most: 0, timeout: 3 }');
  expect(took).toBeGreaterThan(2900);
  expect(took).toBeLessThan(4500);
  expect(progress.length).toBeGreaterThanOrEqual(3);
});

test('give-up lists the sessions, and never what they ask', async () => {
  await inTransaction('app', 'a"b\u0007 ##[error] ::set-output name=x::y');
  await using admin = await server.connect();
  const [{ pid } = { pid: 0 }] = await admin.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'",
  );
  const { failure } = await drain('{ at-most: 0, timeout: 1 }');
  expect(failure).toMatchObject({
    code: 'drain-timeout',
    message: '1 transaction is still open after 1 seconds, and at most 0 may be.',
  });
  const { hint } = failure as unknown as { hint: string };
  expect(hint.split('\n')).toEqual([
    expect.stringMatching(
      new RegExp(`^process ${pid} of "app" \\("a\\\\\\\\?"b.*"\\), idle in transaction, open for [12] s$`),
    ),
    'End them, or wait until they are done, then run again. Or let the action end them: drain.then: end.',
  ]);
  expect(hint).not.toContain('hunter22');
});

test('end ends those that are open, and not what begins meanwhile', async () => {
  const [one, two] = [await inTransaction(), await inTransaction('postgres')];
  await using idle = await client(server, 'postgres');
  const { failure, output } = await drain('{ at-most: 0, timeout: 1, then: end }');
  expect(failure).toBeNull();
  expect(output).toEqual([
    expect.stringMatching(
      /^ended: process \d+ of "app" \("storefront"\), idle in transaction, open for [12] s$/,
    ),
    expect.stringMatching(/^ended: process \d+ of "postgres" /),
    expect.stringMatching(/^drained in \d+ ms: 0 transactions are left$/),
  ]);
  expect([await stateOf(one, 'SELECT 1'), await stateOf(two, 'SELECT 1')]).not.toContain('ok');
  expect(await stateOf(idle, 'SELECT 1')).toBe('ok');
});

test('what the user may not end, or not see, is said', async () => {
  const superuser = await inTransaction('postgres');
  const app = await inTransaction();
  const { failure } = await drain('{ at-most: 0, timeout: 1, then: end }', 'helper');
  expect(failure).toMatchObject({
    code: 'drain-timeout',
    message:
      'Sessions that are still in a transaction could not be ended: the user of the connection may not end them.',
    hint: expect.stringMatching(/^process \d+ of "postgres" .*\nOnly a superuser may end/),
  });
  expect([await stateOf(superuser, 'SELECT 1'), await stateOf(app, 'SELECT 1')]).toEqual([
    'ok',
    expect.not.stringMatching(/^ok$/),
  ]);
  expect((await drain('{ at-most: 0, timeout: 1 }', 'blind')).failure).toMatchObject({
    code: 'drain-rights',
  });
});

test('a cancelled run waits no longer', async () => {
  await inTransaction();
  using here = await worldOn(server, 'drain: { at-most: 0, timeout: 600 }');
  here.run.context.log.progress = () => here.stop.abort();
  const begun = performance.now();
  const failure = await failureOf(drainStep(here.run).run(stepRun(here.run, null, true)));
  expect([failure.code, performance.now() - begun < 2000]).toEqual(['cancelled', true]);
  await until(
    async () => {
      await using admin = await server.connect();
      return await admin.query("SELECT FROM pg_stat_activity WHERE application_name = 'postgres-upgrade'");
    },
    (rows) => rows.length === 0,
  );
});
