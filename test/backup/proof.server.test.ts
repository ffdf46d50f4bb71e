/** A good backup is proved, whatever the source holds and whoever writes to it meanwhile. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadSample, type Sample } from '../../scripts/sample/load.ts';
import { startWriter } from '../../scripts/sample/writer.ts';
import { pinnedSession } from '../../src/backup/inventory.ts';
import { findClients, listClients } from '../../src/postgres/clients.ts';
import { giveTo } from '../../src/process/user.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';
import { oddDatabases, plantOddities } from './odd.ts';
import { dumpOf, leftBehind, type Place, place, proofOf } from './proving.ts';

let base: Place;
let source: TestServer;
let sample: Sample;

async function oddServer(version: string, settings: Record<string, string> = {}): Promise<TestServer> {
  const server = await testServer(version, { settings });
  const space = join(server.folder, 'space');
  await mkdir(space);
  await giveTo(server.user, space);
  await plantOddities(server, space);
  return server;
}

beforeAll(async () => {
  // A date style and a time zone that a scratch server does not share.
  source = await oddServer('15.17', { timezone: 'America/New_York', datestyle: 'SQL, DMY' });
  sample = await loadSample(source, { scale: 0.01, progress: () => {} });
});
afterAll(() => source?.[Symbol.asyncDispose]());
beforeEach(async () => {
  base = await place();
  return async () => {
    const left = await leftBehind(base.folder);
    await base[Symbol.asyncDispose]();
    expect(left).toEqual({ folders: [], processes: [] });
  };
});

/** Rows, tables and sequences that the odd databases hold, counted by hand. */
const odd = { tables: 23, rows: 119, sequences: 2, largeObjects: 2 };
const notCompared = ['counted', 'never_filled'].map(
  (view) => `odd: rows of the materialized view "public"."${view}": a restore builds them anew`,
);

test('the sample and everything that is legal and rare, with exact counts', async () => {
  const dump = await dumpOf(source.settings(), base.folder);
  expect(dump.databases.map(({ name }) => name)).toEqual([...oddDatabases, ...sample.databases].sort());
  const shop = await source.connect('shop');
  const [catalog] = await shop.query<{ tables: number; sequences: number }>(`
    SELECT count(*) FILTER (WHERE relkind = 'r')::int AS tables, count(*) FILTER (WHERE relkind = 'S')::int AS sequences
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('app', 'catalog', 'support', 'reporting')`);
  await shop.close();
  const found = dump.databases.find(({ name }) => name === 'shop')?.inventory;
  expect(Object.keys(found?.tables ?? {})).toHaveLength(catalog?.tables ?? -1);
  expect(Object.keys(found?.sequences ?? {})).toHaveLength(catalog?.sequences ?? -1);

  const proof = await proofOf(dump);
  expect(proof.differences).toEqual([]);
  expect(proof).toMatchObject({
    method: 'restore',
    verdict: 'proved',
    restoredInto: '15.18',
    databases: 9,
    rows: odd.rows + sample.rows,
    tables: odd.tables + 33,
    sequences: odd.sequences + 13,
    largeObjects: odd.largeObjects + 24,
  });
  expect(proof.objects).toBeGreaterThan(450);
  expect(proof.notCompared).toEqual(expect.arrayContaining(notCompared));
  expect(proof.notCompared).toHaveLength(8);
  expect(proof.notCompared).toContain(
    'subscriptions, row filters of publications, owners of large objects, and tablespaces of relations are not compared',
  );
  expect(proof.notCompared).toContain(
    'the password of the bootstrap superuser, until when it is valid, and whether that role may log in are not compared: the scratch server has a password of its own',
  );
  expect(proof.notCompared.filter((text) => text.includes('not in the backup at all'))).toHaveLength(1);
});

test('a bootstrap superuser that nobody can log in as, and whose password has ended', async () => {
  await using odd = await testServer('15.17');
  {
    await using connection = await odd.connect();
    await connection.script(`CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'b' VALID UNTIL '2001-01-01';
      ALTER ROLE postgres NOLOGIN CONNECTION LIMIT 3 PASSWORD 'it''s "over"' VALID UNTIL '2001-01-01'`);
  }
  const dump = await dumpOf({ ...odd.settings(), user: 'boss' }, base.folder);
  expect(dump.superuser).toBe('postgres');
  expect(await proofOf(dump)).toMatchObject({ verdict: 'proved', differences: [] });
  // Only its login is passed over: everything else of it, and the login of anybody else, is compared.
  for (const change of ['role postgres', 'role boss']) {
    const cluster = { ...dump.cluster, [change]: 'another' };
    expect(await proofOf({ ...dump, cluster })).toMatchObject({
      verdict: 'failed',
      differences: [`${change} differs in the restored copy`],
    });
  }
});

