/** Running the catalogue: every major, every kind of answer, and that no check spoils another. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allChecks } from '../../src/checks/catalogue.ts';
import type { Check, CheckContext } from '../../src/checks/check.ts';
import { runChecks, verdictOf } from '../../src/checks/run.ts';
import { Cancelled } from '../../src/errors.ts';
import { type ConnectOptions, connect } from '../../src/postgres/connection.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { ask, contextOf, sql } from './planted.ts';

const version = '15.17';
const context = contextOf(version);
let server: TestServer;

beforeAll(async () => {
  server = await testServer(version);
  await sql(server, 'CREATE DATABASE app', 'postgres');
});
afterAll(() => server?.[Symbol.asyncDispose]());

function check(id: string, statement: string, changes: Partial<Check> = {}): Check {
  return {
    id,
    title: id,
    scope: 'cluster',
    minMajor: 13,
    sql: statement,
    fix: 'repair it',
    judge: (rows) => ({
      status: rows.length > 0 ? 'warning' : 'passed',
      seen: rows.map((row) => JSON.stringify(row)),
    }),
    ...changes,
  };
}

const fine = check('fine', 'SELECT 1 WHERE false');

test.for(['13.23', '14.23', '16.14', '17.10', '18.4'])('the whole catalogue on %s', async (major) => {
  // initdb turns checksums on by itself from 18 on; everywhere else this shows the check stepping back.
  await using other = await testServer(major);
  const running = Number.parseInt(major, 10);
  const young = (id: string): [string, string, string][] =>
    running < 15 ? [[id, 'skipped', `needs PostgreSQL 15 or newer, the server is ${major}`]] : [];
  const deaf: [string, string, string][] =
    running < 18
      ? [['checksum-failures', 'skipped', 'data checksums are off: the server cannot notice damaged pages']]
      : [];
  const odd = async (changes: Partial<CheckContext>) =>
    (await ask(other, contextOf(major, changes), allChecks, ['postgres', 'template1']))
      .filter(({ status }) => status !== 'passed')
      .map(({ id, status, seen }) => [id, status, seen[0]])
      .toSorted();
  expect(await odd({})).toEqual([...deaf, ...young('collation-versions'), ...young('ident-errors')]);
  // What is asked only before an upgrade has no result after it.
  expect(await odd({ when: 'after' })).toEqual([
    ...deaf,
    ...young('collation-versions'),
    ...young('ident-errors'),
  ]);
  const found = await odd({ wanted: parseVersion('19.0') });
  expect(found.map(([id]) => id)).toEqual([
    ...deaf.map(([id]) => id),
    ...(running < 18 ? ['checksums-off'] : []),
    ...young('collation-versions').map(([id]) => id),
    ...young('ident-errors').map(([id]) => id),
  ]);
});

test('what an upgrade or a server cannot have is not among the results; what is disabled is not asked', async () => {
  const major = check('major', 'SELECT 1', { upgrade: 'major' });
  const old = check('old', 'SELECT 1', { maxMajor: 14 });
  const ids = async (changes: Partial<CheckContext>) =>
    (await ask(server, contextOf(version, changes), [major, old, fine])).map(({ id }) => id);
  expect(await ids({})).toEqual(['fine']);
  expect(await ids({ wanted: parseVersion('16.14') })).toEqual(['major', 'fine']);

  const typo = check('typo', 'SELEKT 1');
  const results = await runChecks([typo, fine], context, {
    connect: (database) => server.connect(database),
    databases: [],
    mainDatabase: 'postgres',
    signal: new AbortController().signal,
    disabled: new Set(['typo']),
  });
  expect(results.map(({ id, status, seen, fix }) => [id, status, seen, fix])).toEqual([
    ['typo', 'disabled', ['switched off in the spec'], null],
    ['fine', 'passed', [], null],
  ]);
  expect(verdictOf(results).status).toBe('passed');
});

test('a failing check is an error, and the next ones are asked', async () => {
  const results = await ask(server, context, [
    check('typo', 'SELEKT 1'),
    fine,
    check('writes', 'CREATE TABLE evil ()'),
    fine,
    check('ends-itself', 'SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())'),
    check('fires', 'SELECT 1 AS x'),
    check('judge-throws', 'SELECT 1 AS x', {
      judge() {
        throw new Error('no column y');
      },
    }),
  ]);
  expect(results.map(({ id, status, seen, fix }) => [id, status, seen, fix !== null])).toEqual([
    ['typo', 'error', ['syntax error at or near "SELEKT"'], true],
    ['fine', 'passed', [], false],
    ['writes', 'error', ['cannot execute CREATE TABLE in a read-only transaction'], true],
    ['fine', 'passed', [], false],
    ['ends-itself', 'error', ['terminating connection due to administrator command'], true],
    ['fires', 'warning', ['{"x":1}'], true],
    ['judge-throws', 'error', ['no column y'], true],
  ]);
});

test('a statement ends at its time limit', async () => {
  const [slow] = await runChecks([check('slow', 'SELECT pg_catalog.pg_sleep(20)')], context, {
    connect: (database) => server.connect(database),
    databases: [],
    mainDatabase: 'postgres',
    signal: new AbortController().signal,
    statementTimeout: 100,
  });
  expect(slow).toMatchObject({
    status: 'error',
    seen: ['canceling statement due to statement timeout (allowed are 0.1 s)'],
  });
});

test('databases: rows say where they are from, one that cannot be reached is an error', async () => {
  const where = check('where', 'SELECT pg_catalog.current_database() AS name', { scope: 'database' });
  const [ok, unreachable, none] = await Promise.all([
    ask(server, context, [where], ['postgres', 'app', 'template1']),
    ask(server, context, [where], ['app', 'no such']),
    ask(server, context, [where], []),
  ]);
  expect(ok[0]?.seen).toEqual(
    ['postgres', 'app', 'template1'].map((name) => JSON.stringify({ name, database: name })),
  );
  expect(unreachable[0]).toMatchObject({
    status: 'error',
    seen: [
      expect.stringMatching(/^no such: The database no such does not exist/),
      '{"name":"app","database":"app"}',
    ],
  });
  expect(none[0]).toMatchObject({ status: 'skipped', seen: ['there is no database to ask'] });
});

test('a hostile search_path changes no answer', async () => {
  await sql(server, 'CREATE SCHEMA evil');
  await sql(server, 'CREATE TABLE evil.pg_index AS SELECT 1 AS indexrelid');
  await sql(server, `CREATE FUNCTION evil.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 666'`);
  await sql(
    server,
    `CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''reached''; END'`,
  );
  await sql(server, 'CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq)');
  await sql(server, 'ALTER DATABASE app SET search_path = evil, pg_catalog, public');
  await sql(server, `ALTER DATABASE app SET default_transaction_isolation = 'serializable'`);
  try {
    await expect(sql(server, `SELECT 'a'::text = 'a'::text`)).rejects.toThrow('reached');
    const results = await runChecks(allChecks, context, {
      connect: (database) => server.connect(database),
      databases: ['app'],
      mainDatabase: 'app',
      signal: new AbortController().signal,
    });
    expect(results.filter(({ status }) => status !== 'passed').map(({ id }) => id)).toEqual([
      'checksum-failures',
    ]);
  } finally {
    await sql(server, 'ALTER DATABASE app RESET ALL');
    await sql(server, 'DROP SCHEMA evil CASCADE', 'app');
  }
});

test('a user without rights: skipped with the grant that is missing, which then is enough', async () => {
  await sql(server, 'CREATE ROLE modest LOGIN');
  await sql(server, 'CREATE SEQUENCE private');
  await sql(
    server,
    'CREATE TABLE "se|cret" (id int PRIMARY KEY); ALTER TABLE "se|cret" ENABLE ROW LEVEL SECURITY',
  );
  const asModest = (database: string, options: ConnectOptions = {}) =>
    connect({ ...server.settings(database), user: 'modest' }, options);
  const major = contextOf(version, { wanted: parseVersion('18.4') });
  const results = () =>
    runChecks(allChecks, major, {
      connect: asModest,
      databases: ['app'],
      mainDatabase: 'postgres',
      signal: new AbortController().signal,
    });
  const before = await results();
  const skipped = before.filter(({ status }) => status === 'skipped');
  expect(before.filter(({ status }) => status === 'error')).toEqual([]);
  expect(skipped.map(({ id }) => id)).toEqual([
    'tablespaces',
    'checksum-failures',
    'config-file-errors',
    'hba-errors',
    'hba-auth-methods',
    'ident-errors',
    'md5-passwords',
    'pending-restart',
    'custom-settings',
    'preload',
    'replicas',
    'archive-backlog',
    'wal-dir',
    'long-xacts',
    'idle-in-tx',
    'lock-waits',
    'running-maintenance',
    'connections',
    'pgss-present',
  ]);
  const seen = (id: string) => before.find((result) => result.id === id);
  expect(seen('sequences')).toMatchObject({
    status: 'info',
    seen: ['app: 1 sequence not read: no right to, or too many to lock at once'],
  });
  expect(seen('superuser-or-roles')).toMatchObject({
    status: 'blocked',
    seen: ['role modest is no superuser: only a superuser can back up every database and the roles'],
  });
  expect(seen('unreadable-tables')).toMatchObject({
    status: 'blocked',
    seen: ['app: public."se|cret"', 'app: public.private'],
  });
  expect(seen('rls-tables')).toMatchObject({
    status: 'blocked',
    seen: ['app: public."se|cret": policies apply to the role'],
  });
  for (const { fix } of skipped) {
    const grant = fix?.replace('As a superuser: ', '').replaceAll(' USER;', ' modest;');
    if (grant) await sql(server, grant, 'postgres');
  }
  await sql(server, 'GRANT pg_read_all_data TO modest; ALTER ROLE modest BYPASSRLS');
  const after = await results();
  expect(after.filter(({ status }) => status !== 'passed').map(({ id, status }) => [id, status])).toEqual([
    ['superuser-or-roles', 'blocked'],
    ['checksum-failures', 'skipped'],
    ['checksums-off', 'warning'],
  ]);
  await sql(server, 'DROP SEQUENCE private; DROP TABLE "se|cret"');
});

test('a cancelled run ends at once, with Cancelled', async () => {
  const controller = new AbortController();
  const started = Date.now();
  const running = runChecks([check('slow', 'SELECT pg_catalog.pg_sleep(20)'), fine], context, {
    connect: async (database) => {
      const connection = await server.connect(database);
      setTimeout(() => controller.abort(), 100);
      return connection;
    },
    databases: [],
    mainDatabase: 'postgres',
    signal: controller.signal,
  });
  await expect(running).rejects.toBeInstanceOf(Cancelled);
  expect(Date.now() - started).toBeLessThan(5000);
});
