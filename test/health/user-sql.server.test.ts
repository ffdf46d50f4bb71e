/** The user's own SQL on real servers: what it may do, what is kept of it, what blocks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askHealthFile } from '../../src/health/user-sql.ts';
import { connect } from '../../src/postgres/connection.ts';
import type { QueryRecord } from '../../src/report/record.ts';
import type { HealthFile } from '../../src/spec/health-schema.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';

const file = (more: Partial<HealthFile> = {}): HealthFile => ({
  file: 'ops/health.sql',
  'read-only': true,
  timeout: 30,
  ...more,
});

describe.each(['13.23', '18.4'])('%s', (version) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await testServer(version);
    await using main = await server.connect();
    await main.query('CREATE DATABASE app');
    await using app = await server.connect('app');
    await app.script(`CREATE SCHEMA shop; CREATE TABLE shop.orders (id int, status text);
      INSERT INTO shop.orders VALUES (1, 'paid'), (2, 'Failed: card');
      ALTER ROLE postgres SET search_path = shop;
      CREATE PROCEDURE shop.leave() LANGUAGE plpgsql AS 'BEGIN COMMIT; CREATE TABLE shop.left_it (); END';
      CREATE FUNCTION shop.writes() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(''transaction_read_only'', ''off'', false); CREATE TABLE shop.wrote (); RETURN 1; END'`);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const ask = (text: string, more: Partial<HealthFile> = {}, signal = new AbortController().signal) =>
    askHealthFile(file(more), text, 'before', {
      async connect(database = 'app', statementTimeout) {
        const connection = await connect(server.settings(database), {
          name: 'postgres-upgrade',
          statementTimeout,
        });
        await connection.script('SET search_path = pg_catalog');
        return connection;
      },
      signal,
    });
  const one = async (text: string, more: Partial<HealthFile> = {}): Promise<QueryRecord | undefined> =>
    (await ask(text, more))[0];
  const tables = async (): Promise<unknown> => {
    await using app = await server.connect('app');
    return await app.query(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'shop'::regnamespace ORDER BY 1`,
    );
  };

  test("statements one by one, with the role's own path, in the database that the spec names", async () => {
    const records = await ask(
      '-- orders\nSELECT id, id AS id, status FROM orders ORDER BY id;\n\nSHOW search_path;\nVALUES (1), (NULL)',
    );
    expect(records).toMatchObject([
      {
        file: 'ops/health.sql',
        line: 2,
        when: 'before',
        database: 'app',
        columns: ['id', 'id', 'status'],
        rows: [
          ['1', '1', 'paid'],
          ['2', '2', 'Failed: card'],
        ],
        total: 2,
        status: 'blocked',
        why: 'row 2: status is "Failed: card"',
      },
      { line: 4, rows: [['shop']], status: 'passed', why: null },
      { line: 5, columns: ['column1'], rows: [['1'], [null]], total: 2, status: 'passed' },
    ]);
    expect(await one('SELECT current_database()', { database: 'postgres' })).toMatchObject({
      rows: [['postgres']],
      database: 'postgres',
    });
  });

  test('values come as the server writes them', async () => {
    const record = await one(
      `SELECT 'infinity'::timestamptz, 1.50::numeric, '{1,2}'::int[], '{"a": 1}'::json, true, 12345678901234567890, E'a\\nb\\u0001<script>', 1 AS "__proto__"`,
    );
    expect(record?.rows).toEqual([
      ['infinity', '1.50', '{1,2}', '{"a": 1}', 't', '12345678901234567890', 'a\nb\u0001<script>', '1'],
    ]);
    expect(record?.columns.at(-1)).toBe('__proto__');
  });

  test.each([
    ['SELECT 1 AS STATUS', 'passed'],
    [`SELECT 'no errors_here' AS status`, 'passed'],
    [`SELECT 'all CRITICAL' AS "Severity"`, 'blocked'],
    [`SELECT 'an error' AS severity`, 'blocked'],
    [`SELECT 'error' AS other`, 'passed'],
    [`SELECT 'error-free' AS status`, 'blocked'],
    [`SELECT NULL AS status WHERE false`, 'passed'],
    [`SELECT CASE WHEN i = 5000 THEN 'failed' END AS status FROM generate_series(1, 9000) AS i`, 'blocked'],
  ])('%s: %s', async (sql, status) => expect(await one(sql)).toMatchObject({ status }));

  test('an error ends neither the file nor the transaction', async () => {
    const records =
      await ask(`SELECT 1; SELECT 1/0; SELECT * FROM nowhere; CREATE TABLE x (); SELECT nextval('nope');
      CALL leave(); SELECT writes(); DO $$ BEGIN COMMIT; END $$; SET search_path = public; SHOW search_path; SHOW transaction_read_only`);
    expect(records.map(({ status }) => status)).toEqual([
      'passed',
      'error',
      'error',
      'error',
      'error',
      'error',
      'error',
      'error',
      'passed',
      'passed',
      'passed',
    ]);
    expect(records[3]?.why).toContain('read-only transaction');
    expect(records.at(-2)?.rows).toEqual([['public']]);
    expect(records.at(-1)?.rows).toEqual([['on']]);
    expect(await tables()).toEqual([{ relname: 'orders' }]);
  });

  test('a file that only reads cannot leave its transaction', async () => {
    for (const text of [
      'COMMIT; CREATE TABLE x()',
      'SELECT 1;\nROLLBACK;\nCREATE TABLE x()',
      'SET transaction_read_only = off; CREATE TABLE x()',
    ]) {
      expect(await failureOf(ask(text))).toMatchObject({ code: 'health-sql', phase: 'check' });
    }
    // Whatever the quoting rules: one text is one statement for the server, too.
    await using main = await server.connect();
    await main.query('ALTER DATABASE app SET standard_conforming_strings = off');
    const [record] = await ask(String.raw`SELECT 'a\', '; COMMIT; CREATE TABLE x(); --'`);
    await main.query('ALTER DATABASE app RESET standard_conforming_strings');
    expect(record?.rows?.length ?? 0).toBeLessThanOrEqual(1);
    expect(await tables()).toEqual([{ relname: 'orders' }]);
  });

  test('read-only: false writes', async () => {
    const records = await ask(
      `CREATE TABLE orders2 (id int); INSERT INTO orders2 VALUES (1) RETURNING id; SELECT 1/0;
      WITH gone AS (DELETE FROM orders2 RETURNING id) SELECT count(*) FROM gone; DROP TABLE orders2; VACUUM orders`,
      { 'read-only': false },
    );
    expect(records.map(({ status }) => status)).toEqual([
      'passed',
      'passed',
      'error',
      'passed',
      'passed',
      'passed',
    ]);
    expect(records[3]?.rows).toEqual([['1']]);
  });

  test('ten million rows need no memory and are all looked at', async () => {
    const started = process.memoryUsage().rss;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const record = await one(
      `SELECT i, CASE WHEN i = 9999999 THEN 'failed' END AS status FROM generate_series(1, 10000000) AS i`,
      { timeout: 100 },
    );
    clearInterval(timer);
    expect(record).toMatchObject({
      total: 10_000_000,
      status: 'blocked',
      why: 'row 9999999: status is "failed"',
    });
    expect(record?.rows).toHaveLength(200);
    expect(most - started).toBeLessThan(400 * 1024 ** 2);
  });

  test('wide and long cells are cut', async () => {
    const columns = Array.from({ length: 60 }, (_, i) => `repeat('x', 100000) AS c${i}`).join(', ');
    const [wide, next] = await ask(`SELECT ${columns} FROM generate_series(1, 300); SELECT 'y' AS a`);
    expect(wide).toMatchObject({ total: 300, status: 'passed' });
    expect(wide?.columns).toHaveLength(50);
    expect(wide?.rows[0]?.[0]).toHaveLength(1001);
    expect(JSON.stringify(wide).length).toBeLessThan(1_500_000);
    expect(next).toMatchObject({ total: 1, rows: [] });
  });

  test('time limits, a lost session, cancelling', async () => {
    const [slow, endless, after] = await ask(
      'SELECT pg_sleep(9); SELECT pg_sleep(0.4) FROM generate_series(1, 1000); SELECT 1',
      { timeout: 1 },
    );
    expect(slow).toMatchObject({ status: 'error', why: expect.stringContaining('statement timeout') });
    expect(endless).toMatchObject({ status: 'error' });
    expect(after).toMatchObject({ status: 'passed' });
    const lost = await ask('SELECT pg_terminate_backend(pg_backend_pid()); SELECT 2 AS two');
    expect(lost).toMatchObject([{ status: 'error' }, { status: 'passed', rows: [['2']] }]);
    const cancelling = new AbortController();
    setTimeout(() => cancelling.abort(), 300);
    const started = Date.now();
    expect(await failureOf(ask('SELECT pg_sleep(20)', {}, cancelling.signal))).toMatchObject({
      code: 'cancelled',
    });
    expect(Date.now() - started).toBeLessThan(4000);
  });
});
