/** Everything that is legal and rare, restored beside the originals under other names: nothing of it may be lost. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dump } from '../../src/backup/dump.ts';
import { dropCopy, restoreInto } from '../../src/backup/restore-into.ts';
import { findClients } from '../../src/postgres/clients.ts';
import { quoteIdent } from '../../src/postgres/connection.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { giveTo } from '../../src/process/user.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';
import { lookalike, plantOddities } from './odd.ts';
import { dumpOf, type Place, place } from './proving.ts';

let base: Place;
let server: TestServer;
let dump: Dump;

beforeAll(async () => {
  base = await place();
  server = await testServer('15.18', { settings: { timezone: 'America/New_York', datestyle: 'SQL, DMY' } });
  const space = join(server.folder, 'space');
  await mkdir(space);
  await giveTo(server.user, space);
  await plantOddities(server, space);
  await using connection = await server.connect();
  await connection.script(
    `CREATE DATABASE umlauts TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LOCALE 'C'`,
  );
  await connection.script("COMMENT ON DATABASE umlauts IS 'CREATE DATABASE umlauts; --'");
  await connection.script(`ALTER DATABASE umlauts SET search_path = '$user', 'a "b"'`);
  await connection.script(`GRANT CREATE ON DATABASE umlauts TO "a b" WITH GRANT OPTION`);
  dump = await dumpOf(server.settings(), base.folder);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await base?.[Symbol.asyncDispose]();
});

const target = () => ({ settings: server.settings, version: parseVersion('15.18') });
async function restored(name: string, into: string, changed: Dump = dump): Promise<string[]> {
  const database = changed.databases.find((each) => each.name === name);
  if (!database) throw new Error(`the dump has no ${name}`);
  const notes: string[] = [];
  await restoreInto(changed, database, into, target(), {
    clients: await findClients(15),
    jobs: 2,
    scratchFolder: base.folder,
    signal: new AbortController().signal,
    progress: () => {},
    note: (text) => void notes.push(text),
  });
  return notes;
}

/** All that the catalog says of a database, but its number and name. */
async function itself(name: string): Promise<Record<string, unknown> | undefined> {
  await using connection = await server.connect();
  const [row] = await connection.query(
    `SELECT to_jsonb(d) - '{oid,datname,datfrozenxid,datminmxid}'::text[] AS row, shobj_description(oid, 'pg_database') AS comment,
            (SELECT jsonb_agg(jsonb_build_array(setrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings
     FROM pg_database d WHERE datname = $1`,
    [name],
  );
  return row;
}

test.each(['odd', 'frozen', 'latin', lookalike, 'umlauts'])('%s', async (name) => {
  const into = `${name}_restoring_20261120t030000z`;
  expect(await restored(name, into)).toEqual([]);
  expect(await itself(into)).toEqual(await itself(name));
  // Every table that somebody asks of was analyzed.
  await using connection = await server.connect(into);
  const [row] = await connection.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public' AND reltuples < 0",
  );
  expect(row?.n).toBe(0);
  await connection.close();
  await dropCopy(target(), into);
  expect(await itself(into)).toBeUndefined();
  await dropCopy(target(), into);
});

test('the oldest major, with newer client programs', async () => {
  await using old = await testServer('13.23');
  await using connection = await old.connect();
  await connection.script('CREATE ROLE keeper');
  await connection.script(
    "CREATE DATABASE aged OWNER keeper TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
  );
  await connection.script("ALTER DATABASE aged SET work_mem = '5MB'");
  {
    await using inside = await old.connect('aged');
    await inside.script('CREATE TABLE things (id serial); INSERT INTO things DEFAULT VALUES');
  }
  const taken = await dumpOf(old.settings(), base.folder);
  const database = taken.databases.find(({ name }) => name === 'aged');
  if (!database) throw new Error('the dump has no such database');
  const there = { settings: old.settings, version: parseVersion('13.23') };
  const copied = await restoreInto(taken, database, 'young', there, {
    clients: await findClients(15),
    jobs: 1,
    scratchFolder: base.folder,
    signal: new AbortController().signal,
    progress: () => {},
    note: () => {},
  });
  expect(copied).toMatchObject({ tables: 1, rows: 1, notCompared: [] });
  await dropCopy(there, 'young');
  const rows = await connection.query("SELECT FROM pg_database WHERE datname = 'young'");
  expect(rows).toEqual([]);
});

test('what differs is told, in words', async () => {
  const changed = {
    ...dump,
    databases: dump.databases.map((each) => ({
      ...each,
      inventory: { ...each.inventory, objects: { ...each.inventory.objects, 'table public.gone': 'x' } },
    })),
  };
  const error = await failureOf(restored('umlauts', 'differs', changed));
  expect([error.code, error.message]).toEqual([
    'restore-differs',
    'The restored copy of umlauts is not what the backup says that it was: umlauts: table public.gone is missing in the restored copy.',
  ]);
  await dropCopy(target(), 'differs');
});

test('a name that is taken is not touched', async () => {
  await using connection = await server.connect();
  const name = 'Some "body"';
  await connection.script(`CREATE DATABASE ${quoteIdent(name)}`);
  const before = await oid(name);
  const error = await failureOf(restored('umlauts', name));
  expect(await oid(name)).toBe(before);
  expect([error.code, error.hint]).toEqual(['restore-failed', 'database "Some "body"" already exists']);
});

async function oid(name: string): Promise<number | undefined> {
  await using connection = await server.connect();
  const [row] = await connection.query<{ oid: number }>(
    'SELECT oid::int FROM pg_database WHERE datname = $1',
    [name],
  );
  return row?.oid;
}
