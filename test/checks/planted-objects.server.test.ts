/** Planted faults in a database, under names that want to be more than data. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestServer } from '../support/servers.ts';
import { ends, healthyServer, type Patient, patient, sql } from './planted.ts';

const name = '"we|ird\n<script>"';

describe.each(ends)('$version', ({ version }) => {
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('invalid-indexes, with a hostile name', async () => {
    await sql(server, `CREATE TABLE ${name} AS SELECT 1 AS x FROM generate_series(1, 2)`);
    await expect(sql(server, `CREATE UNIQUE INDEX CONCURRENTLY "i|\n\`" ON ${name} (x)`)).rejects.toThrow(
      'could not create unique index',
    );
    await planted([], [`DROP TABLE ${name}`], {
      'invalid-indexes': ['warning', [`app: unique index public."i|\n\`" on public.${name}: invalid`]],
    });
  });

  test('long lists are cut, and counted', async () => {
    const each = (command: string) =>
      `DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE format('${command}', i); END LOOP; END $$`;
    await sql(server, each('CREATE UNLOGGED TABLE u%s ()'));
    const seen = (await tell())['unlogged-tables']?.[1] ?? [];
    expect([seen.length, seen.at(-1)]).toEqual([21, 'and 10 more']);
    await sql(server, each('DROP TABLE u%s'));
    expect(await tell()).toEqual({});
  });

  test('unlogged-tables', () =>
    planted([`CREATE UNLOGGED TABLE ${name} ()`], [`DROP TABLE ${name}`], {
      'unlogged-tables': ['info', [`app: public.${name}`]],
    }));

  test('invalid-constraints', () =>
    planted(
      [`CREATE TABLE t (x int); ALTER TABLE t ADD CONSTRAINT ${name} CHECK (x > 0) NOT VALID`],
      ['DROP TABLE t'],
      { 'invalid-constraints': ['info', ['app: we|ird\n<script> on public.t: not validated']] },
    ));

  test('event-triggers', () =>
    planted(
      [
        `CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`,
        'CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION nothing()',
      ],
      ['DROP FUNCTION nothing CASCADE'],
      { 'event-triggers': ['warning', ['app: watch on ddl_command_end runs public.nothing']] },
    ));

  test('sequences: up, down, cycling, narrower than the column says', async () => {
    await planted(
      [
        'CREATE SEQUENCE up MAXVALUE 100',
        `SELECT setval('up', 97)`,
        'CREATE SEQUENCE down INCREMENT -1 MINVALUE -100 MAXVALUE -1',
        `SELECT setval('down', -90)`,
        'CREATE SEQUENCE round MAXVALUE 100 CYCLE',
        `SELECT setval('round', 99)`,
        'CREATE TABLE old_serial (id int)',
        'CREATE SEQUENCE old_serial_id AS bigint OWNED BY old_serial.id',
        `SELECT setval('old_serial_id', 2147483647)`,
        'CREATE SEQUENCE fresh MAXVALUE 3',
      ],
      ['DROP SEQUENCE up, down, round, fresh', 'DROP TABLE old_serial'],
      {
        sequences: [
          'blocked',
          [
            'app: public.old_serial_id: 100 % used, 0 values left',
            'app: public.up: 96 % used, 3 values left',
            'app: public.down: 89 % used, 10 values left',
          ],
        ],
      },
    );
  });

  test('sequences: with more than may be locked at once, the narrowest are read and the rest is counted', async () => {
    const [row] = await sql(
      server,
      `SELECT current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int
       + current_setting('max_prepared_transactions')::int) / 4 AS most`,
    );
    const most = Number(row?.most);
    await planted(
      [
        `DO $$ BEGIN FOR i IN 1..${most} LOOP EXECUTE format('CREATE SEQUENCE wide%s', i); END LOOP; END $$`,
        'CREATE SEQUENCE zzz MAXVALUE 10',
        `SELECT setval('zzz', 9)`,
      ],
      [
        `DO $$ BEGIN FOR i IN 1..${most} LOOP EXECUTE format('DROP SEQUENCE wide%s', i); END LOOP; END $$`,
        'DROP SEQUENCE zzz',
      ],
      {
        sequences: [
          'warning',
          [
            'app: public.zzz: 88 % used, 1 value left',
            'app: 1 sequence not read: no right to, or too many to lock at once',
          ],
        ],
      },
    );
  });

  test('extensions: no files, another version, nothing for it on the wanted server', async () => {
    await planted(
      [`UPDATE pg_extension SET extname = 'no|such' WHERE extname = 'plpgsql'`],
      [`UPDATE pg_extension SET extname = 'plpgsql' WHERE extname = 'no|such'`],
      { extensions: ['blocked', ['app: no|such 1.0: its files are missing on the server']] },
    );
    await planted(
      [`UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'plpgsql'`],
      [`UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'plpgsql'`],
      { extensions: ['warning', [`app: plpgsql 0.9: the server's files offer 1.0, not 0.9`]] },
    );
    await planted(
      [],
      [],
      {
        extensions: [
          'blocked',
          [
            'postgres: plpgsql 1.0: the wanted server has no files of it',
            'app: plpgsql 1.0: the wanted server has no files of it',
          ],
        ],
      },
      { wantedExtensions: new Map([['hstore', ['1.8']]]) },
    );
  });

  test('collation-objects: an index in the order of another library', async () => {
    await planted(
      [
        `CREATE COLLATION "odd|one" (provider = libc, locale = 'C')`,
        `CREATE TABLE words (word text COLLATE "odd|one")`,
        'CREATE INDEX ON words (word)',
        `UPDATE pg_collation SET collversion = '1' WHERE collname = 'odd|one'`,
      ],
      ['DROP TABLE words', 'DROP COLLATION "odd|one"'],
      {
        'collation-objects': [
          'blocked',
          [
            'app: public."odd|one": recorded 1, the library now has no version; in the order of 1 index or partitioned table',
          ],
        ],
      },
    );
    await planted(
      [
        `CREATE COLLATION odd (provider = libc, locale = 'C')`,
        'CREATE TABLE words (word text COLLATE odd)',
        `UPDATE pg_collation SET collversion = '1' WHERE collname = 'odd'`,
      ],
      ['DROP TABLE words', 'DROP COLLATION odd'],
      {
        'collation-objects': [
          'warning',
          ['app: public.odd: recorded 1, the library now has no version; in use, by no index'],
        ],
      },
    );
  });
});
