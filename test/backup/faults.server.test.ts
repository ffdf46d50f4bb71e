/** A bad backup is never called proved: faults planted into its files, its roles and its restored copy. */
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dump, DumpedDatabase } from '../../src/backup/dump.ts';
import { listFiles } from '../../src/backup/manifest.ts';
import type { ProofRecord } from '../../src/report/record.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { dumpOf, leftBehind, type Place, place, proofOf } from './proving.ts';

const contents = `
  CREATE ROLE lonely LOGIN PASSWORD 'sample only';
  CREATE TABLE marked (id int PRIMARY KEY, note text);
  INSERT INTO marked SELECT n, 'marker ' || n || ' end' FROM generate_series(1, 1000) n;
  CREATE INDEX marked_note ON marked (note);
  CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS $$ SELECT 4200042 $$;
  CREATE SEQUENCE numbers;
  SELECT setval('numbers', 77);
  SELECT lo_from_bytea(4711, convert_to(repeat('object content ', 500), 'UTF8'))`;

let base: Place;
let source: TestServer;
let good: Dump;
let copies = 0;

beforeAll(async () => {
  base = await place();
  source = await testServer('15.17');
  await using connection = await source.connect();
  await connection.query('CREATE DATABASE app');
  await using app = await source.connect('app');
  await app.script(contents);
  good = await dumpOf(source.settings(), base.folder, { compress: 0 });
});
afterAll(async () => {
  const left = base && (await leftBehind(base.folder));
  await source?.[Symbol.asyncDispose]();
  await base?.[Symbol.asyncDispose]();
  expect(left).toEqual({ folders: [], processes: [] });
});

/** The file of the dump of `app` that holds `text`. */
async function fileWith(folder: string, text: string): Promise<string> {
  for (const name of await readdir(join(folder, 'db-1'))) {
    const path = join(folder, 'db-1', name);
    if ((await readFile(path)).includes(text)) return path;
  }
  throw new Error(`no file holds ${text}`);
}

/** Changes a copy of the good dump, and looks with the manifest as it was and with one that was made afterwards. */
async function damaged(
  damage: (folder: string) => Promise<void>,
): Promise<{ manifest: ProofRecord; restore: ProofRecord }> {
  copies += 1;
  const folder = join(base.folder, `copy-${copies}`);
  await cp(good.folder, folder, { recursive: true });
  await damage(folder);
  const dump = { ...good, folder };
  const unaware = { ...dump, manifest: { ...good.manifest, files: await listFiles(folder) } };
  return {
    manifest: await proofOf(dump, { method: 'checksum' }),
    restore: await proofOf(unaware),
  };
}

async function replaceByte(path: string, text: string, with_: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(-1);
  bytes.write(with_, at, 'latin1');
  await writeFile(path, bytes);
}

const failed = { verdict: 'failed' };

test('the dump itself is good', async () => {
  expect(good.databases.map(({ name }) => name)).toEqual(['app', 'postgres', 'template1']);
  expect(await proofOf(good)).toMatchObject({ verdict: 'proved', tables: 1, rows: 1000, largeObjects: 1 });
});

test('a data file cut in the middle of a row', async () => {
  const { manifest, restore } = await damaged(async (folder) => {
    const path = await fileWith(folder, 'marker 500 end');
    await truncate(path, (await readFile(path)).indexOf('marker 500 end') + 4);
  });
  expect(manifest).toMatchObject(failed);
  expect(manifest.differences[0]).toMatch(/^db-1\/\d+\.dat has \d+ bytes instead of \d+$/);
  expect(restore).toMatchObject({
    ...failed,
    differences: expect.arrayContaining([
      'app: table "public"."marked" has 1000 rows, its restored copy 500',
    ]),
  });
});

test('a data file cut between two rows', async () => {
  const { manifest, restore } = await damaged(async (folder) => {
    const path = await fileWith(folder, 'marker 500 end');
    await truncate(path, (await readFile(path)).indexOf('marker 500 end') + 'marker 500 end\n'.length);
  });
  expect(manifest).toMatchObject(failed);
  expect(restore).toMatchObject({
    ...failed,
    differences: ['app: table "public"."marked" has 1000 rows, its restored copy 500'],
  });
});

test('a data file deleted', async () => {
  const { manifest, restore } = await damaged(async (folder) => rm(await fileWith(folder, 'marker 500 end')));
  expect(manifest).toMatchObject(failed);
  expect(manifest.differences[0]).toMatch(/^db-1\/\d+\.dat is missing$/);
  expect(restore.verdict).toBe('failed');
  expect(restore.differences.join('\n')).toMatch(/could not be restored into 15\.18[\s\S]*No such file/);
});

test('one byte of a row, which only the fingerprint sees', async () => {
  const { manifest, restore } = await damaged(async (folder) =>
    replaceByte(await fileWith(folder, 'marker 500 end'), 'marker 500 end', 'marker 501'),
  );
  expect(manifest).toMatchObject(failed);
  expect(manifest.differences[0]).toMatch(/^db-1\/\d+\.dat was changed: its sha256 is another one$/);
  expect(restore).toMatchObject({
    ...failed,
    differences: ['app: table "public"."marked" has 1000 rows in both, but their content differs'],
  });
});

test('one byte of a large object, and one of a function', async () => {
  const { manifest, restore } = await damaged(async (folder) => {
    await replaceByte(await fileWith(folder, 'object content'), 'object content', 'Object');
    await replaceByte(await fileWith(folder, '4200042'), '4200042', '4200043');
  });
  expect(manifest).toMatchObject(failed);
  expect(manifest.differences).toHaveLength(2);
  expect(restore).toMatchObject({
    ...failed,
    differences: [
      'app: routine public.answer() differs in the restored copy',
      'app: the content of its large objects differs in the restored copy',
    ],
  });
});

test('the roles without one of them', async () => {
  const { manifest, restore } = await damaged(async (folder) => {
    const path = join(folder, 'globals.sql');
    const lines = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, lines.filter((line) => !line.includes('lonely')).join('\n'));
  });
  expect(manifest).toMatchObject(failed);
  expect(manifest.differences[0]).toMatch(/^globals\.sql has \d+ bytes instead of \d+$/);
  expect(restore).toMatchObject({
    ...failed,
    differences: ['role lonely is missing in the restored copy'],
  });
});

test('a restored copy that differs in an index, a row, a sequence, a role', async () => {
  const change = (database: DumpedDatabase): DumpedDatabase => {
    if (database.name !== 'app') return database;
    const { inventory } = database;
    const { 'index public.marked_note': _gone, ...objects } = inventory.objects;
    const counted = inventory.tables['"public"."marked"'];
    return {
      ...database,
      sequencesAfter: { '"public"."numbers"': { value: '76', called: true } },
      inventory: {
        ...inventory,
        objects: { ...objects, 'index public.never_made': 'hash' },
        tables: { '"public"."marked"': { rows: '999', fingerprint: counted?.fingerprint ?? '' } },
        sequences: { '"public"."numbers"': { value: '75', called: true } },
      },
    };
  };
  const other = {
    ...good,
    databases: good.databases.map(change),
    cluster: { ...good.cluster, 'role x': 'y' },
  };
  expect(await proofOf(other)).toMatchObject({
    ...failed,
    differences: [
      'role x is missing in the restored copy',
      'app: index public.never_made is missing in the restored copy',
      'app: index public.marked_note exists only in the restored copy',
      'app: table "public"."marked" has 999 rows, its restored copy 1000',
      'app: sequence "public"."numbers" stood at 75, its restored copy at 77',
    ],
  });
});
