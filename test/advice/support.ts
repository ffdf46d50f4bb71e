/** A target that goes from npm's 15.1, with a real wal2json, to Debian's newest 15. */
import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Binaries, binariesIn } from '../../src/postgres/binaries.ts';
import { type Target, targetFor } from '../e2e/support.ts';
import { binariesOf, type TestServer, testServer } from '../support/servers.ts';

/** Folder of Debian's programs, and their version. */
export interface Debian {
  folder: string;
  version: string;
  /** For `environment.binaries`. */
  pattern: string;
}

export function debian(): Debian {
  const root = execFileSync(join(import.meta.dirname, '../../scripts/debian-programs'), {
    encoding: 'utf8',
  }).trim();
  const folder = join(root, 'usr/lib/postgresql/15');
  return { folder, version: basename(root), pattern: folder };
}

/** Programs of 15.1 with Debian's wal2json among their libraries: a copy, since the cache belongs to everybody. */
async function withPlugin(plugin: string): Promise<{ binaries: Binaries; folder: string }> {
  const { bin } = await binariesOf('15.1');
  const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
  await cp(join(bin, '..'), folder, { recursive: true, verbatimSymlinks: true });
  await cp(plugin, join(folder, 'lib/postgresql/wal2json.so'));
  await chmod(folder, 0o755);
  const binaries = await binariesIn(folder, 'copy with wal2json');
  if (!binaries) throw new Error('the copy of 15.1 does not start');
  return { binaries, folder };
}

export interface Patient extends Target {
  wanted: Debian;
  sql(text: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Writes the spec with Debian's programs. */
  ask(more?: string): Promise<void>;
}

/** A server of 15.1 that wants Debian's version, with an empty database `shop`. */
export async function patient(): Promise<Patient> {
  const wanted = debian();
  const { binaries, folder } = await withPlugin(join(wanted.folder, 'lib/wal2json.so'));
  const server: TestServer = await testServer('15.1', {
    binaries,
    checksums: true,
    settings: { wal_level: 'logical' },
  });
  const target = await targetFor(server, wanted.version);
  const sql: Patient['sql'] = async (text, database = 'shop') => {
    await using connection = await server.connect(database);
    return await connection.query(text);
  };
  await sql('CREATE DATABASE shop', 'postgres');
  const ask: Patient['ask'] = (more = '') => target.spec({ binaries: wanted.pattern, more });
  await ask();
  return {
    ...target,
    wanted,
    sql,
    ask,
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What an administrator may have run already: the script that mends the views of CVE-2024-4317, everywhere. */
export async function mendStatsViews(target: Patient): Promise<void> {
  const [row] = await (async () => {
    await using connection = await target.server.connect();
    return await connection.query<{ script: string }>('SELECT pg_read_file($1) AS script', [
      join(target.wanted.folder, '../../../share/postgresql/15/fix-CVE-2024-4317.sql'),
    ]);
  })();
  for (const database of ['postgres', 'template1', 'shop']) {
    await using connection = await target.server.connect(database);
    await connection.script(row?.script ?? '');
  }
}

/** A table that was once a partition and still has its foreign key half, a BRIN index that may miss NULLs, a slot. */
export const sick = {
  foreignKey: [
    'CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id)',
    'CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (100)',
    'CREATE TABLE child (id int, parent_id int REFERENCES parent) PARTITION BY RANGE (id)',
    'CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100)',
    'INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)',
    'ALTER TABLE child DETACH PARTITION child_1',
  ],
  brin: [
    'CREATE TABLE reading (at timestamptz)',
    "INSERT INTO reading SELECT now() + i * interval '1 min' FROM generate_series(1, 1000) i",
    'CREATE INDEX reading_at ON reading USING brin (at)',
  ],
  slot: ["SELECT pg_create_logical_replication_slot('cdc', 'wal2json')"],
};

export async function plant(target: Patient, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await using connection = await target.server.connect('shop');
    await connection.script(statement);
  }
}
