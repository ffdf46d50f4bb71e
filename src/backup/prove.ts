/**
 * Proves a backup: its files are the ones that were written, they restore without a single error into a scratch
 * server, and what comes out is what was in the source, object by object and row by row.
 */
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Cancelled, UpgradeError } from '../errors.ts';
import type { ClientPrograms } from '../postgres/clients.ts';
import { connect } from '../postgres/connection.ts';
import type { ScratchOptions, ScratchServer } from '../postgres/scratch.ts';
import { formatVersion } from '../postgres/version.ts';
import type { ProofRecord } from '../report/record.ts';
import { compareCluster, compareInventories, shorten } from './compare.ts';
import type { Dump } from './dump.ts';
import { restoreGlobals } from './globals.ts';
import { type Inventory, pinnedSession, readInventory } from './inventory.ts';
import { clusterObjects, neverCompared } from './inventory-sql.ts';
import { verifyFiles } from './manifest.ts';
import { restoreDatabase } from './restore.ts';

/** How to prove, with what, and where the scratch server may live. */
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

/**
 * Never throws for a bad backup: the verdict says so, with what differs. Throws where the proof itself could not run.
 * @throws UpgradeError `scratch-start`, `proof-space`; Cancelled
 */
export async function proveDump(dump: Dump, options: ProveOptions): Promise<ProofRecord> {
  try {
    return await prove(dump, options);
  } catch (cause) {
    throw options.signal.aborted ? new Cancelled('prove') : cause;
  }
}

async function prove(dump: Dump, options: ProveOptions): Promise<ProofRecord> {
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
      ...totals(dump),
    });
  } catch (cause) {
    options.signal.throwIfAborted();
    await assertSpace(options.scratchFolder, cause);
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

/** Less than this is full: a server that cannot make its next WAL file (16 MiB) ends at once. */
const fullBelow = 32 * 1024 ** 2;

/** @throws UpgradeError `proof-space`: the backup may be as good as can be, it only had no room to show it */
async function assertSpace(folder: string, cause: unknown): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= fullBelow) return;
  throw new UpgradeError('proof-space', `The disk of ${folder} is full: the backup was not proved.`, {
    phase: 'prove',
    hint: 'The restored copy needs about as much room as the database. Free space there, or name a larger place in backup.directory.',
    cause,
  });
}

function totals({
  databases,
  closed,
}: Dump): Pick<
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
    notCompared: shorten([
      ...closed.map((name) => `${name}: not in the backup at all, since it accepts no connections`),
      neverCompared,
      ...databases.flatMap(({ name, inventory }) => inventory.notCompared.map((text) => `${name}: ${text}`)),
    ]),
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
    const copy = await readInventory(connection, (text) => {
      options.signal.throwIfAborted();
      options.progress(`${database.name}: comparing ${text}`);
    });
    inventories.push(copy);
  }
  return inventories;
}

async function readCluster(server: ScratchServer): Promise<Record<string, string>> {
  await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  await connection.script(pinnedSession);
  const rows = await connection.query<{ identity: string; hash: string }>(clusterObjects);
  return Object.fromEntries(rows.map(({ identity, hash }) => [identity, hash]));
}
