/** A real upgrade between two snapshots: nothing unexpected. */
import { afterAll, expect, test } from 'vitest';
import { awaitStandbys } from '../../src/health/standbys.ts';
import { startServer, stopServer } from '../../src/postgres/server.ts';
import { binariesOf, type TestServer, testServer } from '../support/servers.ts';
import { until } from '../support/targets.ts';
import { findings, snapshotOf } from './support.ts';

let server: TestServer | undefined;
afterAll(() => server?.[Symbol.asyncDispose]());

test('from 15.17 to 15.18, with a setting that waited for the restart and an application that goes on', async () => {
  server = await testServer('15.17', {
    settings: { shared_preload_libraries: 'pg_stat_statements', wal_level: 'logical' },
  });
  {
    await using main = await server.connect();
    await main.query('CREATE DATABASE app');
    await main.query('CREATE EXTENSION pg_stat_statements');
    await using app = await server.connect('app');
    await app.script(`CREATE TABLE orders (id serial PRIMARY KEY, note text); CREATE INDEX ON orders (note);
      INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50000); CREATE ROLE reader; GRANT SELECT ON orders TO reader`);
    await app.query(`SELECT pg_create_logical_replication_slot('one', 'pgoutput')`);
    await main.query(`ALTER SYSTEM SET max_connections = '41'`);
    await main.query('SELECT pg_reload_conf()');
    await until(
      () => main.query(`SELECT FROM pg_settings WHERE name = 'max_connections' AND pending_restart`),
      (rows) => rows.length === 1,
    );
  }
  const idle = await server.connect('app');
  const before = await snapshotOf(server, ['app', 'postgres']);
  expect(before).toMatchObject({ versionNum: 150017, missing: [] });

  const { data, folder, port, user } = server;
  await server.stop();
  const next = await binariesOf('15.18');
  await startServer({ binaries: next, data, args: ['-p', String(port)], log: `${folder}/server.log`, user });
  await idle.close();
  await using app = await server.connect('app');
  await app.script(`INSERT INTO orders (note) VALUES ('b')`);
  await awaitStandbys(() => (server as TestServer).connect(), before, 1000, new AbortController().signal);
  const after = await snapshotOf(server, ['app', 'postgres']);
  expect(after).toMatchObject({ versionNum: 150018, missing: [] });
  expect(findings(before, after, ['unexpected', 'alert', 'expected'])).toEqual([
    'expected app: sum of ascending sequences',
    'expected messages of the restart',
    'expected server start',
    'expected server version number',
    'expected setting max_connections',
  ]);
  await stopServer(next, data, user);
});
