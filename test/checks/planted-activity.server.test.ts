/** Planted faults of what goes on in a server, and of its upkeep. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseVersion } from '../../src/postgres/version.ts';
import type { TestServer } from '../support/servers.ts';
import {
  ends,
  healthyServer,
  nothing,
  type Patient,
  patient,
  something,
  sql,
  thresholds,
  until,
} from './planted.ts';

describe.each(ends)('$version', ({ version, next }) => {
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];
  let setting: Patient['setting'];
  let switchWal: Patient['switchWal'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted, setting, switchWal } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('idle-in-tx', async () => {
    await using client = await server.connect('app');
    await client.script('BEGIN');
    const limit = thresholds({ idleInTransactionWarning: 0.2 });
    expect(await until(() => tell(limit), something)).toEqual({
      'idle-in-tx': [
        'warning',
        [expect.stringMatching(/^pid \d+ of postgres \(test\) in app: idle in transaction for [\d.]+ s$/)],
      ],
    });
    await client.script('ROLLBACK');
    expect(await tell(limit)).toEqual({});
  });

  test('lock-waits', async () => {
    await sql(server, 'CREATE TABLE busy (id int PRIMARY KEY)');
    await using holder = await server.connect('app');
    await using waiter = await server.connect('app');
    await holder.script('BEGIN; LOCK TABLE busy');
    const waiting = waiter.query('SELECT FROM busy');
    const limit = thresholds({ lockWaitWarning: 0.2 });
    const [row] = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    expect(await until(() => tell(limit), something)).toEqual({
      'lock-waits': [
        'warning',
        [
          expect.stringMatching(
            new RegExp(`^pid \\d+ of postgres \\(test\\) in app: waits for pid ${row?.pid} for [\\d.]+ s$`),
          ),
        ],
      ],
    });
    await holder.script('ROLLBACK');
    await waiting;
    expect(await tell(limit)).toEqual({});
    await sql(server, 'DROP TABLE busy');
  });

  test('running-maintenance: a VACUUM that takes its time', async () => {
    await sql(
      server,
      `CREATE TABLE "slow|one" AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 2000)`,
    );
    await using client = await server.connect('app');
    await client.script(`SET vacuum_cost_delay = '20ms'; SET vacuum_cost_limit = 1`);
    const [row] = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const vacuum = client.script('VACUUM "slow|one"').catch((cause: Error) => cause.message);
    expect(await until(tell, something)).toEqual({
      'running-maintenance': [
        'warning',
        [expect.stringMatching(new RegExp(`^app: VACUUM of public."slow\\|one": .+, pid ${row?.pid}$`))],
      ],
    });
    await sql(server, `SELECT pg_cancel_backend(${row?.pid})`);
    expect(await vacuum).toContain('canceling statement');
    await until(tell, nothing);
    await sql(server, 'DROP TABLE "slow|one"');
  });

  test('wal-dir', async () => {
    // Written while much was allowed, and no checkpoint since.
    await switchWal(6);
    await setting('max_wal_size', '32MB');
    expect(await until(tell, (answer) => Object.keys(answer).join() === 'wal-dir')).toEqual({
      'wal-dir': ['warning', [expect.stringMatching(/^[\d.]+ MiB in \d+ files, max_wal_size is 32.0 MiB$/)]],
    });
    await setting('max_wal_size', null);
    await until(tell, nothing);
  });

  test('dirty-buffers-cost', async () => {
    const limit = thresholds({ checkpointDistanceInfo: 1024 ** 2 });
    await sql(server, 'CREATE TABLE fresh AS SELECT generate_series(1, 5000) AS x, repeat($$x$$, 500) AS y');
    expect(await until(() => tell(limit), something)).toEqual({
      'dirty-buffers-cost': [
        'info',
        [expect.stringMatching(/^[\d.]+ MiB of WAL since the last checkpoint, shared_buffers is 32.0 MiB$/)],
      ],
    });
    await sql(server, 'CHECKPOINT');
    expect(await tell(limit)).toEqual({});
    await sql(server, 'DROP TABLE fresh');
  });

  test('autovacuum-off', async () => {
    await setting('autovacuum', 'off');
    expect(await tell()).toEqual({ 'autovacuum-off': ['warning', ['autovacuum is off']] });
    await setting('autovacuum', null);
    await until(tell, nothing);
  });

  test('stats-baseline', async () => {
    await sql(server, 'CREATE TABLE "un|known" AS SELECT generate_series(1, 30) AS x');
    const limit = thresholds({ neverAnalyzedInfo: 20 });
    expect(await until(() => tell(limit), something)).toEqual({
      'stats-baseline': ['info', ['app: public."un|known": 30 rows, never analyzed']],
    });
    await sql(server, 'ANALYZE "un|known"');
    await until(() => tell(limit), nothing);
    await sql(server, 'DROP TABLE "un|known"');
  });

  test('pgss-present: the extension without its library', () =>
    planted(['CREATE EXTENSION pg_stat_statements'], ['DROP EXTENSION pg_stat_statements'], {
      'pgss-present': ['info', ['app: the extension is there, but its library is not loaded']],
    }));

  test('amcheck-available: a server that does not list it', async () => {
    const [row] = await sql(
      server,
      `SELECT pg_get_viewdef('pg_catalog.pg_available_extensions'::regclass) AS definition`,
      'postgres',
    );
    const original = String(row?.definition).replace(/;\s*$/, '');
    const replace = async (definition: string) => {
      await using connection = await server.connect('postgres');
      await connection.script(`SET allow_system_table_mods = on;
        CREATE OR REPLACE VIEW pg_catalog.pg_available_extensions AS ${definition}`);
    };
    await replace(`SELECT * FROM (${original}) AS a WHERE a.name <> 'amcheck'`);
    try {
      expect(await tell()).toEqual({
        'amcheck-available': ['info', ['the server has no files of amcheck']],
      });
    } finally {
      await replace(original);
    }
    expect(await tell()).toEqual({});
  });

  test('preload: a library that the wanted server lacks', async () => {
    const wantedExtensions = new Map([['plpgsql', ['1.0']]]);
    await setting('session_preload_libraries', 'auto_explain');
    expect(await tell({ wantedExtensions, wanted: parseVersion(next) })).toEqual({});
    await setting('session_preload_libraries', 'pg_stat_statements');
    expect(await tell({ wantedExtensions })).toEqual({
      preload: [
        'blocked',
        ['pg_stat_statements in session_preload_libraries: the wanted server has no files of it'],
      ],
    });
    expect(await tell()).toEqual({});
    expect(await tell({ wanted: parseVersion(next) })).toEqual({
      preload: [
        'warning',
        ['pg_stat_statements in session_preload_libraries: must exist for the new version'],
      ],
    });
    await setting('session_preload_libraries', null);
    expect(await tell({ wanted: parseVersion(next) })).toEqual({});
  });

  test('collation-dependent-indexes', async () => {
    await planted(
      [
        `CREATE COLLATION "odd|one" (provider = libc, locale = 'C')`,
        'CREATE TABLE words (word text COLLATE "odd|one" PRIMARY KEY)',
        `UPDATE pg_collation SET collcollate = 'xx' WHERE collname = 'odd|one'`,
      ],
      ['DROP TABLE words', 'DROP COLLATION "odd|one"'],
      {
        'collation-dependent-indexes': [
          'info',
          ['app: 1 index, about 8.0 KiB', 'app: public.words_pkey, about 8.0 KiB'],
        ],
      },
      thresholds({ collationIndexesInfo: 0 }),
    );
    expect(await tell(thresholds({ collationIndexesInfo: 0 }))).toEqual({});
  });

  test('large-objects, locks-capacity', async () => {
    const few = thresholds({ largeObjectsWarning: 2 });
    await sql(server, 'SELECT lo_create(0) FROM generate_series(1, 3)');
    expect(await tell(few)).toEqual({ 'large-objects': ['info', ['app: 3 large objects']] });
    expect(await tell({ ...few, wanted: parseVersion(next) })).toEqual({
      'large-objects': ['warning', ['app: 3 large objects']],
    });
    await sql(server, 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata');
    expect(await tell(few)).toEqual({});

    const narrow = thresholds({ locksBlock: 0.001 });
    await planted(
      ['CREATE TABLE a (id int); CREATE VIEW b AS SELECT 1; CREATE SEQUENCE c'],
      ['DROP TABLE a; DROP VIEW b; DROP SEQUENCE c'],
      { 'locks-capacity': ['blocked', ['app: 3 relations, the lock table has room for 2,880']] },
      narrow,
    );
    expect(await tell(narrow)).toEqual({});
  });

  test('the machine: config-preflight, release-notes, supported', async () => {
    const release = { today: '2026-11-20', endOfLife: '2027-05-19', mustRead: [] };
    expect(await tell({ configErrors: ['nosuch_setting: unknown'] })).toEqual({
      'config-preflight': ['blocked', ['nosuch_setting: unknown']],
    });
    expect(
      await tell({
        release: {
          ...release,
          endOfLife: '2030-01-01',
          mustRead: [
            { version: '15.20', why: 'an index must be rebuilt', link: 'https://example.org/15.20' },
          ],
        },
      }),
    ).toEqual({
      'release-notes': ['blocked', ['15.20: an index must be rebuilt (https://example.org/15.20)']],
    });
    expect(await tell({ release })).toEqual({
      supported: [
        'warning',
        [`PostgreSQL ${parseVersion(version).major} gets fixes until 2027-05-19, for 180 more days`],
      ],
    });
  });
});
