/** Asking for release advice and carrying it out, on a real server. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { rebuildIndex, runLong, sweepIndex } from '../../src/postgres/maintain.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { adviceStep } from '../../src/upgrade/advice-step.ts';
import { askAdvice } from '../../src/upgrade/ask-advice.ts';
import { stepRun } from '../../src/upgrade/target.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { until } from '../support/targets.ts';
import { type World, world } from './world.ts';

let server: TestServer;
let here: World;

beforeAll(async () => {
  server = await testServer('15.17', { settings: { autovacuum: 'off' } });
  await sql('CREATE DATABASE shop', 'postgres');
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(async () => {
  here?.[Symbol.dispose]();
  here = await world({ spec: 'advice: apply' });
  Object.assign(here.run, { settings: server.settings('shop') });
  await sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public');
});
afterAll(() => here?.[Symbol.dispose]());

async function sql(text: string, database = 'shop'): Promise<void> {
  await using connection = await server.connect(database);
  await connection.script(text);
}
async function rows(text: string): Promise<Record<string, unknown>[]> {
  await using connection = await server.connect('shop');
  return await connection.query(text);
}

async function asked(): Promise<AdviceRecord[]> {
  const { record } = here.run.recorder;
  record.advice = await askAdvice(here.run, parseVersion('15.1'), parseVersion('15.20'));
  return record.advice.filter(({ state }) => ['applies', 'error', 'skipped'].includes(state));
}
const carryOut = () =>
  adviceStep(here.run).run(stepRun(here.run, here.run.recorder.startStep('advice', 'Advice'), true));
const found = (id: string): AdviceRecord | undefined =>
  here.run.recorder.record.advice.find((each) => each.id === id);
const invalid = () => rows('SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid');

test('indexes are rebuilt; that of an exclusion constraint is left to a person', async () => {
  await sql(`CREATE EXTENSION btree_gist SCHEMA public;
    CREATE TABLE booking (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
    CREATE TABLE place (at point);
    CREATE INDEX "we|ird ""one""" ON place USING gist (at)`);
  const before = await rows(`SELECT pg_relation_filenode('"we|ird ""one"""')::int AS node`);
  // template0 was never looked into: its script runs again, which does no harm.
  expect((await asked()).map(({ id, by }) => [id, by])).toEqual([
    ['gist-recursive-split', 'action'],
    ['cve-2024-4317-stats-views', 'action'],
  ]);
  await carryOut();
  expect(found('gist-recursive-split')).toMatchObject({
    state: 'partly',
    objects: expect.arrayContaining([
      expect.objectContaining({ name: 'public."we|ird ""one"""', state: 'done' }),
      expect.objectContaining({
        name: 'public.booking_room_during_excl',
        state: 'left',
        sql: 'REINDEX INDEX public.booking_room_during_excl;',
      }),
    ]),
  });
  expect(await rows(`SELECT pg_relation_filenode('"we|ird ""one"""')::int AS node`)).not.toEqual(before);
});

test('one that fails is told with its reason, leaves nothing behind, and the rest is done', async () => {
  await sql(`CREATE TABLE a (i interval); CREATE TABLE b (i interval);
    INSERT INTO a VALUES ('1 day'); INSERT INTO b VALUES ('1 day');
    CREATE UNIQUE INDEX a_i ON a (i); CREATE INDEX b_i ON b (i);
    UPDATE pg_index SET indisunique = false, indisready = false WHERE indexrelid = 'a_i'::regclass`);
  await sql(`INSERT INTO a VALUES ('1 day')`);
  await sql(`UPDATE pg_index SET indisunique = true, indisready = true WHERE indexrelid = 'a_i'::regclass`);
  await asked();
  await expect(carryOut()).resolves.toEqual({ state: 'done' });
  expect(found('btree-interval-dedup')).toMatchObject({
    state: 'partly',
    objects: expect.arrayContaining([
      expect.objectContaining({
        name: 'public.a_i',
        state: 'failed',
        detail: expect.stringContaining('could not create unique index'),
      }),
      expect.objectContaining({ name: 'public.b_i', state: 'done' }),
    ]),
  });
  expect(await invalid()).toEqual([]);
  expect(here.run.recorder.record.issues.map(({ code }) => code)).toEqual(['advice-failed']);
});

test('extensions are updated where their files offer more, each in its database', async () => {
  await sql("CREATE EXTENSION hstore SCHEMA public VERSION '1.7'");
  await asked();
  await carryOut();
  expect(found('extension-updates')).toMatchObject({
    state: 'done',
    objects: [
      {
        database: 'shop',
        name: 'hstore',
        sql: 'ALTER EXTENSION hstore UPDATE;',
        detail: '1.7 → 1.8',
        state: 'done',
      },
    ],
  });
  expect(await rows("SELECT extversion FROM pg_extension WHERE extname = 'hstore'")).toEqual([
    { extversion: '1.8' },
  ]);
});

test('a statement that takes long ends on the server when the run does, and leaves no half-built index', async () => {
  await sql('CREATE TABLE big AS SELECT i FROM generate_series(1, 1000) i; CREATE INDEX big_i ON big (i)');
  // An older transaction holds the rebuild up, after its copy was made.
  await using older = await server.connect('shop');
  await older.script('BEGIN; INSERT INTO big VALUES (0)');
  const stop = new AbortController();
  const connect = () => server.connect('shop');
  const running = rebuildIndex(
    connect,
    'public.big_i',
    'REINDEX INDEX CONCURRENTLY public.big_i',
    stop.signal,
  );
  const waiting = () =>
    rows(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE 'REINDEX INDEX CONC%' AND wait_event_type = 'Lock'",
    );
  await until(waiting, (list) => list.length === 1);
  expect((await invalid()).length).toBeGreaterThan(0);
  stop.abort();
  await until(waiting, (list) => list.length === 0);
  await older.script('ROLLBACK');
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(await invalid()).toEqual([]);
  await expect(runLong(connect, 'SELECT 1', stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
});

test('a half-built index that an older transaction keeps is named, with what drops it', async () => {
  await sql('CREATE TABLE busy AS SELECT i FROM generate_series(1, 10) i; CREATE INDEX busy_i ON busy (i)');
  await using older = await server.connect('shop');
  await older.script('BEGIN; INSERT INTO busy VALUES (0)');
  const stop = new AbortController();
  const connect = () => server.connect('shop');
  const running = rebuildIndex(
    connect,
    'public.busy_i',
    'REINDEX INDEX CONCURRENTLY public.busy_i',
    stop.signal,
  );
  await until(invalid, (list) => list.length > 0);
  stop.abort();
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  await expect(sweepIndex(connect, 'public.busy_i')).rejects.toMatchObject({
    code: 'index-left',
    hint: 'When older transactions have ended: DROP INDEX CONCURRENTLY IF EXISTS public.busy_i_ccnew;',
  });
  await older.script('COMMIT');
  await sweepIndex(connect, 'public.busy_i');
  expect(await invalid()).toEqual([]);
});

test('a database that accepts no connections: nobody looked, so nothing is said of it', async () => {
  await sql('CREATE DATABASE shut', 'postgres');
  await sql('ALTER DATABASE shut ALLOW_CONNECTIONS false', 'postgres');
  try {
    await asked();
    expect(found('brin-null-handling')).toMatchObject({
      state: 'skipped',
      seen: ['shut: accepts no connections, nobody could look'],
    });
  } finally {
    await sql('DROP DATABASE shut', 'postgres');
  }
});

test('a user without rights: what cannot be seen is skipped with the grant, never "does not apply"', async () => {
  await sql('DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN', 'postgres');
  await sql('REVOKE ALL ON pg_catalog.pg_replication_slots FROM public', 'shop');
  try {
    Object.assign(here.run, { settings: { ...server.settings('shop'), user: 'nobody' } });
    await asked();
    expect(found('output-plugin-allowlist')).toMatchObject({
      state: 'skipped',
      by: 'person',
      seen: [expect.stringContaining('GRANT pg_monitor TO USER;')],
    });
    expect(found('brin-null-handling')?.state).toBe('does-not-apply');
  } finally {
    await sql('GRANT SELECT ON pg_catalog.pg_replication_slots TO public', 'shop');
  }
});
