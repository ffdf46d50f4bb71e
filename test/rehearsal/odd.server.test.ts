/** Rehearsals of what only a restore on the new version can tell. */
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type TestServer, type TestServerOptions, testServer } from '../support/servers.ts';
import { rehearse, stagesOf } from './rehearse.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function serverWith(
  version: string,
  script: string,
  options: TestServerOptions = {},
): Promise<TestServer> {
  server = await testServer(version, options);
  await using first = await server.connect();
  await first.script('CREATE DATABASE app');
  await using connection = await server.connect('app');
  await connection.script(script);
  return server;
}

test('a view on what the new major does not have any more breaks on the copy, not on the target', async () => {
  const source = await serverWith(
    '14.23',
    `CREATE TABLE reading (at timestamptz, value int);
     CREATE VIEW safe_to_stop AS SELECT NOT pg_is_in_backup() AS answer`,
  );
  await using result = await rehearse(source, { wanted: '15.18' });
  const { record } = result;
  expect(stagesOf(record).filter((stage) => !stage.endsWith('skipped'))).toEqual([
    'scratch passed',
    'backup passed',
    'restore failed',
  ]);
  expect(record).toMatchObject({ result: 'failed', changed: false, backup: null });
  expect(record.verdict).toMatch(
    /^The rehearsal of 14\.23 to 15\.18 failed at "Restore the backup and compare it": .*The dump of app could not be restored into 15\.18\./,
  );
  expect(record.next).toContain('function pg_is_in_backup() does not exist');
  // This kind cannot carry a new major out; rehearsing it needs no route.
  expect(record.issues.map(({ code }) => code)).toEqual(['route-major', 'rehearsal-restore']);
  await using connection = await source.connect('app');
  expect(await connection.query('SELECT answer FROM safe_to_stop')).toEqual([{ answer: true }]);
}, 60_000);

test('a setting that the new major refuses is found by the restart; without it the downtime of dump and restore is told', async () => {
  const source = await serverWith(
    '14.23',
    'CREATE TABLE reading AS SELECT generate_series(1, 1000) AS value',
    {
      settings: { stats_temp_directory: 'pg_stat_tmp', work_mem: '6MB' },
    },
  );
  await using refused = await rehearse(source, { wanted: '15.18' });
  expect(stagesOf(refused.record).at(-1)).toBe('restart failed');
  expect(refused.record.issues.at(-1)?.what).toBe(
    'PostgreSQL 15.18 does not know stats_temp_directory, and the target sets it: it would not start.',
  );

  await using connection = await source.connect();
  await connection.script('ALTER SYSTEM RESET ALL');
  await source.stop();
  const file = `${source.data}/postgresql.conf`;
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^stats_temp_directory.*$/m, ''));
  await source.start();
  await using passed = await rehearse(source, { wanted: '15.18' });
  expect(passed.record.result).toBe('success');
  const { measures } = passed.record.rehearsal ?? {};
  expect(measures?.downtimeBasis).toBe('dump, restore and restart as measured, one after the other');
  expect(measures?.expectedDowntimeMs).toBeGreaterThan(
    (measures?.restoreMs ?? 0) + (measures?.stopMs ?? 0) + (measures?.startMs ?? 0),
  );
}, 60_000);

test('foreign tables reach nothing: what is materialized from them stays empty, and a query on them says why', async () => {
  const source = await serverWith(
    '15.17',
    `
    CREATE EXTENSION postgres_fdw;
    CREATE TABLE local_part (id int); INSERT INTO local_part VALUES (1), (2);`,
  );
  await using connection = await source.connect('app');
  await connection.script(`
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${source.port}', dbname 'app');
    CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'postgres', password_required 'false');
    CREATE FOREIGN TABLE remote (id int) SERVER elsewhere OPTIONS (table_name 'local_part');
    CREATE VIEW between AS SELECT id FROM remote;
    CREATE MATERIALIZED VIEW "copied here" AS SELECT count(*) AS n FROM between;
    CREATE MATERIALIZED VIEW of_local AS SELECT count(*) AS n FROM local_part;
    CREATE MATERIALIZED VIEW never_filled AS SELECT 1 AS n WITH NO DATA`);
  await using result = await rehearse(source, {
    wanted: '15.18',
    more: ['rehearsal: { smoke: [{ file: smoke.sql, database: app }] }'],
    files: { 'smoke.sql': 'SELECT n / (n = 2)::int FROM of_local;\nSELECT id FROM remote;' },
  });
  const { record } = result;
  expect(stagesOf(record)).toContain('restore passed');
  expect(record.rehearsal?.stages.find(({ id }) => id === 'restore')?.output).toContain(
    'app: the materialized view public."copied here" reads a foreign table and was left empty',
  );
  expect(record.backup?.proof.notCompared).toContain(
    'app: the materialized view public."copied here" reads a foreign table and was left empty',
  );
  expect(stagesOf(record)).toContain('smoke failed');
  expect(record.issues).toMatchObject([{ code: 'rehearsal-smoke' }]);
  expect(record.issues[0]?.hint).toMatch(/smoke\.sql:2: .*has no handler/);
  expect(record.issues[0]?.hint).toContain('Foreign tables reach nothing in a rehearsal');
  expect(record.queries.map(({ status }) => status)).toEqual(['passed', 'error']);
}, 60_000);

