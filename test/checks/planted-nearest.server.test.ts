/** Checks that begin or end between the oldest and the newest major, on the nearest one that has them. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseVersion } from '../../src/postgres/version.ts';
import type { TestServer } from '../support/servers.ts';
import { healthyServer, type Patient, patient } from './planted.ts';

describe.each(['15.17', '18.4'])('from 15 on: %s', (version) => {
  let server: TestServer;
  let tell: Patient['tell'];
  let planted: Patient['planted'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, planted } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('ident-errors', async () => {
    const file = join(server.data, 'pg_ident.conf');
    const before = await readFile(file, 'utf8');
    const place = `${version === '15.17' ? 'pg_ident.conf' : file}, line ${before.split('\n').length}`;
    try {
      await appendFile(file, 'broken\n');
      expect(await tell()).toEqual({
        'ident-errors': ['blocked', [`missing entry at end of line (${place})`]],
      });
    } finally {
      await writeFile(file, before);
    }
    expect(await tell()).toEqual({});
  });

  test('collation-versions: the database was made with another library', () =>
    planted(
      [`UPDATE pg_database SET datcollversion = '1' WHERE datname IN ('app', 'template0')`],
      [`UPDATE pg_database SET datcollversion = NULL WHERE datname IN ('app', 'template0')`],
      {
        'collation-versions': [
          'blocked',
          [
            'app: recorded 1, the library now has no version',
            'template0: recorded 1, the library now has no version',
          ],
        ],
      },
      {},
      'postgres',
    ));
});

describe('until 14', () => {
  const version = '14.23';
  let server: TestServer;
  let planted: Patient['planted'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ planted } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('untrusted-plpython2', () =>
    planted(
      ['CREATE LANGUAGE plpython2u HANDLER plpgsql_call_handler'],
      ['DROP LANGUAGE plpython2u'],
      { 'untrusted-plpython2': ['blocked', ['app: plpython2u, removed in 15']] },
      { wanted: parseVersion('18.4') },
    ));
});
