/** What the tests of a restore share: a server with two databases that was upgraded, and written to since. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { BackupRecord, Mode, UpgradeRecord } from '../../src/report/record.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { runWish, type Wish } from './restore-run.ts';

/** Set anew before every test. */
export const shop = {} as {
  server: TestServer;
  output: string;
  /** Of the upgrade that the test takes back. */
  backup: BackupRecord;
};

export async function ask<Row extends Record<string, unknown>>(
  sql: string,
  database = 'postgres',
): Promise<Row[]> {
  await using connection = await shop.server.connect(database);
  return await connection.query<Row>(sql);
}

/** Statements that end their line, each for itself. */
export async function script(sql: string, database = 'postgres'): Promise<void> {
  await using connection = await shop.server.connect(database);
  for (const each of sql.split(';\n')) await connection.script(each);
}

export const consent = (): string =>
  `    rollback: { restore: "I accept losing writes since ${shop.backup.started}" }\n`;
export const application = (): string =>
  `    applications:\n      - { name: shop, stop: [sh, -c, "echo stop >> ${shop.output}/shop"], start: [sh, -c, "echo start >> ${shop.output}/shop"] }\n`;

export const wish = (mode: Mode, more = ''): Wish => ({
  mode,
  url: shop.server.url,
  data: shop.server.data,
  port: shop.server.port,
  output: shop.output,
  more: `    backup: { prove: checksum, jobs: 2 }\n${more}`,
});
export const run = (mode: Mode, more = ''): Promise<UpgradeRecord> => runWish(wish(mode, more));

/** Runs in a process of its own, and waits until it is gone. @returns the signal that ended it */
export async function killed(
  more: string,
  where: Pick<Wish, 'killBefore' | 'killAfter'>,
): Promise<string | null> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'restore-run.ts')], {
    env: { ...process.env, RESTORE_WISH: JSON.stringify({ ...wish('rollback', more), ...where }) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  return signal as string | null;
}

/** Every database but the templates; times in names are TIME. */
export const databases = async (): Promise<string[]> =>
  (
    await ask<{ line: string }>(
      "SELECT regexp_replace(datname, '[0-9]{8}t[0-9]{6}z', 'TIME') || CASE WHEN datallowconn THEN '' ELSE ' (closed)' END AS line FROM pg_database WHERE datname NOT LIKE 'template%' ORDER BY 1",
    )
  ).map(({ line }) => line);
export const untouched = ['billing', 'orders', 'postgres'];
export const exchanged = [
  'billing',
  'billing_before_restore_TIME (closed)',
  'orders',
  'orders_before_restore_TIME (closed)',
  'postgres',
];
export const rows = async (database: string): Promise<number> =>
  (await ask<{ n: number }>('SELECT count(*)::int AS n FROM things', database))[0]?.n ?? -1;
export const version = async (): Promise<string> =>
  (await ask<{ v: string }>("SELECT split_part(current_setting('server_version'), ' ', 1) AS v"))[0]?.v ?? '';
export const state = (): string => `${shop.server.data}.upgrade`;
export const codes = ({ issues }: UpgradeRecord): string[] => issues.map(({ code }) => code);
/** What the application was told. */
export const told = async (): Promise<string[]> =>
  (await readFile(join(shop.output, 'shop'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '');

const roles =
  'DROP ROLE IF EXISTS keeper;\nDROP ROLE IF EXISTS reader;\nCREATE ROLE keeper;\nCREATE ROLE reader LOGIN';
const orders = `CREATE DATABASE orders TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' OWNER keeper CONNECTION LIMIT 17;
REVOKE ALL ON DATABASE orders FROM PUBLIC;
GRANT CONNECT ON DATABASE orders TO reader;
COMMENT ON DATABASE orders IS 'DATABASE orders; it''s ours';
ALTER DATABASE orders SET work_mem = '5MB';
ALTER DATABASE orders SET default_transaction_read_only = off;
ALTER ROLE reader IN DATABASE orders SET search_path = '$user', "My ""Schema"""`;
const contents = `CREATE TABLE things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO things (name) SELECT 'thing ' || n FROM generate_series(1, 1000) n;
CREATE INDEX ON things (name);
CREATE TABLE guarded (id int CHECK (coalesce(current_setting('shop.closed', true), '') <> 'yes'));
INSERT INTO guarded VALUES (1)`;

/** To be called once in a file: the server, and the upgrade before every test. */
export function upgradedShop(): void {
  let folder: string;
  beforeAll(async () => {
    shop.server = await testServer('15.17', { settings: { wal_level: 'logical' } });
    folder = await mkdtemp(join(tmpdir(), 'pgu-restore-'));
  });
  afterAll(async () => {
    await shop.server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    await rm(state(), { recursive: true, force: true });
  });
  beforeEach(async () => {
    shop.output = await mkdtemp(join(folder, 'out-'));
    await script(roles);
    await script(orders);
    await script('CREATE DATABASE billing');
    for (const name of ['orders', 'billing']) await script(contents, name);
    const upgraded = await run('upgrade');
    expect([upgraded.result, upgraded.verdict]).toEqual([
      'success',
      'PostgreSQL 15.17 was upgraded to 15.18.',
    ]);
    if (!upgraded.backup) throw new Error('no backup was taken');
    shop.backup = upgraded.backup;
    for (const name of ['orders', 'billing'])
      await script("INSERT INTO things (name) SELECT 'written since' FROM generate_series(1, 5)", name);
  });
  // Back to the older server, with nothing of ours.
  afterEach(async () => {
    await rm(state(), { recursive: true, force: true });
    await shop.server.stop('immediate').catch(() => {});
    await shop.server.start();
    for (const { name } of await ask<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')",
    ))
      await script(`DROP DATABASE "${name}" WITH (FORCE)`);
  });
}
