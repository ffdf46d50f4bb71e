/** Planted faults that only an upgrade to another major asks for: in databases. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extensionVersions } from '../../src/postgres/binaries.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import type { TestServer } from '../support/servers.ts';
import { ends, healthyServer, type Patient, patient, sql } from './planted.ts';

describe.each(ends)('$version to $next', ({ version, next }) => {
  const wanted = parseVersion(next);
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('c-libraries: a function of its own, and of an extension nobody could look for', async () => {
    await planted(
      [`CREATE FUNCTION own(text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_digest' LANGUAGE c`],
      ['DROP FUNCTION own'],
      { 'c-libraries': ['warning', ['app: $libdir/pgcrypto: must exist for the new version']] },
      { wanted },
    );
    const wantedExtensions = await extensionVersions(server.binaries);
    await sql(server, 'CREATE EXTENSION pgcrypto');
    expect(await tell({ wanted, wantedExtensions })).toEqual({});
    await planted(
      [],
      ['DROP EXTENSION pgcrypto'],
      {
        'c-libraries': [
          'warning',
          ['app: $libdir/pgcrypto (extension pgcrypto): must exist for the new version'],
        ],
      },
      { wanted },
    );
  });

  test('subscriptions: at rest, and while a table is copied', async () => {
    await sql(server, 'CREATE TABLE copied (id int PRIMARY KEY)');
    await sql(
      server,
      `CREATE SUBSCRIPTION "sub|one" CONNECTION 'host=192.0.2.1' PUBLICATION p WITH (connect = false)`,
    );
    expect(await tell()).toEqual({});
    expect(await tell({ wanted })).toEqual({
      subscriptions: [
        'warning',
        ['app: sub|one (disabled): comes over disabled; only pg_upgrade from 17 on keeps its position'],
      ],
    });
    await planted(
      [
        `INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
         SELECT oid, 'copied'::regclass, 'd' FROM pg_subscription`,
      ],
      [
        'DELETE FROM pg_subscription_rel',
        'ALTER SUBSCRIPTION "sub|one" SET (slot_name = NONE)',
        'DROP SUBSCRIPTION "sub|one"',
        'DROP TABLE copied',
      ],
      { subscriptions: ['blocked', ['app: sub|one (disabled): 1 table not synchronised yet']] },
      { wanted },
    );
  });

  test('no-replica-identity', async () => {
    await planted(
      ['CREATE TABLE "bare|one" (x int)'],
      ['ALTER TABLE "bare|one" REPLICA IDENTITY FULL'],
      {
        'no-replica-identity': ['info', ['app: public."bare|one": no primary key or replica identity']],
      },
      { wanted },
    );
    await sql(server, 'DROP TABLE "bare|one"');
  });

  test('reg-types: of columns, arrays and domains; aclitem up to 15', async () => {
    await planted(
      [
        'CREATE DOMAIN fn AS regproc',
        'CREATE TABLE "reg|s" (id int PRIMARY KEY, a fn, b regprocedure[], c regclass, d aclitem)',
      ],
      ['DROP TABLE "reg|s"', 'DROP DOMAIN fn'],
      {
        'reg-types': [
          'blocked',
          [
            'app: public."reg|s".a: public.fn',
            'app: public."reg|s".b: regprocedure[]',
            ...(version === '13.23' ? ['app: public."reg|s".d: aclitem'] : []),
          ],
        ],
      },
      { wanted },
    );
    await planted(
      ['CREATE TABLE r (id int PRIMARY KEY, a regproc)'],
      ['DROP TABLE r'],
      { 'reg-types': ['info', ['app: public.r.a: regproc']] },
      { wanted, route: 'dump-restore' },
    );
  });

  test('not-null-inheritance', async () => {
    await planted(
      [
        'CREATE TABLE p (id int PRIMARY KEY, x int NOT NULL)',
        'CREATE TABLE "c|d" (PRIMARY KEY (id)) INHERITS (p)',
        `UPDATE pg_attribute SET attnotnull = false WHERE attrelid = '"c|d"'::regclass AND attname = 'x'`,
      ],
      ['DROP TABLE p CASCADE'],
      { 'not-null-inheritance': ['blocked', ['app: public."c|d".x: NOT NULL in public.p only']] },
      { wanted },
    );
    if (version !== '18.4') return;
    await sql(server, 'CREATE TABLE p (id int PRIMARY KEY, x int, CONSTRAINT n NOT NULL x NO INHERIT)');
    await sql(server, 'CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p)');
    expect(await tell({ wanted })).toEqual({});
    await sql(server, 'DROP TABLE p CASCADE');
  });

  test('inet-btree-gist', async () => {
    await planted(
      [
        'CREATE EXTENSION btree_gist',
        'CREATE TABLE hosts (id int PRIMARY KEY, address inet)',
        'CREATE INDEX "by|address" ON hosts USING gist (address gist_inet_ops)',
      ],
      ['DROP TABLE hosts', 'DROP EXTENSION btree_gist'],
      { 'inet-btree-gist': ['blocked', ['app: public."by|address"']] },
      { wanted: parseVersion('19.0'), wantedExtensions: await extensionVersions(server.binaries) },
    );
  });

  test('system-view-dependents', () =>
    planted(
      [
        'CREATE VIEW "watch|all" AS SELECT pid FROM pg_stat_activity',
        'CREATE VIEW fine AS SELECT oid FROM pg_class',
      ],
      ['DROP VIEW "watch|all", fine'],
      { 'system-view-dependents': ['warning', ['app: public."watch|all" uses pg_stat_activity']] },
      { wanted },
    ));

  test('search-path-fragile-functions: in a constraint, an index, a default, a materialized view', async () => {
    await planted(
      [
        ...['f|1', 'f2', 'f3', 'f4', 'unused'].map(
          (name) => `CREATE FUNCTION "${name}"(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'`,
        ),
        'CREATE TABLE t (id int PRIMARY KEY CHECK ("f|1"(id) > 0), d int DEFAULT f2(1))',
        'CREATE INDEX ON t (f3(d))',
        'CREATE MATERIALIZED VIEW m AS SELECT f4(1)',
      ],
      [...['"f|1"', 'f2', 'f3', 'f4'].map((name) => `ALTER FUNCTION ${name} SET search_path = pg_catalog`)],
      {
        'search-path-fragile-functions': [
          'warning',
          [
            'app: public."f|1"(integer)',
            'app: public.f2(integer)',
            'app: public.f3(integer)',
            'app: public.f4(integer)',
          ],
        ],
      },
      { wanted },
    );
    await sql(server, 'DROP TABLE t; DROP MATERIALIZED VIEW m; DROP FUNCTION "f|1", f2, f3, f4, unused');
  });

  // What 14 and 15 took away can be planted on 13 only.
  if (version === '13.23')
    test('array-func-dependents, untrusted-plpython2', async () => {
      await planted(
        [
          'CREATE AGGREGATE collect(anyelement) (SFUNC = array_append, STYPE = anyarray)',
          'CREATE OPERATOR === (LEFTARG = anyarray, RIGHTARG = anyelement, FUNCTION = array_append)',
        ],
        ['DROP AGGREGATE collect(anyelement)', 'DROP OPERATOR === (anyarray, anyelement)'],
        {
          'array-func-dependents': [
            'blocked',
            ['app: aggregate public.collect(anyelement)', 'app: operator public.===(anyarray,anyelement)'],
          ],
        },
        { wanted },
      );
      await planted(
        ['CREATE LANGUAGE plpythonu HANDLER plpgsql_call_handler'],
        ['DROP LANGUAGE plpythonu'],
        { 'untrusted-plpython2': ['blocked', ['app: plpythonu, removed in 15']] },
        { wanted },
      );
    });
});