test('while an application goes on writing rows and taking numbers', async () => {
  await using counter = await source.connect('shop');
  let counting = true;
  const next = async (): Promise<void> => {
    while (counting) await counter.query(`SELECT nextval('app.order_number')`);
  };
  await using writer = await startWriter(source.settings('shop'), { everyMs: 1 });
  const counted = next();
  const dump = await dumpOf(source.settings('shop'), base.folder);
  counting = false;
  await counted;
  expect((await writer.stop()).failures).toBe(0);

  const shop = dump.databases.find(({ name }) => name === 'shop');
  const [ledger] = await counter.query<{ rows: string }>('SELECT count(*) AS rows FROM app.ledger');
  expect(Number(ledger?.rows)).toBeGreaterThan(Number(shop?.inventory.tables['"app"."ledger"']?.rows));
  const before = shop?.inventory.sequences['"app"."order_number"'];
  const after = shop?.sequencesAfter['"app"."order_number"'];
  expect(Number(after?.value)).toBeGreaterThan(Number(before?.value));
  expect(await proofOf(dump)).toMatchObject({ verdict: 'proved', differences: [] });
});

test('a source of 13 with client programs of 15, proved in a 15', async () => {
  await using old = await oddServer('13.23');
  const proof = await proofOf(await dumpOf(old.settings(), base.folder));
  expect(proof.differences).toEqual([]);
  expect(proof).toMatchObject({ verdict: 'proved', restoredInto: '15.18', databases: 7, ...odd });
});

test('a source of 14, from a database whose name looks like a connection string, one job', async () => {
  await using old = await oddServer('14.22');
  const dump = await dumpOf(old.settings('a=b c'), base.folder, { jobs: 1, compress: 0 });
  expect(await proofOf(dump, { jobs: 1 })).toMatchObject({ verdict: 'proved', differences: [], ...odd });
});

test('17: proved where its client programs are installed, refused with what to install where not', async () => {
  const installed = await listClients();
  if (installed.some(({ version }) => version.major >= 17)) {
    await using newer = await oddServer('17.9');
    const clients = await findClients(17);
    const proof = await proofOf(await dumpOf(newer.settings(), base.folder, { clients }), {
      clients,
      version: '17.10',
    });
    expect(proof).toMatchObject({ verdict: 'proved', differences: [], restoredInto: '17.10' });
    return;
  }
  const error = await failureOf(findClients(17));
  const there = installed.map(({ bin, version }) => `${bin} (${version.major}.${version.minor})`).join(', ');
  expect(error).toMatchObject({
    code: 'clients-missing',
    message: 'pg_dump, pg_restore and pg_dumpall of PostgreSQL 17 are not on this machine.',
    hint: `Install them: apt-get install postgresql-client-17 (Debian, Ubuntu) or dnf install postgresql17 (PGDG), or name their folder in \`clients\` of the spec's backup. Found only: ${there}.`,
  });
});

test('limits that a newer server puts on every session do not end a long comparison', async () => {
  await using newer = await testServer('17.10', { settings: { transaction_timeout: '1s' } });
  await using connection = await newer.connect();
  await connection.script(pinnedSession);
  const [row] = await connection.query<{ transaction: string; check: string }>(
    `SELECT current_setting('transaction_timeout') AS transaction, current_setting('client_connection_check_interval') AS check`,
  );
  expect(row).toEqual({ transaction: '0', check: '5s' });
});

test('checksum and none say what they did not look at', async () => {
  const dump = await dumpOf(source.settings(), base.folder);
  const rest = { databases: 0, tables: 0, rows: 0, objects: 0, restoredInto: null, differences: [] };
  expect(await proofOf(dump, { method: 'checksum' })).toMatchObject({
    ...rest,
    method: 'checksum',
    verdict: 'files-intact',
    notCompared: ['whether it can be restored, and its content: the spec says backup.prove: checksum'],
  });
  expect(await proofOf(dump, { method: 'none' })).toMatchObject({
    ...rest,
    method: 'none',
    verdict: 'not-proved',
    notCompared: ['everything: the spec says backup.prove: none'],
  });
});
