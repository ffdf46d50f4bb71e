/** Faults other than indexes: constraints, views, functions, files, slots, standbys, extensions. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer, testServer } from '../support/servers.ts';
import { findings, type Row, runAll } from './asking.ts';

async function of(server: TestServer, id: string, database = 'postgres'): Promise<Row[]> {
  return (await findings(server, database))[id] ?? [];
}

/** Several statements of one fix, as a person's psql sends them. */
function statementsOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ fix }) => (fix ?? '').split(/(?<=;) /));
}

// Both were mended in the next releases of each major: newer ones make no such constraint, so these do.
describe.each(['13.16', '15.1'])('foreign keys as %s makes them', (version) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer(version);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('detached-partition-fk', async () => {
    const name = '"we|ird\n<script>"';
    await runAll(server, 'postgres', [
      'CREATE TABLE ref (id int PRIMARY KEY) PARTITION BY RANGE (id)',
      'CREATE TABLE ref1 PARTITION OF ref FOR VALUES FROM (0) TO (100)',
      'CREATE TABLE ref2 PARTITION OF ref FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)',
      'CREATE TABLE ref2a PARTITION OF ref2 FOR VALUES FROM (100) TO (200)',
      'CREATE TABLE fk (id int REFERENCES ref) PARTITION BY RANGE (id)',
      `CREATE TABLE ${name} PARTITION OF fk FOR VALUES FROM (0) TO (100)`,
      `ALTER TABLE fk DETACH PARTITION ${name}`,
      // The entry of a later partition is made: a count of entries could come out right.
      'CREATE TABLE ref3 PARTITION OF ref FOR VALUES FROM (200) TO (300)',
      'INSERT INTO ref VALUES (1)',
      `INSERT INTO ${name} VALUES (1)`,
      'DELETE FROM ref',
    ]);
    const rows = await of(server, 'detached-partition-fk');
    expect(rows).toEqual([
      {
        object: `fk_id_fkey ON public.${name}`,
        fix: `ALTER TABLE public.${name} DROP CONSTRAINT fk_id_fkey; ALTER TABLE public.${name} ADD CONSTRAINT fk_id_fkey FOREIGN KEY (id) REFERENCES public.ref(id);`,
        safe: false,
        detail: 'deletes and updates are not checked in 3 of 4 partitions of public.ref',
        total: '1',
      },
    ]);
    const [drop = '', add = ''] = statementsOf(rows);
    await runAll(server, 'postgres', [drop]);
    await expect(runAll(server, 'postgres', [add])).rejects.toThrow('violates foreign key constraint');
    await runAll(server, 'postgres', [`DELETE FROM ${name}`, add]);
    expect(await of(server, 'detached-partition-fk')).toEqual([]);
    await expect(
      runAll(server, 'postgres', [
        'INSERT INTO ref VALUES (1)',
        `INSERT INTO ${name} VALUES (1)`,
        'DELETE FROM ref',
      ]),
    ).rejects.toThrow('violates foreign key constraint');
  });

  test('selfref-fk-partitioned', async () => {
    await runAll(server, 'postgres', [
      'CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree) PARTITION BY RANGE (id)',
      'CREATE TABLE tree1 PARTITION OF tree FOR VALUES FROM (0) TO (100)',
      'INSERT INTO tree VALUES (1, NULL), (2, 1)',
      'DELETE FROM tree WHERE id = 1',
    ]);
    const rows = await of(server, 'selfref-fk-partitioned');
    expect(rows).toMatchObject([
      {
        object: 'tree_up_fkey ON public.tree',
        fix: 'ALTER TABLE public.tree DROP CONSTRAINT tree_up_fkey; ALTER TABLE public.tree ADD CONSTRAINT tree_up_fkey FOREIGN KEY (up) REFERENCES public.tree(id);',
        safe: false,
      },
    ]);
    await runAll(server, 'postgres', ['DELETE FROM tree', ...statementsOf(rows)]);
    expect(await of(server, 'selfref-fk-partitioned')).toEqual([]);
  });
});