test('healthy oddities do not fail it: grants that equal the default, an invalid index, a read-only database, an index on a function of few', async () => {
  const source = await serverWith(
    '15.17',
    `CREATE ROLE app;
     CREATE TABLE item (id int, t text); INSERT INTO item SELECT i, i::text FROM generate_series(1, 50) AS i;
     GRANT SELECT ON item TO app; REVOKE SELECT ON item FROM app;
     CREATE FUNCTION f(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
     CREATE TABLE owned (t text); INSERT INTO owned VALUES ('a'); ALTER TABLE owned OWNER TO app;
     CREATE INDEX owned_f ON owned (f(t));
     REVOKE EXECUTE ON FUNCTION f(text) FROM PUBLIC;
     INSERT INTO item VALUES (1, 'twice');
     CREATE FUNCTION quiet() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
     CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION quiet();
     ALTER ROLE app SET application_name TO 'x
CREATE TABLESPACE t OWNER o LOCATION '''';
y'`,
  );
  {
    await using connection = await source.connect('app');
    await connection.script('CREATE UNIQUE INDEX CONCURRENTLY twice ON item (id)').catch(() => {});
    expect(await connection.query('SELECT 1 AS n FROM pg_index WHERE NOT indisvalid')).toEqual([{ n: 1 }]);
    await connection.script('ALTER DATABASE app SET default_transaction_read_only = on');
  }
  await using result = await rehearse(source, { wanted: '15.18' });
  expect(result.record.issues).toEqual([]);
  expect(result.record.result).toBe('success');
}, 60_000);

test('a backup of another cluster of the same name is not rehearsed; unreadable memories keep nobody from anything', async () => {
  const source = await serverWith('15.17', 'CREATE TABLE a (i int)');
  await using first = await rehearse(source, { wanted: '15.18' });
  expect(first.record.result).toBe('success');
  await using other = await testServer('15.17');
  await using connection = await other.connect();
  await connection.script('CREATE DATABASE app');
  await mkdir(`${other.data}.upgrade/rehearsals`, { recursive: true });
  await writeFile(`${other.data}.upgrade/rehearsals/journal-2026-01-01.jsonl`, '\0\0\0\n');
  await using refused = await rehearse(other, {
    wanted: '15.18',
    context: { rehearseFrom: `${source.data}.upgrade/backups` },
  });
  expect(refused.record).toMatchObject({ result: 'failed', issues: [{ code: 'backup-other-cluster' }] });
}, 60_000);

test('a journal that tells of more than a rehearsal does is not gone by', async () => {
  const source = await serverWith('15.17', 'CREATE TABLE a (i int)');
  const precious = await mkdtempDisposable(join(tmpdir(), 'precious-'));
  const at = new Date().toISOString();
  const begin = {
    kind: 'begin',
    at,
    run: 'r',
    host: 'h',
    pid: 1,
    mode: 'rehearse',
    from: '15.17',
    wanted: '15.18',
  };
  const off = (id: string, detail: unknown): object => ({
    kind: 'switched-off',
    at,
    entry: { id, what: id, detail },
  });
  const folder = `${source.data}.upgrade/rehearsals`;
  await mkdir(folder, { recursive: true });
  for (const [entry, message] of [
    [
      off('application:a', { start: ['touch', `${precious.path}/ran`] }),
      'it tells of "application:a", which no rehearsal does',
    ],
    [off('backup-work', { work: precious.path, dump: `${precious.path}2` }), 'are no folders of a backup'],
  ] as const) {
    await writeFile(join(folder, 'journal.jsonl'), `${JSON.stringify(begin)}\n${JSON.stringify(entry)}\n`);
    await using result = await rehearse(source, { wanted: '15.18' });
    expect(result.record.result).toBe('failed');
    expect(result.record.issues.map(({ what }) => what).join()).toContain(message);
    expect(await readdir(precious.path)).toEqual([]);
  }
}, 60_000);
