/** A planted fault for every check of the server: seen to fire, alone, where everything is silent otherwise. */
import { appendFile, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extensionVersions } from '../../src/postgres/binaries.ts';
import { type Connection, connect } from '../../src/postgres/connection.ts';
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

describe.each(ends)('$version', ({ version }) => {
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];
  let setting: Patient['setting'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted, setting } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('a healthy server: silent before and after', async () => {
    expect(await tell({ wantedExtensions: await extensionVersions(server.binaries) })).toEqual({});
    const after = await tell({ when: 'after', disks: [] });
    expect(Object.fromEntries(Object.entries(after).map(([id, [status]]) => [id, status]))).toEqual({
      // Its command works, and nothing had to be archived since the start: that is not the same as working.
      archiver: 'info',
    });
  });

  describe('the machine and the cluster', () => {
    test('identity: another version than expected', async () => {
      const other = { major: parseVersion(version).major, minor: 1 };
      const said = ['blocked', [`the server runs ${version}, expected was ${other.major}.1`]];
      expect(await tell({ running: other })).toEqual({ identity: said });
      expect((await tell({ when: 'after', wanted: other })).identity).toEqual(said);
    });

    test('disk-space', async () => {
      const disks = [{ purpose: 'backup', path: '/backup', freeBytes: 1000, neededBytes: 2000 }];
      expect(await tell({ disks })).toEqual({
        'disk-space': ['blocked', ['backup in /backup: 2.0 KiB needed, 1000 B free']],
      });
    });

    test('wraparound: transaction ids near their end', async () => {
      const at = (age: string) =>
        `UPDATE pg_database SET datfrozenxid = mod(txid_current() - ${age} + 4294967296, 4294967296)::text::xid WHERE datname = 'app'`;
      const [before] = await sql(
        server,
        `SELECT datfrozenxid::text AS xid FROM pg_database WHERE datname = 'app'`,
      );
      const back = `UPDATE pg_database SET datfrozenxid = '${before?.xid}' WHERE datname = 'app'`;
      const expected = (status: string) => ({
        wraparound: [
          status,
          [expect.stringMatching(/^app: 1[91]000000\d\d transactions old, the limit is 2147483648$/)],
        ],
      });
      await planted([at('1900000000')], [back], expected('blocked') as never, {}, 'postgres');
      await planted([at('1100000000')], [back], expected('warning') as never, {}, 'postgres');
    });

    test('invalid-databases: an interrupted DROP DATABASE, and one without connections', async () => {
      await sql(server, 'CREATE DATABASE "half\n<gone>"', 'postgres');
      await planted(
        [`UPDATE pg_database SET datconnlimit = -2 WHERE datname LIKE 'half%'`],
        [`UPDATE pg_database SET datconnlimit = -1 WHERE datname LIKE 'half%'`],
        { 'invalid-databases': ['blocked', ['half\n<gone>: left behind by an interrupted DROP DATABASE']] },
        {},
        'postgres',
      );
      await planted(
        [`UPDATE pg_database SET datallowconn = false WHERE datname LIKE 'half%'`],
        ['DROP DATABASE "half\n<gone>"'],
        {
          'invalid-databases': [
            'info',
            ['half\n<gone>: accepts no connections, so it is neither checked nor backed up'],
          ],
        },
        {},
        'postgres',
      );
    });

    test('connections: nearly all are taken', async () => {
      const open: Connection[] = await Promise.all(Array.from({ length: 36 }, () => server.connect('app')));
      try {
        const { connections, ...rest } = await tell();
        expect(rest).toEqual({});
        expect(connections?.[0]).toBe('warning');
        expect(connections?.[1].slice(0, 2)).toEqual([
          '37 of 40 connections are in use',
          '36 by postgres in app (test)',
        ]);
      } finally {
        await Promise.all(open.map((connection) => connection.close()));
      }
      await until(tell, nothing);
    });
  });

  describe('transactions', () => {
    test('prepared-xacts', () =>
      planted(
        [`BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'left|behind'`],
        [`ROLLBACK PREPARED 'left|behind'`],
        {
          'prepared-xacts': [
            'warning',
            [expect.stringMatching(/^left\|behind of postgres in app: prepared [\d.]+ s ago$/)],
          ],
        } as never,
        thresholds({ preparedTransactionWarning: 0 }),
      ));

    test('long-xacts: a client, but none of our own sessions', async () => {
      await using own = await connect(server.settings('app'), { name: 'postgres-upgrade probe' });
      await own.script('BEGIN');
      await own.query('SELECT 1');
      const never = thresholds({ longTransactionWarning: 0, longTransactionBlock: 0 });
      expect(await tell(never)).toEqual({});

      await using client = await server.connect('app');
      await client.script('BEGIN');
      await client.query('SELECT 1');
      const warned = await until(() => tell(thresholds({ longTransactionWarning: 0.2 })), something);
      expect(warned).toEqual({
        'long-xacts': [
          'warning',
          [
            expect.stringMatching(
              /^pid \d+ of postgres \(test\) in app: idle in transaction, open for [\d.]+ s$/,
            ),
          ],
        ],
      });
      expect((await tell(never))['long-xacts']?.[0]).toBe('blocked');
      await client.script('ROLLBACK');
      expect(await tell(never)).toEqual({});
    });
  });

  describe('settings', () => {
    const conf = (): string => join(server.data, 'postgresql.conf');

    test('config-file-errors: an unknown name, an invalid value, a broken line; not what only needs a restart', async () => {
      const before = await readFile(conf(), 'utf8');
      const last = before.split('\n').length;
      const at = `(${conf()}, line ${last})`;
      try {
        await appendFile(conf(), 'nosuch_setting = 1\n');
        expect(await tell()).toEqual({
          'config-file-errors': ['blocked', [`nosuch_setting: unrecognized configuration parameter ${at}`]],
        });
        await writeFile(conf(), `${before}work_mem = 'much'\n`);
        expect(await tell()).toEqual({
          'config-file-errors': ['blocked', [`work_mem: the value is not valid ${at}`]],
        });
        await writeFile(conf(), `${before}shared_buffers = 'much'\n`);
        expect(await tell()).toEqual({
          'config-file-errors': ['blocked', [`shared_buffers: the value is not valid ${at}`]],
        });
        await writeFile(conf(), `${before}not a setting at all\n`);
        expect(await tell()).toEqual({ 'config-file-errors': ['blocked', [`syntax error ${at}`]] });
        await writeFile(conf(), `${before}shared_buffers = '48MB'\n`);
        expect(Object.keys(await tell())).toEqual(['pending-restart']);
      } finally {
        await writeFile(conf(), before);
      }
      expect(await tell()).toEqual({});
    });

    test('hba-errors', async () => {
      const file = join(server.data, 'pg_hba.conf');
      const before = await readFile(file, 'utf8');
      try {
        await appendFile(file, 'host all all 127.0.0.1/32 nosuchmethod\n');
        expect(await tell()).toEqual({
          'hba-errors': [
            'blocked',
            [
              `invalid authentication method "nosuchmethod" (${version === '13.23' ? 'pg_hba.conf' : file}, line ${before.split('\n').length})`,
            ],
          ],
        });
      } finally {
        await writeFile(file, before);
      }
      expect(await tell()).toEqual({});
    });

    test('pending-restart', async () => {
      await setting('max_connections', '45');
      const answer = await until(tell, something);
      expect(Object.keys(answer)).toEqual(['pending-restart']);
      expect(answer['pending-restart']).toEqual(['warning', [expect.stringMatching(/^max_connections \(/)]]);
      await setting('max_connections', null);
      await until(tell, nothing);
    });
  });

  // Last: it stops the server.
  test('checksum-failures: a damaged page', async () => {
    await sql(server, 'CREATE TABLE damaged AS SELECT generate_series(1, 1000) AS x');
    const [row] = await sql(server, `SELECT pg_relation_filepath('damaged') AS path`);
    await server.stop();
    const file = await open(join(server.data, String(row?.path)), 'r+');
    await file.write(Buffer.alloc(64, 0xff), 0, 64, 4000);
    await file.close();
    await server.start();
    expect(await tell()).toEqual({});
    await expect(sql(server, 'SELECT count(*) FROM damaged')).rejects.toThrow('invalid page');
    const found = await until(tell, something);
    expect(found).toEqual({
      'checksum-failures': ['blocked', [expect.stringMatching(/^app: 1 failure, last [\d-]+ [\d:]+ UTC$/)]],
    });
    await sql(server, 'DROP TABLE damaged');
    await sql(server, 'SELECT pg_stat_reset()');
    await until(tell, nothing);
  });
});
