/**
 * Proves a backup: its files are the ones that were written, they restore without a single error into a scratch
 * server, and what comes out is what was in the source, object by object and row by row.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { type ClientPrograms, clientPath } from '../postgres/clients.ts';
import { connect, quoteIdent } from '../postgres/connection.ts';
import { clientLogin } from '../postgres/passfile.ts';
import type { ScratchOptions, ScratchServer } from '../postgres/scratch.ts';
import { formatVersion } from '../postgres/version.ts';
import { lastLines, run } from '../process/run.ts';
import type { ProofRecord } from '../report/record.ts';
import { compareCluster, compareInventories, shorten } from './compare.ts';
import type { Dump, DumpedDatabase } from './dump.ts';
import { restoreGlobals } from './globals.ts';
import { type Inventory, pinnedSession, readInventory } from './inventory.ts';
import { clusterObjects } from './inventory-sql.ts';
import { verifyFiles } from './manifest.ts';

export interface ProveOptions {
  method: 'restore' | 'checksum' | 'none';
  clients: ClientPrograms;
  jobs: number;
  scratch(options: ScratchOptions): Promise<ScratchServer>;
  /** Folder for the scratch server; made and removed. */
  scratchFolder: string;
  signal: AbortSignal;
  progress(text: string): void;
  note(text: string): void;
}

/** Never throws for a bad backup: the verdict says so, with what differs. Throws where the proof itself could not run. */
export async function proveDump(dump: Dump, options: ProveOptions): Promise<ProofRecord> {
  const begun = Date.now();
  const empty = {
    restoredInto: null,
    databases: 0,
    tables: 0,
    rows: 0,
    sequences: 0,
    largeObjects: 0,
    objects: 0,
    notCompared: [],
    differences: [],
  };
  const done = (proof: Omit<ProofRecord, 'method' | 'durationMs'>): ProofRecord => ({
    method: options.method,
    ...proof,
    durationMs: Date.now() - begun,
  });
  if (options.method === 'none') {
    return done({
      ...empty,
      verdict: 'not-proved',
      notCompared: ['everything: the spec says backup.prove: none'],
    });
  }
  options.progress('reading every file of the backup again');
  const faults = await verifyFiles(dump.folder, dump.manifest, options.signal);
  if (faults.length > 0) return done({ ...empty, verdict: 'failed', differences: shorten(faults) });
  if (options.method === 'checksum') {
    return done({
      ...empty,
      verdict: 'files-intact',
      notCompared: ['whether it can be restored, and its content: the spec says backup.prove: checksum'],
    });
  }

  options.progress('starting a scratch server');
  await using server = await options.scratch({
    superuser: dump.superuser,
    encoding: dump.encoding,
    preload: dump.preload,
    folder: options.scratchFolder,
  });
  const restored = { ...empty, restoredInto: formatVersion(server.version) };
  try {
    const inventories = await restoreAll(dump, server, options);
    const cluster = await readCluster(server);
    const differences = [
      ...compareCluster(dump.cluster, cluster),
      ...dump.databases.flatMap((database, index) => {
        const copy = inventories[index];
        return copy
          ? compareInventories(database.name, database.inventory, database.sequencesAfter, copy)
          : [];
      }),
    ];
    return done({
      ...restored,
      verdict: differences.length === 0 ? 'proved' : 'failed',
      differences: shorten(differences),
      ...totals(dump.databases),
    });
  } catch (cause) {
    if (cause instanceof UpgradeError && cause.code === 'restore-failed') {
      return done({
        ...restored,
        verdict: 'failed',
        differences: [cause.message, ...(cause.hint?.split('\n') ?? [])],
      });
    }
    throw cause;
  }
}

function totals(
  databases: readonly DumpedDatabase[],
): Pick<
  ProofRecord,
  'databases' | 'tables' | 'rows' | 'sequences' | 'largeObjects' | 'objects' | 'notCompared'
> {
  const sum = (count: (inventory: Inventory) => number): number =>
    databases.reduce((total, { inventory }) => total + count(inventory), 0);
  return {
    databases: databases.length,
    tables: sum(({ tables }) => Object.keys(tables).length),
    rows: sum(({ tables }) => Object.values(tables).reduce((total, { rows }) => total + Number(rows), 0)),
    sequences: sum(({ sequences }) => Object.keys(sequences).length),
    largeObjects: sum(({ largeObjects }) => largeObjects.count),
    objects: sum(({ objects }) => Object.keys(objects).length),
    notCompared: shorten(
      databases.flatMap(({ name, inventory }) => inventory.notCompared.map((text) => `${name}: ${text}`)),
    ),
  };
}

