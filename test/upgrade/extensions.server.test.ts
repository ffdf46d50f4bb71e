/** Looking after extensions on a real server: what is in order, what is broken, and what is mended. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { askHealth } from '../../src/upgrade/ask-health.ts';
import { errorsOf } from '../../src/upgrade/extension-errors.ts';
import { load } from '../spec/specs.ts';
import { own, type Programs, programsWith } from '../support/extension/programs.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf, until } from '../support/targets.ts';
import { mended, type Shop, shop, spoil, views } from './extension-support.ts';

let programs: Programs;
let server: TestServer;
const scripts = new Map<string, string>();

beforeAll(async () => {
  programs = await programsWith('15.18');
  server = await testServer('15.18', { binaries: programs.binaries });
  for (const name of ['1.0', '1.0--1.1', '1.1--1.0'])
    scripts.set(name, await readFile(join(programs.extensions, `${own}--${name}.sql`), 'utf8'));
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await programs?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const [name, text] of scripts) await script(name, text);
});

const script = (name: string, text: string): Promise<void> =>
  writeFile(join(programs.extensions, `${own}--${name}.sql`), text);
const created = "CREATE EXTENSION pgu_views VERSION '1.0'";
const recorded = ({ here }: Shop) => here.run.recorder.record.extensions;

test('what is in order stays as it is, and the record says so, before and after', async () => {
  await using here = await shop(
    server,
    `CREATE SCHEMA "we|ird; x"; CREATE EXTENSION pgu_views SCHEMA "we|ird; x" VERSION '1.0';
     INSERT INTO "we|ird; x".pgu_views_metadata VALUES ('a', now(), 1, NULL), ('b', now(), 1, 'it broke')`,
  );
  await here.note();
  expect(await here.run()).toEqual({ state: 'done' });
  const state = {
    version: '1.0',
    schema: 'we|ird; x',
    own: '1.0',
    errors: 1,
    tables: [{ name: '"we|ird; x".pgu_views_metadata', rows: 2 }],
  };
  expect(recorded(here)).toEqual([
    { extension: 'pgu_views', database: here.database, before: state, after: state, done: [], faults: [] },
  ]);
  expect(here.notes()).toEqual([`${here.database}: pgu_views 1.0 (1.0): in order`]);
});

test('names without a schema mean those of the extension, whatever the path of the database says', async () => {
  await using here = await shop(
    server,
    `CREATE SCHEMA ext; CREATE EXTENSION pgu_views SCHEMA ext VERSION '1.0';
     CREATE TABLE public.seen (who name);
     CREATE FUNCTION public.pgu_views_version() RETURNS text LANGUAGE sql AS $$SELECT 'planted'$$`,
  );
  await here.note();
  expect(recorded(here)[0]?.before?.own).toBe('1.0');
});

test.each([
  ['never', views],
  ['if-needed', mended],
])('reinstall: %s: more errors than before are a fault that nothing mends', async (_name, spec) => {
  await using here = await shop(
    server,
    `${created}; INSERT INTO pgu_views_metadata VALUES ('a', now(), 1, NULL)`,
    { spec },
  );
  await here.note();
  expect(await errorsOf(here.here.run)).toEqual([
    { database: here.database, extension: 'pgu_views', errors: 0, before: 0 },
  ]);
  await here.sql("UPDATE pgu_views_metadata SET last_error = 'boom'");
  expect(await errorsOf(here.here.run)).toEqual([
    { database: here.database, extension: 'pgu_views', errors: 1, before: 0 },
  ]);
  expect(await failureOf(here.run())).toMatchObject({
    code: 'extension-broken',
    message: `After the change an extension is not in order: pgu_views in ${here.database}: errors-sql answers 1, and 0 before.`,
  });
  expect(recorded(here)[0]).toMatchObject({ done: [], faults: ['errors-sql answers 1, and 0 before'] });
});

test('reinstall: never changes nothing', async () => {
  await using here = await shop(server, created, { spec: views });
  await here.note();
  await here.sql(spoil);
  expect(await failureOf(here.run())).toMatchObject({
    code: 'extension-broken',
    message: expect.stringContaining('version-sql fails: division by zero'),
    hint: expect.stringContaining('reinstall: if-needed'),
  });
  expect(await here.version()).toBe('1.0');
  expect(here.here.journal().filter((line) => line.startsWith('extension-update'))).toEqual([]);
});

test('a newer version is tried first, told to the journal before, and taken back on the way back', async () => {
  await using here = await shop(server, `${created}; INSERT INTO pgu_views_metadata VALUES ('a')`);
  await here.note();
  await here.sql(spoil);
  expect(await here.run()).toEqual({ state: 'done' });
  expect(await here.version()).toBe('1.1');
  expect(recorded(here)[0]).toMatchObject({
    after: { version: '1.1', own: '1.1', tables: [{ rows: 1 }] },
    done: ['updated from 1.0 to 1.1'],
    faults: [],
  });
  // Once more, as a resumed run would: the updated one is what is wanted now.
  expect(await here.run()).toEqual({ state: 'done' });
  expect(here.here.run.journal.state().extensionUpdates).toEqual([
    {
      extension: 'pgu_views',
      database: here.database,
      from: '1.0',
      to: '1.1',
      schemas: ['public'],
      state: 'started',
    },
  ]);
  await here.undo();
  expect(await here.version()).toBe('1.0');
  expect(here.notes()).toEqual([`${here.database}: pgu_views is back at 1.0`]);
  expect(here.here.run.journal.state().extensionUpdates).toMatchObject([{ state: 'over' }]);
  expect(here.here.run.recorder.record.issues).toEqual([]);
});

test('without a way back the newer version stays, which is told and fails nothing', async () => {
  await using here = await shop(server, created);
  await here.note();
  await here.sql(spoil);
  await here.run();
  await rm(join(programs.extensions, `${own}--1.1--1.0.sql`));
  await here.undo();
  expect(await here.version()).toBe('1.1');
  expect(here.here.run.recorder.record.issues).toMatchObject([
    {
      code: 'extension-stays',
      what: `The extension pgu_views in ${here.database}, which was updated from 1.0 to 1.1, stays as it is: no update path leads from 1.1 to 1.0.`,
    },
  ]);
});

test.each([
  ['a script that fails', 'SELECT 1/0;', 'division by zero'],
  [
    'a version that does not work',
    spoil.replace('public', '@extschema@'),
    'version-sql fails: division by zero',
  ],
])('%s is not kept: the same version is loaded anew', async (_name, text, why) => {
  await using here = await shop(server, created);
  await here.note();
  await here.sql(spoil);
  await script('1.0--1.1', text);
  expect(await here.run()).toEqual({ state: 'done' });
  expect(recorded(here)[0]).toMatchObject({
    after: { version: '1.0', own: '1.0' },
    done: [
      `not updated from 1.0 to 1.1, as before: ${why}`,
      'dropped and created again at 1.0, in one transaction',
    ],
    faults: [],
  });
  expect(here.here.run.journal.state().extensionUpdates).toMatchObject([{ state: 'over' }]);
});

test('what does not work after it was loaded anew is taken back, and is broken', async () => {
  await using here = await shop(server, created);
  await here.note();
  await here.sql(spoil);
  await script('1.0--1.1', 'SELECT 1/0;');
  await script('1.0', 'SELECT 1/0;');
  const before = await here.rows('SELECT oid FROM pg_extension ORDER BY 1');
  expect(await failureOf(here.run())).toMatchObject({
    code: 'extension-broken',
    hint: expect.stringContaining('and was taken back: division by zero'),
  });
  expect(await here.rows('SELECT oid FROM pg_extension ORDER BY 1')).toEqual(before);
});

test('a library that is gone is a fault also where no SQL was given, and cannot be mended', async () => {
  await using here = await shop(server, 'CREATE EXTENSION pg_trgm; CREATE TABLE t (x text)', {
    spec: 'extensions: { pg_trgm: { reinstall: if-needed } }',
  });
  await here.note();
  await rm(join(programs.libraries, 'pg_trgm.so'));
  const failure = await failureOf(here.run());
  expect(failure).toMatchObject({
    code: 'extension-broken',
    message: expect.stringMatching(
      /pg_trgm in .*: it cannot be loaded: could not access file "\$libdir\/pg_trgm"/,
    ),
    hint: expect.stringContaining('did not help, and was taken back: could not access file'),
  });
  expect(await here.version('pg_trgm')).toBe('1.6');
});

test('a library under another name is found again by loading the extension anew, unless an index needs it', async () => {
  const plant = `UPDATE pg_proc SET probin = '$libdir/gone' WHERE probin = '$libdir/citext'`;
  const spec = 'extensions: { citext: { reinstall: if-needed } }';
  await using here = await shop(server, 'CREATE EXTENSION citext', { spec });
  await here.note();
  await here.sql(plant);
  expect(await here.run()).toEqual({ state: 'done' });
  expect(recorded(here)[0]?.done).toEqual(['dropped and created again at 1.6, in one transaction']);
  expect(await here.rows("SELECT 'A'::citext = 'a' AS same")).toEqual([{ same: true }]);
  await using other = await shop(
    server,
    `CREATE EXTENSION citext; CREATE TABLE mine (x citext PRIMARY KEY); ${plant}`,
    { spec },
  );
  const failure = await failureOf(other.run());
  expect(failure).toMatchObject({ code: 'extension-reload-refused' });
  expect(failure.hint).toContain('column x of table public.mine depends on type public.citext');
});

test('one that somebody dropped meanwhile is created again at its version; its rows are not', async () => {
  await using here = await shop(server, created);
  await here.note();
  await here.sql('DROP EXTENSION pgu_views');
  expect(await here.run()).toEqual({ state: 'done' });
  expect(recorded(here)[0]?.done).toEqual(['it was gone, and was created again at 1.0']);
  expect(await here.version()).toBe('1.0');
  await using empty = await shop(server, `${created}; INSERT INTO pgu_views_metadata VALUES ('a')`);
  await empty.note();
  await empty.sql('DROP EXTENSION pgu_views');
  expect(await failureOf(empty.run())).toMatchObject({
    code: 'extension-broken',
    message: expect.stringContaining(
      'its table public.pgu_views_metadata held 1 row before somebody dropped it, and is empty now',
    ),
  });
  await using never = await shop(server, created, { spec: views });
  await never.note();
  await never.sql('DROP EXTENSION pgu_views');
  expect(await failureOf(never.run())).toMatchObject({
    code: 'extension-broken',
    message: expect.stringContaining('it is not in this database'),
  });
  expect(await never.version()).toBeNull();
});

test('killed between the line in the journal and the update: the next run and the way back find it as it is', async () => {
  await using here = await shop(server, created);
  await here.note();
  const update = {
    extension: 'pgu_views',
    database: here.database,
    from: '1.0',
    to: '1.1',
    schemas: ['public'],
  };
  await here.here.run.journal.extensionUpdate(update, 'started');
  await here.undo();
  expect([await here.version(), here.notes()]).toEqual([
    '1.0',
    [`${here.database}: pgu_views is back at 1.0`],
  ]);
  await here.here.run.journal.extensionUpdate(update, 'started');
  expect(await here.run()).toEqual({ state: 'done' });
  expect(await here.version()).toBe('1.0');
  // Killed after it: that version is what is wanted, and the way back knows of it.
  await here.sql("ALTER EXTENSION pgu_views UPDATE TO '1.1'");
  expect(await here.run()).toEqual({ state: 'done' });
  await here.undo();
  expect(await here.version()).toBe('1.0');
});

test('a version in the spec is brought about, or refused before anything is changed', async () => {
  await using here = await shop(server, created, { spec: `${mended}    version: "1.1"\n` });
  await here.note();
  expect(await here.run()).toEqual({ state: 'done' });
  expect(recorded(here)[0]?.done).toEqual(['updated from 1.0 to 1.1']);
  await using never = await shop(server, created, { spec: `${views}    version: "1.1"\n` });
  expect(await failureOf(never.note())).toMatchObject({
    code: 'extension-faulty',
    message: expect.stringContaining('it has version 1.0, the spec wants 1.1'),
  });
  await using nowhere = await shop(server, created, {
    spec: `${mended}    version: "9'; DROP TABLE x; --"\n`,
  });
  await nowhere.note();
  expect(await failureOf(nowhere.run())).toMatchObject({
    code: 'extension-broken',
    message: expect.stringContaining("it has version 1.0, not 9'; DROP TABLE x; --"),
    hint: expect.stringContaining('no update path leads from 1.0 to'),
  });
});

test.each([
  ['SELECT pgu_views_refresh($$x$$)', 'cannot execute UPDATE in a read-only transaction'],
  ["COPY (SELECT 1) TO PROGRAM 'true'", 'write a query'],
  ['SELECT 1; DROP TABLE pgu_views_metadata', 'write one statement'],
  ['SELECT NULL::text', 'it answers NULL'],
  ['SELECT 1, 2', 'it answers one row with 2 columns, not one value'],
  ['SELECT 1 WHERE false', 'it answers no row, not one value'],
  ['VALUES (1), (2)', 'it answers several rows with 1 column, not one value'],
  ["WITH gone AS (DELETE FROM pgu_views_metadata RETURNING 1) SELECT 'x'", 'DECLARE CURSOR must not contain'],
  ["SELECT set_config('transaction_read_only', 'off', true)", 'transaction read-write mode'],
])('version-sql %s is refused before anything is changed', async (sql, why) => {
  await using here = await shop(server, `${created}; INSERT INTO pgu_views_metadata VALUES ('x')`, {
    spec: `extensions: { pgu_views: { version-sql: ${JSON.stringify(sql)} } }`,
  });
  expect(await failureOf(here.note())).toMatchObject({
    code: 'extension-faulty',
    message: expect.stringContaining(why),
  });
  expect(await here.rows('SELECT last_refreshed FROM pgu_views_metadata')).toEqual([
    { last_refreshed: null },
  ]);
});

test('an extension that no database has is told before anything is changed', async () => {
  await using here = await shop(server, created, { spec: 'extensions: { pgu_viws: {} }' });
  expect(await failureOf(here.note())).toMatchObject({
    code: 'extension-missing',
    message: 'The spec names the extension pgu_viws, and no database has it.',
  });
  await using named = await shop(server, 'SELECT 1', {
    spec: 'extensions: { pgu_views: { database: postgres } }',
  });
  expect(await failureOf(named.note())).toMatchObject({
    message: 'The spec names the extension pgu_views, and the database postgres does not have it.',
  });
});

test('smoke SQL is asked in each database that has the extension, and its results stay', async () => {
  const files = {
    'ops/smoke.sql':
      "SELECT CASE WHEN count(*) > 1 THEN 'failed' ELSE 'fine' END AS status FROM pgu_views_metadata;",
    'ops/health.sql': 'SELECT 1 AS one;',
  };
  await using here = await shop(server, created, {
    spec: `${views}    smoke: [ops/smoke.sql]\nhealth: [ops/health.sql]\n`,
    files,
  });
  await here.note();
  expect(await here.run()).toEqual({ state: 'done' });
  await askHealth(here.here.run, 'after');
  await askHealth(here.here.run, 'after');
  expect(here.here.run.recorder.record.queries.map(({ file, database }) => [file, database])).toEqual([
    ['ops/smoke.sql', here.database],
    ['ops/health.sql', here.database],
  ]);
  await here.sql("INSERT INTO pgu_views_metadata VALUES ('a'), ('b')");
  expect(await failureOf(here.run())).toMatchObject({
    code: 'extension-broken',
    message: `After the change smoke SQL of an extension does not pass: ops/smoke.sql:1 in ${here.database}.`,
    hint: 'ops/smoke.sql:1: row 1: status is "failed"',
  });
});

test('a cancel in the middle of an update leaves the older version, and nothing that works on', async () => {
  await using here = await shop(server, created);
  await here.note();
  await here.sql(spoil);
  await script('1.0--1.1', 'SELECT pg_catalog.pg_sleep(600);');
  const running = failureOf(here.run());
  const asleep = () => here.rows("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  await until(asleep, (list) => list.length === 1);
  here.here.stop.abort();
  expect(await running).toMatchObject({ code: 'cancelled' });
  expect(await here.version()).toBe('1.0');
  expect(here.here.run.journal.state().extensionUpdates).toMatchObject([{ state: 'started' }]);
  await until(asleep, (list) => list.length === 0);
});

test('a table that somebody holds locked for a moment is asked again before it counts', async () => {
  await using here = await shop(server, created);
  await here.note();
  await using other = await server.connect(here.database);
  await other.script('BEGIN; LOCK TABLE pgu_views_metadata');
  const running = here.run();
  await until(
    () => here.rows("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"),
    (list) => list.length > 0,
  );
  // Longer than the first look waits for it.
  await until(
    () => server.log(),
    (text) => text.includes('canceling statement due to lock timeout'),
  );
  await other.script('ROLLBACK');
  expect(await running).toEqual({ state: 'done' });
  expect(recorded(here)[0]).toMatchObject({ after: { errors: 0 }, done: [], faults: [] });
});

test('the SQL of examples/pg_tviews.yaml does what its page says', async () => {
  const text = await readFile('examples/pg_tviews.yaml', 'utf8');
  const loaded = load(text.replaceAll('pg_tviews', own));
  const [target] = loaded;
  if (!target) throw new Error('the example has no target');
  const read = async (name: string): Promise<string> =>
    (await readFile(`examples/ops/${name}`, 'utf8')).replaceAll('pg_tviews', own);
  const files = Object.fromEntries(
    await Promise.all(
      ['tviews-health.sql', 'tviews-smoke.sql', 'tviews-refresh.sql'].map(
        async (name) => [`ops/${name}`, await read(name)] as const,
      ),
    ),
  );
  await using here = await shop(
    server,
    `${created}; INSERT INTO pgu_views_metadata VALUES ('test_tview_name', now() - interval '1 day', 5, NULL)`,
    { files },
  );
  const extension = target.spec.extensions[own];
  if (!extension) throw new Error('the example has no extension');
  const { database: _named, ...spec } = extension;
  here.here.run.spec.extensions = { [own]: spec };
  here.here.run.spec.health = target.spec.health.map((file) => ({ ...file, database: here.database }));
  const health = async (when: 'before' | 'after'): Promise<string[]> =>
    (await askHealth(here.here.run, when)).map(({ status }) => status);
  expect(await health('before')).toEqual(['passed', 'passed', 'passed']);
  await here.note();
  expect(await here.run()).toEqual({ state: 'done' });
  expect(await here.rows('SELECT last_refresh_duration_ms AS ms FROM pgu_views_metadata')).toEqual([
    { ms: 1 },
  ]);
  expect(await health('after')).toEqual(['passed', 'passed', 'passed']);
  await here.sql("UPDATE pgu_views_metadata SET last_error = 'boom'");
  expect(await health('after')).toEqual(['blocked', 'passed', 'passed']);
  expect(await failureOf(here.run())).toMatchObject({ code: 'extension-broken' });
});
