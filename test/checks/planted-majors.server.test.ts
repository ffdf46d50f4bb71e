/** Planted faults that only an upgrade to another major asks for: of the server. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configure, removeFolder, serverFolder } from '../../src/postgres/server.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { run } from '../../src/process/run.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import {
  contextOf,
  ends,
  healthyServer,
  nothing,
  type Patient,
  patient,
  sql,
  told,
  until,
} from './planted.ts';

describe.each(ends)('$version to $next', ({ version, next }) => {
  const { major } = parseVersion(next);
  const wanted = parseVersion(next);
  const newest = parseVersion('19.0');
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];
  let setting: Patient['setting'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted, setting } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('a healthy server is silent', async () => {
    expect(await tell({ wanted })).toEqual({});
    expect(await tell({ wanted: newest })).toEqual({});
  });

  test('control and checksums-off: a cluster with small WAL segments, without checksums', async () => {
    const folder = await serverFolder(server.user);
    try {
      const data = join(folder, 'data');
      const { bin, env } = server.binaries;
      const off = version === '18.4' ? ['--no-data-checksums'] : [];
      const made = await run(
        [
          join(bin, 'initdb'),
          '-D',
          data,
          '-U',
          'postgres',
          '-A',
          'trust',
          '-E',
          'UTF8',
          '--locale=C',
          '--wal-segsize=1',
          '--no-sync',
          ...off,
        ],
        { env, user: server.user },
      );
      expect(made).toMatchObject({ code: 0 });
      await configure(data, { fsync: 'off', shared_buffers: '32MB', unix_socket_directories: '' });
      await using odd = await testServer(version, { data });
      await sql(odd, 'CREATE DATABASE app', 'postgres');
      const deaf = ['skipped', ['data checksums are off: the server cannot notice damaged pages']];
      expect(await told(odd, contextOf(version))).toEqual({ 'checksum-failures': deaf });
      expect(await told(odd, contextOf(version, { wanted }))).toEqual({
        control: [
          'info',
          [
            'WAL segments of 1.0 MiB, pages of 8.0 KiB',
            expect.stringMatching(/^data checksums off, catalog version \d{9}$/),
          ],
        ],
        'checksum-failures': deaf,
        'checksums-off': [
          'warning',
          [
            `data checksums are off: initdb of ${major} switches them on, and pg_upgrade refuses two clusters that differ`,
          ],
        ],
      });
    } finally {
      await removeFolder(folder);
    }
  });

  test('invalid-databases and prepared-xacts block where a minor upgrade goes on', async () => {
    await sql(server, 'CREATE DATABASE closed ALLOW_CONNECTIONS false', 'postgres');
    expect(await tell({ wanted })).toEqual({
      'invalid-databases': [
        'blocked',
        ['closed: accepts no connections, so it is neither checked nor backed up'],
      ],
    });
    await sql(server, 'DROP DATABASE closed', 'postgres');
    await planted(
      [`BEGIN; CREATE TABLE held (id int PRIMARY KEY); PREPARE TRANSACTION 'left|behind'`],
      [`ROLLBACK PREPARED 'left|behind'`],
      {
        'prepared-xacts': [
          'blocked',
          [expect.stringMatching(/^left\|behind of postgres in app: prepared [\d.]+ s ago$/)],
        ],
      },
      { wanted },
    );
  });

  test('slots: a logical one, which a new major starts without', () =>
    planted(
      [`SELECT pg_create_logical_replication_slot('reader', 'test_decoding')`],
      [`SELECT pg_drop_replication_slot('reader')`],
      {
        slots: [
          'warning',
          [
            `logical slot reader: a new major starts without it${version === '18.4' ? '; only pg_upgrade carries it over' : ''}`,
          ],
        ],
      },
      { wanted },
    ));

  test('database-encodings: only up to 19', async () => {
    await sql(
      server,
      `CREATE DATABASE "mu|le" ENCODING 'MULE_INTERNAL' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
      'postgres',
    );
    expect(await tell({ wanted: newest })).toEqual({
      'database-encodings': ['blocked', ['mu|le: MULE_INTERNAL, removed in 19']],
    });
    await sql(server, 'DROP DATABASE "mu|le"', 'postgres');
    expect(await tell({ wanted: newest })).toEqual({});
  });

  test('odd-names', () =>
    planted(
      ['CREATE ROLE "two\nlines"'],
      ['DROP ROLE "two\nlines"'],
      { 'odd-names': [major >= 19 ? 'blocked' : 'warning', ['role two\nlines']] },
      { wanted },
    ));

  test('md5-passwords', () =>
    planted(
      [`SET password_encryption = 'md5'; CREATE ROLE "old|one" PASSWORD 'secret'`],
      ['DROP ROLE "old|one"'],
      { 'md5-passwords': ['warning', ['old|one']] },
      { wanted },
    ));

  test('hba-auth-methods', async () => {
    const file = join(server.data, 'pg_hba.conf');
    const before = await readFile(file, 'utf8');
    const place = `${version === '13.23' ? 'pg_hba.conf' : file}, line ${before.split('\n').length}`;
    try {
      await appendFile(file, 'host all all 192.0.2.1/32 md5\nhost all all 192.0.2.2/32 md5\n');
      expect(await tell()).toEqual({});
      expect(await tell({ wanted })).toEqual({
        'hba-auth-methods': ['warning', [`md5: on its way out since 18 (${place} and 1 more)`]],
      });
      await writeFile(
        file,
        `${before}host all all 192.0.2.2/32 radius radiusservers=192.0.2.9 radiussecrets=secret\n`,
      );
      expect(await tell({ wanted: newest })).toEqual({
        'hba-auth-methods': ['blocked', [`radius: removed in 19 (${place})`]],
      });
    } finally {
      await writeFile(file, before);
    }
    expect(await tell({ wanted })).toEqual({});
  });

  const [gone, value] =
    version === '13.23' ? ['vacuum_cleanup_index_scale_factor', '0.2'] : ['escape_string_warning', 'off'];

  test('custom-settings', async () => {
    await setting(gone, value);
    expect(await tell()).toEqual({});
    expect(await tell({ wanted })).toEqual({
      'custom-settings': [
        'blocked',
        [
          expect.stringMatching(
            new RegExp(`^${gone} \\(.+/postgresql.auto.conf, line \\d+\\): ${major} does not know it$`),
          ),
        ],
      ],
    });
    await setting(gone, null);
    expect(await tell({ wanted })).toEqual({});
  });

  test('custom-settings: a name that lives on under another, as 18 itself says', async () => {
    if (version === '18.4') {
      await sql(server, 'SHOW ssl_ecdh_curve');
      return;
    }
    await setting('ssl_ecdh_curve', 'prime256v1');
    expect(await tell({ wanted })).toEqual({
      'custom-settings': ['info', [expect.stringMatching(/^ssl_ecdh_curve .+: called ssl_groups in 18$/)]],
    });
    await setting('ssl_ecdh_curve', null);
    await until(() => tell({ wanted }), nothing);
  });

  test('role-db-settings', () =>
    planted(
      ['CREATE ROLE "ann|e"', `ALTER ROLE "ann|e" IN DATABASE app SET ${gone} = ${value}`],
      ['DROP ROLE "ann|e"'],
      {
        'role-db-settings': ['blocked', [`${gone} of role ann|e in database app: ${major} does not know it`]],
      },
      { wanted },
      'app',
    ));

  test('scs-off', async () => {
    await setting('standard_conforming_strings', 'off');
    expect(await tell({ wanted: newest })).toEqual({
      'scs-off': ['warning', ['standard_conforming_strings is off: 19 knows only on']],
    });
    await setting('standard_conforming_strings', null);
    await until(() => tell({ wanted: newest }), nothing);
  });

  test('tablespaces: one inside the data directory', async () => {
    await using connection = await server.connect('postgres');
    await connection.script('SET allow_in_place_tablespaces = on');
    await connection.script(`CREATE TABLESPACE "in|side" LOCATION ''`);
    const line = expect.stringMatching(/^in\|side in pg_tblspc\/\d+, inside the data directory$/);
    expect(await tell()).toEqual({});
    expect(await tell({ wanted })).toEqual({ tablespaces: [major >= 19 ? 'info' : 'blocked', [line]] });
    expect(await tell({ wanted, route: 'dump-restore' })).toEqual({ tablespaces: ['info', [line]] });
    await connection.script('DROP TABLESPACE "in|side"');
    expect(await tell({ wanted })).toEqual({});
  });
});