async function restoreAll(dump: Dump, server: ScratchServer, options: ProveOptions): Promise<Inventory[]> {
  {
    await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
    const text = await readFile(join(dump.folder, 'globals.sql'), 'utf8');
    await restoreGlobals(connection, text, dump.superuser).catch((cause: Error) => {
      throw new UpgradeError('restore-failed', `The roles could not be restored: ${cause.message}.`, {
        phase: 'prove',
        cause,
      });
    });
  }
  const inventories: Inventory[] = [];
  for (const database of dump.databases) {
    options.progress(`${database.name}: restoring into ${formatVersion(server.version)}`);
    await restoreDatabase(dump, database, server, options);
    options.progress(`${database.name}: comparing`);
    await using connection = await connect(server.settings(database.name), { statementTimeout: 0 });
    await connection.script(pinnedSession);
    const copy = await readInventory(connection, (text) =>
      options.progress(`${database.name}: comparing ${text}`),
    );
    inventories.push(copy);
  }
  return inventories;
}

async function restoreDatabase(
  dump: Dump,
  database: DumpedDatabase,
  server: ScratchServer,
  options: ProveOptions,
): Promise<void> {
  await using login = await clientLogin(server.settings('postgres'));
  // The scratch server has these two already: they are dropped and made anew, from another one.
  const exists = ['postgres', 'template1'].includes(database.name);
  const into = [
    ...(exists ? ['--clean', '--if-exists'] : []),
    '--create',
    `--dbname=${database.name === 'postgres' ? 'template1' : 'postgres'}`,
  ];
  const attempt = (jobs: number): ReturnType<typeof run> =>
    run(
      [
        clientPath(options.clients, 'pg_restore'),
        '--exit-on-error',
        `--jobs=${jobs}`,
        '--no-subscriptions',
        ...into,
        ...login.args,
        join(dump.folder, database.folder),
      ],
      // A database that is read-only by default (ALTER DATABASE ... SET) would refuse its own rows.
      {
        env: { ...login.env, PGOPTIONS: '-c default_transaction_read_only=off' },
        signal: options.signal,
      },
    );
  const ticker = setInterval(
    () =>
      void restoredBytes(server, database.name).then((bytes) => {
        if (bytes) options.progress(`${database.name}: ${bytes} restored`);
      }),
    5000,
  );
  try {
    let result = await attempt(options.jobs);
    if (result.code !== 0 && options.jobs > 1 && !exists) {
      // Parallel restores can race on the indexes of partitioned tables (release notes of November 2026): one
      // worker decides whether the dump is bad.
      options.note(
        `${database.name}: the restore with ${options.jobs} workers failed, trying with one: ${lastLines(result.stderr, 1)}`,
      );
      await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
      await connection.query('UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = $1', [
        database.name,
      ]);
      await connection.script(`DROP DATABASE IF EXISTS ${quoteIdent(database.name)}`);
      result = await attempt(1);
    }
    if (result.code !== 0) {
      throw new UpgradeError(
        'restore-failed',
        `The dump of ${database.name} could not be restored into ${formatVersion(server.version)}.`,
        {
          phase: 'prove',
          hint: lastLines(result.stderr, 4),
        },
      );
    }
  } finally {
    clearInterval(ticker);
  }
}

async function restoredBytes(server: ScratchServer, database: string): Promise<string | null> {
  try {
    await using connection = await connect(server.settings('template1'), { timeout: 2000 });
    const [row] = await connection.query<{ size: string }>(
      'SELECT pg_size_pretty(pg_database_size(oid)) AS size FROM pg_database WHERE datname = $1',
      [database],
    );
    return row?.size ?? null;
  } catch {
    return null;
  }
}

async function readCluster(server: ScratchServer): Promise<Record<string, string>> {
  await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  await connection.script(pinnedSession);
  const rows = await connection.query<{ identity: string; hash: string }>(clusterObjects);
  return Object.fromEntries(rows.map(({ identity, hash }) => [identity, hash]));
}
