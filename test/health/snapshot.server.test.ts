/** What snapshots see on real servers, oldest and newest major: every part, and every difference that is planted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { until } from '../support/targets.ts';
import { findings, snapshotOf } from './support.ts';

const hostile = 'odd "name";\n-- <b>&';
const secret = 'hunter2-in-the-clear';

describe.each(['13.23', '18.4'])('%s', (version) => {
  let server: TestServer;
  const databases = ['app', 'postgres', hostile];

  beforeAll(async () => {
    server = await testServer(version, {
      settings: {
        shared_preload_libraries: 'pg_stat_statements',
        wal_level: 'logical',
        archive_mode: 'on',
        archive_command: '/bin/true',
        log_line_prefix: '%m [%p] %e ',
      },
    });
    await using main = await server.connect();
    await main.query('CREATE DATABASE app');
    await main.query(`CREATE DATABASE "${hostile.replaceAll('"', '""')}"`);
    await main.script(`CREATE ROLE reader; CREATE ROLE writer; GRANT reader TO writer;
      CREATE ROLE nobody LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor`);
    await using odd = await server.connect(hostile);
    await odd.script(`CREATE SCHEMA "a;b"; CREATE TABLE "a;b"."t""'\\" ("i d" serial PRIMARY KEY);
      INSERT INTO "a;b"."t""'\\" DEFAULT VALUES`);
    await using app = await server.connect('app');
    await app.script(
      `CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats; GRANT USAGE ON SCHEMA stats TO monitor`,
    );
    await app.script(`
      CREATE EXTENSION pg_trgm VERSION '1.3';
      CREATE TABLE orders (id serial PRIMARY KEY, note text, down int DEFAULT 0);
      CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
      CREATE TABLE empty (id serial PRIMARY KEY);
      CREATE TABLE unindexed (id serial);
      CREATE SEQUENCE falling INCREMENT -1; CREATE TABLE descending (id int PRIMARY KEY DEFAULT nextval('falling'));
      ALTER SEQUENCE falling OWNED BY descending.id; INSERT INTO descending DEFAULT VALUES;
      CREATE SEQUENCE turning MAXVALUE 3 CYCLE; SELECT nextval('turning');
      CREATE INDEX orders_note ON orders (note);
      INSERT INTO orders (note) SELECT 'n' || i FROM generate_series(1, 20000) AS i; ANALYZE orders;
      CREATE TYPE mood AS ENUM ('a'); CREATE VIEW v AS SELECT 1 AS one;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER off BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE other DISABLE TRIGGER off;
      CREATE POLICY p ON other; ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID;
      GRANT SELECT ON orders TO reader; GRANT SELECT (note) ON orders TO writer; GRANT USAGE ON SCHEMA public TO reader;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;
      CREATE TABLE lag (seconds float8); INSERT INTO lag VALUES (0);
      CREATE FUNCTION slow() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep((SELECT seconds FROM lag)); END';
      SELECT pg_create_logical_replication_slot('logical one', 'test_decoding') WHERE false;
      SELECT pg_create_physical_replication_slot('standby_1')`);
    await app.query(`SELECT pg_create_logical_replication_slot('decoding', 'test_decoding')`);
    await app.query(`ALTER ROLE reader PASSWORD '${secret}'`);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const take = () => snapshotOf(server, databases);

  test('every part is filled, and nothing is missing', async () => {
    await using app = await server.connect('app');
    for (let i = 0; i < 3; i += 1) await app.query('SELECT  count(*)\n FROM orders /* x */ WHERE id > 5');
    await app.query(`SELECT 1 / 0 AS "${secret}"`).catch(() => {});
    // Before 15 the statistics arrive a little later than what they count.
    await expect
      .poll(
        () => app.query("SELECT xact_commit > 5 AS counted FROM pg_stat_database WHERE datname = 'app'"),
        {
          timeout: 10_000,
        },
      )
      .toEqual([{ counted: true }]);
    const snapshot = await take();
    expect(snapshot.missing).toEqual([]);
    expect(Object.keys(snapshot.server)).toHaveLength(12);
    expect(snapshot.settings).toMatchObject({ max_connections: '40', archive_mode: 'on' });
    expect(snapshot.settings?.archive_command).toMatch(/^text with md5 /);
    const found = Object.fromEntries(snapshot.databases.map((database) => [database.name, database]));
    const kinds = Object.fromEntries(
      (found.app?.objects ?? [])
        .filter(({ schema }) => schema === 'public')
        .map(({ kind, count }) => [kind, count]),
    );
    expect(kinds).toMatchObject({
      tables: 6,
      sequences: 6,
      views: 1,
      enums: 1,
      'disabled triggers': 1,
      policies: 1,
      'check constraints': 1,
      'primary keys': 4,
    });
    expect(found.app).toMatchObject({
      extensions: [{ name: 'pg_stat_statements' }, { name: 'pg_trgm', version: '1.3' }, { name: 'plpgsql' }],
      invalid: { indexes: 0, constraints: 1 },
      sequences: { count: 6, summed: 4, sum: '20000', compared: 4, behind: [] },
      tables: { count: 6, rows: expect.closeTo(20_002, -2) },
    });
    expect(found.app?.grants?.objects).toBeGreaterThanOrEqual(4);
    expect(found.app?.tables?.largest[0]).toMatchObject({ name: 'public.orders', rows: 20_000 });
    expect(found.app?.activity?.commits).toBeGreaterThan(5);
    expect(found.app?.bytes).toBeGreaterThan(1_000_000);
    expect(found[hostile]?.sequences).toMatchObject({ count: 1, compared: 1, sum: '1', behind: [] });
    expect(snapshot.slots).toMatchObject([
      { name: 'decoding', type: 'logical', plugin: 'test_decoding', active: false },
      { name: 'standby_1', type: 'physical', plugin: null, walStatus: null },
    ]);
    expect(snapshot.archiver).toMatchObject({ mode: 'on', failing: false });
    expect(snapshot.connections?.map(({ state }) => state)).toContain('idle');
    expect(snapshot.statements).toContainEqual(
      expect.objectContaining({
        database: 'app',
        text: 'SELECT count(*) FROM orders WHERE id > $1',
        calls: 3,
      }),
    );
    expect(snapshot.log?.classes).toContainEqual(
      expect.objectContaining({ severity: 'ERROR', state: '22012', message: 'division by zero' }),
    );
    expect(snapshot.log?.from).toMatch(/^\d{4}-/);
    expect(JSON.stringify(snapshot)).not.toContain(secret);
    expect(JSON.stringify(snapshot.statements)).not.toMatch(/pg_catalog|postgres-upgrade|ALTER ROLE/i);
  });

  test('nothing that is planted elsewhere: two snapshots in a row find nothing', async () => {
    expect(findings(await take(), await take(), ['unexpected', 'alert', 'expected'])).toEqual([
      'expected server version number',
    ]);
  });

  test.each<[what: string, sql: string, undo: string, expected: string[]]>([
    [
      'an index',
      'DROP INDEX orders_note',
      'CREATE INDEX orders_note ON orders (note)',
      ['unexpected app: objects of public'],
    ],
    [
      'a table',
      'CREATE TABLE extra ()',
      'DROP TABLE extra',
      ['unexpected app: grants', 'unexpected app: objects of public', 'unexpected app: tables'],
    ],
    [
      'a trigger',
      'ALTER TABLE other ENABLE TRIGGER off',
      'ALTER TABLE other DISABLE TRIGGER off',
      ['unexpected app: objects of public'],
    ],
    [
      'a revoked grant',
      'REVOKE SELECT ON orders FROM reader',
      'GRANT SELECT ON orders TO reader',
      ['unexpected app: grants'],
    ],
    [
      'a grant on a column',
      'GRANT SELECT (id) ON orders TO writer',
      'REVOKE SELECT (id) ON orders FROM writer',
      ['unexpected app: grants'],
    ],
    [
      'a grant on the database',
      'REVOKE CONNECT ON DATABASE app FROM public',
      'GRANT CONNECT ON DATABASE app TO public',
      ['unexpected app: grants'],
    ],
    [
      'default privileges',
      'ALTER DEFAULT PRIVILEGES GRANT UPDATE ON TABLES TO reader',
      'ALTER DEFAULT PRIVILEGES REVOKE UPDATE ON TABLES FROM reader',
      ['unexpected app: grants'],
    ],
    [
      'an updated extension',
      `ALTER EXTENSION pg_trgm UPDATE TO '1.4'`,
      `DROP EXTENSION pg_trgm; CREATE EXTENSION pg_trgm VERSION '1.3'`,
      ['unexpected app: extension pg_trgm', 'unexpected app: objects of public'],
    ],
    [
      'a sequence that went back',
      `SELECT setval('orders_id_seq', 20000 - 1)`,
      `SELECT setval('orders_id_seq', 20000)`,
      ['unexpected app: sequences behind their column', 'unexpected app: sum of ascending sequences'],
    ],
    [
      'a sequence behind',
      'INSERT INTO orders (id) VALUES (30000)',
      'DELETE FROM orders WHERE id = 30000',
      ['unexpected app: sequences behind their column'],
    ],
    [
      'a descending one',
      'INSERT INTO descending VALUES (-7)',
      'DELETE FROM descending WHERE id = -7',
      ['unexpected app: sequences behind their column'],
    ],
    ['a cycle', `SELECT setval('turning', 3)`, `SELECT setval('turning', 1)`, []],
    [
      'an invalid index',
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_note'::regclass`,
      `UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'orders_note'::regclass`,
      ['unexpected app: invalid indexes'],
    ],
    ['a role', 'CREATE ROLE extra', 'DROP ROLE extra', ['unexpected roles']],
    [
      'an attribute of a role',
      'ALTER ROLE reader CREATEDB',
      'ALTER ROLE reader NOCREATEDB',
      ['unexpected roles'],
    ],
    ['a membership', 'REVOKE reader FROM writer', 'GRANT reader TO writer', ['unexpected memberships']],
    [
      'a setting of a role',
      `ALTER ROLE reader SET work_mem = '8MB'`,
      'ALTER ROLE reader RESET work_mem',
      ['unexpected settings of roles and databases'],
    ],
    [
      'a slot',
      `SELECT pg_drop_replication_slot('standby_1')`,
      `SELECT pg_create_physical_replication_slot('standby_1')`,
      ['unexpected replication slot standby_1'],
    ],
    [
      'rows',
      'CREATE TABLE kept AS TABLE orders; TRUNCATE orders',
      'INSERT INTO orders TABLE kept; DROP TABLE kept; ANALYZE orders',
      [
        'alert app: rows of public.orders',
        'unexpected app: grants',
        'unexpected app: objects of public',
        'unexpected app: tables',
      ],
    ],
  ])('planted: %s', async (_, sql, undo, expected) => {
    await using app = await server.connect('app');
    const before = await take();
    await app.script(sql);
    await app.query('SELECT pg_stat_clear_snapshot()');
    // Before 15 counters reach others after half a second.
    if (sql.includes('TRUNCATE')) {
      await sleep(1500);
      await app.query('SELECT 1');
      await sleep(1000);
    }
    const found = findings(before, await take());
    await app.script(undo);
    expect(found).toEqual(expected);
  });

  test('planted: a setting, and one that waits for a restart', async () => {
    await using main = await server.connect();
    const before = await take();
    await main.query(`ALTER SYSTEM SET work_mem = '9MB'`);
    await main.query('SELECT pg_reload_conf()');
    await until(
      () => main.query<{ work_mem: string }>('SHOW work_mem'),
      ([row]) => row?.work_mem === '9MB',
    );
    expect(findings(before, await take())).toEqual(['unexpected setting work_mem']);
    await main.query('ALTER SYSTEM RESET work_mem');
    await main.query('SELECT pg_reload_conf()');
    await until(
      () => main.query<{ work_mem: string }>('SHOW work_mem'),
      ([row]) => row?.work_mem === '4MB',
    );
  });

  test('planted: a statement that became slow, and grave words in the log', async () => {
    await using app = await server.connect('app');
    const call = async (): Promise<void> => {
      for (let i = 0; i < 60; i += 1) await app.query('SELECT slow()');
    };
    await call();
    const before = await take();
    await app.query('UPDATE lag SET seconds = 0.03');
    await call();
    await app.query('UPDATE lag SET seconds = 0');
    await app.query('SELECT 1 FROM nowhere_new').catch(() => {});
    await app.query(`SHOW "odd.${version.slice(0, 2)}"`).catch(() => {});
    await app.script(`DO $$ BEGIN RAISE WARNING 'could not read block 5 of "${secret}"'; END $$`);
    const found = findings(before, await take());
    expect(found).toEqual([
      'alert ERROR 42P01: relation "…" does not exist',
      'alert app: SELECT slow()',
      'unexpected ERROR 42704: unrecognized configuration parameter "…"',
      'unexpected WARNING 01000: could not read block N of "…"',
    ]);
  });

  test('a role without rights sees less, and is told so; the rest is there', async () => {
    const as = (user: string) => (database?: string) =>
      connect({ ...server.settings(database), user }, { name: 'test' });
    const before = await take();
    const after = await snapshotOf(server, databases, { connect: as('nobody') });
    expect(after.missing.map(({ what }) => what)).toEqual([
      'connections',
      'data directory',
      'replication',
      'settings of superusers',
      'statements',
    ]);
    expect(after.missing.map(({ why }) => why).join('\n')).toContain('GRANT pg_monitor TO USER');
    expect(after.databases.find(({ name }) => name === 'app')?.sequences).toMatchObject({
      count: 6,
      compared: 0,
    });
    expect(findings(before, after, ['unexpected']).filter((name) => !name.includes('setting '))).toEqual([]);
    const monitor = await snapshotOf(server, databases, { connect: as('monitor') });
    expect(monitor.missing).toEqual([]);
  });

  test('a lock, a time limit and a lost database stop nothing else', async () => {
    await using app = await server.connect('app');
    await app.query('BEGIN');
    await app.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    const started = Date.now();
    const locked = await take();
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(locked.missing).toEqual([]);
    expect(locked.databases.find(({ name }) => name === 'app')?.sequences).toMatchObject({ compared: 3 });
    await app.query('ROLLBACK');
    const gone = await snapshotOf(server, [...databases, 'missing one']);
    expect(gone.missing).toMatchObject([{ what: 'database missing one' }]);
    const lost = { ...gone, databases: gone.databases.map((each) => ({ ...each })) };
    const whole = structuredClone(lost);
    whole.missing = [];
    expect(findings(whole, lost)).toEqual(['unexpected database missing one']);
    await app.query('BEGIN');
    await app.query('LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
    const waited = await take();
    const hurried = await snapshotOf(server, databases, { statementTimeout: 300 });
    await app.query('ROLLBACK');
    expect(waited.missing).toMatchObject([{ what: 'app: objects', state: '55P03' }]);
    expect(hurried.missing).toMatchObject([
      { what: 'app: objects', state: '57014', why: expect.stringContaining('allowed are 0.3 s') },
    ]);
    // What our own time limit wrote to the log is told like any other error.
    expect(findings(locked, hurried)).toEqual([
      'alert ERROR 57014: canceling statement due to statement timeout',
      'alert FATAL 3D000: database "…" does not exist',
    ]);
    const aborted = AbortSignal.abort();
    await expect(snapshotOf(server, databases, { signal: aborted })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  test('a collected log is read through the server, in both formats it has', async () => {
    await using main = await server.connect();
    const json = version !== '13.23';
    await main.query(`ALTER SYSTEM SET logging_collector = 'on'`);
    await main.query(`ALTER SYSTEM SET log_destination = '${json ? 'jsonlog' : 'stderr'}'`);
    await server.stop();
    await server.start();
    await using app = await server.connect('app');
    await app.query(`SELECT '${secret}'::int`).catch(() => {});
    await app.script(`DO $$ BEGIN RAISE EXCEPTION '${secret}'; END $$`).catch(() => {});
    const snapshot = await snapshotOf(server, databases, { serverLog: undefined });
    expect(snapshot.missing).toEqual([]);
    expect(snapshot.log?.source).toMatch(json ? /\.json$/ : /\.log$/);
    const classes = snapshot.log?.classes.map(({ state, message }) => `${state} ${message}`);
    expect(classes).toContain('22P02 invalid input syntax for type integer: "…"');
    expect(classes).toContain('P0001 (text of a function)');
    expect(JSON.stringify(snapshot)).not.toContain(secret);
    const nobody = await snapshotOf(server, databases, {
      connect: (database) => connect({ ...server.settings(database), user: 'nobody' }, { name: 'test' }),
    });
    expect(nobody.missing.find(({ what }) => what === 'log')?.why).toContain('GRANT EXECUTE ON FUNCTION');
  });
});
