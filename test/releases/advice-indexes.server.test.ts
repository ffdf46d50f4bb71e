/** Indexes planted in a database: each is found by what must find it and by nothing else, and every fix runs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseVersion } from '../../src/postgres/version.ts';
import { findAdvice } from '../../src/releases/advice-catalogue.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { ask, findings, type Row, runAll } from './asking.ts';
import { anyIndex, expectedIndexes, hostile, indexes, rebuild, tables } from './planted-indexes.ts';

const objects = (rows: Row[] | undefined): string[] => (rows ?? []).map(({ object }) => object);

// The oldest and the newest major: the catalogs in between have the columns of one or the other.
describe.each(['13.23', '18.4'])('on %s', (version) => {
  const { major } = parseVersion(version);
  let server: TestServer;
  let found: Record<string, Row[]>;

  beforeAll(async () => {
    server = await testServer(version, { settings: { min_parallel_index_scan_size: '16kB' } });
    await runAll(server, 'postgres', [
      'CREATE DATABASE sick',
      `CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
      `CREATE DATABASE mixed TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C'`,
    ]);
    await runAll(server, 'sick', [
      ...tables,
      ...indexes
        .filter(({ since }) => major >= (since ?? 13))
        .map(({ name, on }) => `CREATE INDEX ${name} ON s.${on}`),
    ]);
    found = await findings(server, 'sick', ['database']);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('exactly the planted indexes are found', () => {
    const names = Object.fromEntries(
      Object.entries(found).map(([id, rows]) => [
        id,
        objects(rows).filter((name) => !name.startsWith('pg_')),
      ]),
    );
    expect(names).toEqual(expectedIndexes(major));
  });

  test('the fix is a rebuild that the action may run, also for hostile names', async () => {
    const rows = anyIndex.flatMap((id) => found[id] ?? []);
    expect(rows.filter(({ safe }) => !safe)).toEqual([]);
    for (const { object, fix } of rows) expect(fix).toBe(rebuild(object.slice('s.'.length)));
    expect(rows.find(({ object }) => object.includes('script'))?.detail).toBe(`on s.${hostile}`);
    await runAll(
      server,
      'sick',
      (found['cic-insert-race'] ?? []).map(({ fix }) => fix ?? ''),
    );
  });

  test('an exclusion constraint and an invalid index are left to a person', async () => {
    await runAll(server, 'sick', [
      'CREATE TABLE s.x (i int, v int, EXCLUDE USING gist (i WITH =))',
      'INSERT INTO s.x VALUES (1, 7), (2, 7)',
    ]);
    await expect(runAll(server, 'sick', ['CREATE UNIQUE INDEX CONCURRENTLY bad ON s.x (v)'])).rejects.toThrow(
      'could not create unique index',
    );
    try {
      const rows = (await findings(server, 'sick', ['database']))['cic-insert-race'] ?? [];
      const [bad, excludes] = ['s.bad', 's.x_i_excl'].map((name) =>
        rows.find(({ object }) => object === name),
      );
      expect(bad).toMatchObject({ safe: false, fix: rebuild('bad') });
      expect(bad?.detail).toBe('on s.x; invalid: rebuild it, or drop it, by hand');
      expect(excludes).toMatchObject({ safe: false, fix: 'REINDEX INDEX s.x_i_excl;' });
      expect(excludes?.detail).toBe(
        'on s.x; backs an exclusion constraint: its rebuild locks the table, and the action does not do it',
      );
      await runAll(server, 'sick', [excludes?.fix ?? '']);
    } finally {
      await runAll(server, 'sick', ['DROP TABLE s.x']);
    }
  });

  test('temporary indexes are not seen', async () => {
    await using connection = await server.connect('sick');
    await connection.script('CREATE TEMP TABLE mine (iv interval); CREATE INDEX mine_iv ON mine (iv)');
    const advice = findAdvice('btree-interval-dedup');
    const rows = advice && (await ask(connection, advice));
    expect(objects(rows)).toEqual(['s.btree_iv', 's.btree_iv2']);
  });

  test('ltree-casefold is silent where libc sorts single bytes', async () => {
    await runAll(server, 'narrow', [
      'CREATE EXTENSION ltree',
      'CREATE TABLE t (l ltree)',
      'CREATE INDEX t_l ON t (l)',
    ]);
    const narrow = await findings(server, 'narrow', ['database']);
    expect(Object.keys(narrow).sort()).toEqual([...anyIndex, 'ltree-many-labels-overflow'].sort());
  });

  test('lc-ctype-c-collate-other looks at the database and at collations', async () => {
    await runAll(server, 'mixed', [
      `CREATE COLLATION odd (lc_collate = 'C.UTF-8', lc_ctype = 'C')`,
      'CREATE TABLE t (db text, c text COLLATE "C", odd text COLLATE odd, i int)',
      ...['db', 'c', 'odd', 'i'].map((name) => `CREATE INDEX t_${name} ON t (${name})`),
    ]);
    const rows = (await findings(server, 'mixed', ['database']))['lc-ctype-c-collate-other'] ?? [];
    expect(rows.map(({ object, fix }) => [object, fix])).toEqual([
      ['public.t_db', 'REINDEX INDEX CONCURRENTLY public.t_db;'],
      ['public.t_odd', 'REINDEX INDEX CONCURRENTLY public.t_odd;'],
    ]);
    await runAll(
      server,
      'mixed',
      rows.map(({ fix }) => fix ?? ''),
    );
  });

  test('long values, an absurd estimate, tables vacuumed by hand', async () => {
    await runAll(server, 'sick', [
      'CREATE TABLE s.long (v text, a int[])',
      'ALTER TABLE s.long ALTER v SET STORAGE EXTERNAL',
      `INSERT INTO s.long SELECT repeat('x', 9000), '{1}' FROM generate_series(1, 3)`,
      'CREATE INDEX long_gin ON s.long USING gin (a)',
      'CREATE TABLE s.vac AS SELECT g AS i FROM generate_series(1, 9) AS g',
      'CREATE INDEX vac_1 ON s.vac (i)',
      'CREATE INDEX vac_2 ON s.vac (i)',
      'CREATE INDEX vac_small ON s.vac (i) WHERE i > 99',
      'VACUUM s.vac',
      `UPDATE pg_class SET reltuples = 'NaN' WHERE oid = 's.long'::regclass`,
    ]);
    // Up to 13 and 14, the statistics of a session arrive later.
    let rows: Record<string, Row[]> = {};
    for (let i = 0; i < 100 && !rows['parallel-vacuum-missed-indexes']; i += 1) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      rows = await findings(server, 'sick', ['database']);
    }
    expect(rows['parallel-vacuum-missed-indexes']).toMatchObject([
      { object: 's.vac', fix: 'REINDEX TABLE CONCURRENTLY s.vac;', safe: false },
    ]);
    expect(rows['gin-parallel-reltuples']).toMatchObject([
      { object: 's.long', fix: 'ANALYZE s.long;', safe: true },
    ]);
    const toast = rows['toast-index-stale-pg-index'] ?? [];
    expect(toast).toEqual(rows['toast-reindex-concurrently']);
    expect(toast).toMatchObject([{ safe: false, detail: 'long values of s.long' }]);
    expect(toast[0]?.fix).toMatch(/^REINDEX INDEX pg_toast\.pg_toast_\d+_index;$/);
    await runAll(server, 'sick', [
      'ANALYZE s.long;',
      toast[0]?.fix ?? '',
      'REINDEX TABLE CONCURRENTLY s.vac;',
    ]);
    expect((await findings(server, 'sick', ['database']))['gin-parallel-reltuples']).toBeUndefined();
    await runAll(server, 'sick', [
      `UPDATE pg_class SET reltuples = 1000, relpages = 1 WHERE oid = 's.long'::regclass`,
    ]);
    expect((await findings(server, 'sick', ['database']))['gin-parallel-reltuples']?.[0]?.detail).toBe(
      'estimate: 1000 rows in 1 pages',
    );
  });
});