// NOT ENFORCED came with 18; 18.3 forgets, 18.4 does not.
test.each(['18.3', '18.4'])('fk-deferrable-not-enforced on %s', async (version) => {
  await using server = await testServer(version);
  const toggle = (table: string): string[] =>
    ['NOT ENFORCED', 'ENFORCED'].map((how) => `ALTER TABLE ${table} ALTER CONSTRAINT ${table}_fk ${how}`);
  await runAll(server, 'postgres', [
    'CREATE TABLE p (id int PRIMARY KEY)',
    'CREATE TABLE a (id int CONSTRAINT a_fk REFERENCES p DEFERRABLE INITIALLY DEFERRED)',
    'CREATE TABLE b (id int CONSTRAINT b_fk REFERENCES p DEFERRABLE) PARTITION BY RANGE (id)',
    'CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (9)',
    'CREATE TABLE off (id int CONSTRAINT off_fk REFERENCES p DEFERRABLE NOT ENFORCED)',
    'CREATE TABLE plain (id int CONSTRAINT plain_fk REFERENCES p)',
    'CREATE TABLE cascades (id int CONSTRAINT cascades_fk REFERENCES p ON DELETE CASCADE DEFERRABLE)',
    ...['a', 'b', 'plain'].flatMap(toggle),
  ]);
  if (version === '18.3') {
    expect(await of(server, 'fk-deferrable-not-enforced')).toMatchObject([
      {
        object: 'a_fk ON public.a',
        fix: 'ALTER TABLE public.a ALTER CONSTRAINT a_fk NOT ENFORCED; ALTER TABLE public.a ALTER CONSTRAINT a_fk ENFORCED;',
        safe: false,
      },
      { object: 'b_fk ON public.b' },
    ]);
    return;
  }
  expect(await of(server, 'fk-deferrable-not-enforced')).toEqual([]);
  // As 18.3 left it, and mended on the newer release.
  await runAll(server, 'postgres', [
    `UPDATE pg_trigger SET tgdeferrable = false, tginitdeferred = false WHERE tgrelid = 'a'::regclass`,
  ]);
  const rows = await of(server, 'fk-deferrable-not-enforced');
  expect(rows.map(({ object }) => object)).toEqual(['a_fk ON public.a']);
  await runAll(server, 'postgres', statementsOf(rows));
  expect(await of(server, 'fk-deferrable-not-enforced')).toEqual([]);
});

// Clusters of later releases have the right views; 15.1 is from before. The script is of a later release.
test('cve-2024-4317-stats-views, in templates as well', async () => {
  await using server = await testServer('15.1');
  await using newer = await testServer('15.17', { start: false });
  const script = await readFile(
    join(newer.binaries.bin, '../share/postgresql/fix-CVE-2024-4317.sql'),
    'utf8',
  );
  for (const database of ['postgres', 'template1']) {
    expect(await of(server, 'cve-2024-4317-stats-views', database)).toMatchObject([
      { object: 'pg_catalog.pg_stats_ext', fix: null },
      { object: 'pg_catalog.pg_stats_ext_exprs', fix: null },
    ]);
    await using connection = await server.connect(database);
    await connection.script(script);
    expect(await of(server, 'cve-2024-4317-stats-views', database)).toEqual([]);
  }
});

describe.each(['13.23', '18.4'])('on %s', (version) => {
  let server: TestServer;
  let libraries: string;
  beforeAll(async () => {
    server = await testServer(version, {
      start: false,
      settings: {
        wal_level: 'logical',
        max_prepared_transactions: '0',
        ...(version === '18.4' ? { summarize_wal: 'on', allow_in_place_tablespaces: 'on' } : {}),
      },
    });
    // Another plugin under its own name, beside the server's own libraries.
    libraries = join(server.folder, 'libraries');
    await mkdir(libraries, { mode: 0o755 });
    const own = join(server.binaries.bin, '../lib/postgresql/test_decoding.so');
    for (const name of ['wal2json', 'decoderbufs']) await copyFile(own, join(libraries, `${name}.so`));
    await writeFile(
      join(server.data, 'postgresql.auto.conf'),
      `dynamic_library_path = '${libraries}:$libdir'\n`,
    );
    await server.start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('view-column-privs-recreate keeps the options of a view', async () => {
    await runAll(server, 'postgres', [
      'CREATE ROLE reader',
      'CREATE TABLE secrets (id int, secret text)',
      'CREATE TABLE others (id int)',
      'CREATE VIEW w WITH (security_barrier = true, check_option = local) AS SELECT id FROM secrets WHERE id > 1',
      'CREATE VIEW plain AS SELECT s.id FROM others JOIN secrets AS s USING (id)',
      'CREATE VIEW silent AS SELECT id FROM others',
      'GRANT SELECT (id) ON secrets TO reader',
    ]);
    const rows = await of(server, 'view-column-privs-recreate');
    expect(rows.map(({ object, safe }) => [object, safe])).toEqual([
      ['public.plain', false],
      ['public.w', false],
    ]);
    expect(rows[1]?.fix).toMatch(
      /^CREATE OR REPLACE VIEW public\.w WITH \(security_barrier=true, check_option=local\) AS {2}SELECT /,
    );
    const options = `SELECT reloptions::text AS options FROM pg_class WHERE relname = 'w'`;
    await using connection = await server.connect();
    const before = await connection.query(options);
    await runAll(
      server,
      'postgres',
      rows.map(({ fix }) => fix ?? ''),
    );
    expect(await connection.query(options)).toEqual(before);
    await runAll(server, 'postgres', ['DROP VIEW w, plain, silent']);
  });

  test('json-strip-nulls-volatility', async () => {
    await runAll(server, 'template1', [
      `UPDATE pg_proc SET provolatile = 's' WHERE proname IN ('json_strip_nulls', 'jsonb_strip_nulls')`,
    ]);
    const rows = await of(server, 'json-strip-nulls-volatility', 'template1');
    const args = version === '18.4' ? 'target json, strip_in_arrays boolean' : 'json';
    expect(rows).toMatchObject([
      {
        object: `pg_catalog.json_strip_nulls(${args})`,
        fix: `UPDATE pg_catalog.pg_proc SET provolatile = 'i' WHERE oid = 3261;`,
        safe: true,
      },
      { fix: `UPDATE pg_catalog.pg_proc SET provolatile = 'i' WHERE oid = 3262;`, safe: true },
    ]);
    await runAll(
      server,
      'template1',
      rows.map(({ fix }) => fix ?? ''),
    );
    expect(await of(server, 'json-strip-nulls-volatility', 'template1')).toEqual([]);
  });

  test('orphan-segments-15-0, in tablespaces as well', async () => {
    await using connection = await server.connect();
    const [row] = await connection.query<{ oid: number }>(
      'SELECT oid::int FROM pg_database WHERE datname = current_database()',
    );
    const base = `base/${row?.oid}`;
    const names = [`${base}/99999.1`];
    for (const name of ['99998', '99998.1', '99999.1', '99999_fsm.1', 't3_99999.1'])
      await writeFile(join(server.data, base, name), '');
    // A tablespace inside the data directory can be made from 15 on.
    if (version === '18.4') {
      await runAll(server, 'postgres', [
        `CREATE TABLESPACE extra LOCATION ''`,
        'CREATE TABLE far () TABLESPACE extra',
      ]);
      const [far] = await connection.query<{ path: string }>(`SELECT pg_relation_filepath('far') AS path`);
      const orphan = `${far?.path.replace(/\/\d+$/, '')}/99999.2`;
      await writeFile(join(server.data, orphan), '');
      names.push(orphan);
    }
    const rows = await of(server, 'orphan-segments-15-0');
    expect(rows.map(({ object, fix, safe }) => [object, fix, safe])).toEqual(
      names.map((name) => [name, null, false]),
    );
  });

  test('output-plugin-allowlist names all plugins in each statement', async () => {
    await runAll(server, 'postgres', [
      `SELECT pg_create_logical_replication_slot('fine', 'test_decoding')`,
      `SELECT pg_create_logical_replication_slot('b', 'wal2json')`,
      `SELECT pg_create_logical_replication_slot('a', 'wal2json')`,
      `SELECT pg_create_logical_replication_slot('c', 'decoderbufs')`,
      `SELECT pg_create_physical_replication_slot('physical')`,
    ]);
    const fix =
      'ALTER SYSTEM SET output_plugin_libraries = "pgoutput", "test_decoding", "decoderbufs", "wal2json"; SELECT pg_catalog.pg_reload_conf();';
    expect(await of(server, 'output-plugin-allowlist')).toMatchObject([
      { object: 'decoderbufs', fix, safe: false, detail: 'c in postgres' },
      { object: 'wal2json', fix, safe: false, detail: 'a in postgres, b in postgres' },
    ]);
    await runAll(server, 'postgres', [
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots',
    ]);
    expect(await of(server, 'output-plugin-allowlist')).toEqual([]);
  });

  test('pgcrypto, and extensions in C that do not come with the server', async () => {
    await runAll(server, 'postgres', [
      'CREATE EXTENSION pgcrypto',
      `CREATE FUNCTION hide(t text) RETURNS bytea LANGUAGE sql AS $$ SELECT pgp_sym_encrypt(t, 'key') $$`,
    ]);
    expect(await of(server, 'composite-type-versioning-extensions')).toEqual([]);
    expect(await of(server, 'pgcrypto-pgp-unsupported-cipher')).toMatchObject([
      {
        object: 'pgcrypto',
        fix: null,
        detail: expect.stringMatching(/; 1 functions of this database encrypt/),
      },
    ]);
    // An extension of somebody else: its row, and a function in C that belongs to it.
    await runAll(server, 'postgres', [
      `INSERT INTO pg_extension SELECT 99999, 'Other "x', extowner, extnamespace, true, '2.1', NULL, NULL
       FROM pg_extension WHERE extname = 'plpgsql'`,
      `CREATE FUNCTION other() RETURNS uuid LANGUAGE c AS '$libdir/pgcrypto', 'pg_random_uuid'`,
      'ALTER EXTENSION "Other ""x" ADD FUNCTION other()',
    ]);
    expect(await of(server, 'composite-type-versioning-extensions')).toMatchObject([
      { object: '"Other ""x"', fix: null, safe: false, detail: 'version 2.1' },
    ]);
    await runAll(server, 'postgres', [
      'ALTER EXTENSION "Other ""x" DROP FUNCTION other()',
      'DELETE FROM pg_extension WHERE oid = 99999',
    ]);
  });

  test('standbys are found by the primary; archivers and base backups are none', async () => {
    const found = async (): Promise<string[][]> => {
      const all = await findings(server, 'postgres', ['cluster']);
      return ['standby-before-primary-contrecord', 'standby-snapshot-parallel-dump'].map((id) =>
        (all[id] ?? []).map(({ object, detail }) => `${object}: ${detail}`),
      );
    };
    expect(await found()).toEqual([[], []]);
    const streams = ['replica one', 'pg_receivewal'].map(
      (application_name) =>
        new pg.Client({
          ...{ host: '127.0.0.1', port: server.port, user: 'postgres', ssl: false, application_name },
          ...({ replication: 'true' } as object),
        }),
    );
    try {
      for (const stream of streams) {
        // The servers ends it when it is disposed of: that is not an error of this test.
        stream.on('error', () => {});
        await stream.connect();
        void stream.query('START_REPLICATION 0/1000000').catch(() => {});
      }
      let seen = await found();
      for (let i = 0; i < 100 && !seen[0]?.some((line) => /streaming/.test(line)); i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen = await found();
      }
      const line = 'replica one (127.0.0.1): streaming, async';
      expect(seen).toEqual([[line], [line]]);
    } finally {
      for (const stream of streams) stream.connection.stream.destroy();
    }
  });

  test('incremental-backups-untrusted', async () => {
    // summarize_wal came with 17: 13 has nothing to say.
    const found = version === '18.4' ? [{ object: 'summarize_wal', fix: null, safe: false }] : [];
    expect(await of(server, 'incremental-backups-untrusted')).toMatchObject(found);
  });

  test('a standby is found by itself', async () => {
    await server.stop();
    await writeFile(join(server.data, 'standby.signal'), '');
    await server.start();
    expect(await of(server, 'standby-snapshot-parallel-dump')).toMatchObject([
      { object: 'this server', fix: null, detail: 'a standby' },
    ]);
  });
});
