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
import { clusterObjects, neverCompared, neverComparedInCluster } from './inventory-sql.ts';
import { verifyFiles } from './manifest.ts';
import { type LeftOut, type Restored, restoreDatabase } from './restore.ts';

/** How to prove, with what, and where the scratch server may live. */
export interface ProveOptions {
  method: 'restore' | 'checksum' | 'none';
  clients: ClientPrograms;
  jobs: number;
  scratch(options: ScratchOptions): Promise<ScratchServer>;
  /** Folder for the scratch server; made and removed. */
  scratchFolder: string;
  /** Versions of a database's extensions that the restore should make, where the scratch server has them. */
  extensionVersions?(database: string): ReadonlyMap<string, string>;
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

async function prove(dump: Dump, options: ProveOptions): Promise<ProofRecord> {
  const begun = Date.now();
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
  return { ...(await proveOn(server, dump, options)).proof, durationMs: Date.now() - begun };
}

/** A proof, and what its restore took; no databases where it stopped before its end. */
export interface Proved {
  proof: ProofRecord;
  databases: (Restored & { name: string })[];
}

/** Proves a backup, whose files were read again, on a scratch server that stays as the restore left it. */
export async function proveOn(server: ScratchServer, dump: Dump, options: ProveOptions): Promise<Proved> {
  const begun = Date.now();
  const restored = { ...empty, method: options.method, restoredInto: formatVersion(server.version) };
  try {
    const copies = await restoreAll(dump, server, options);
    const cluster = await readCluster(server);
    const differences = [
      ...compareCluster(dump.cluster, cluster),
      ...dump.databases.flatMap((database, index) => {
        const copy = copies[index];
        return copy
          ? compareInventories(
              database.name,
              without(database.inventory, copy.leftOut),
              database.sequencesAfter,
              without(copy.inventory, copy.leftOut),
            )
          : [];
      }),
    ];
    return {
      proof: {
        ...restored,
        verdict: differences.length === 0 ? 'proved' : 'failed',
        differences: shorten(differences),
        ...totals(
          dump,
          copies.flatMap(({ leftOut }) => leftOut.map(({ why }) => why)),
        ),
        durationMs: Date.now() - begun,
      },
      databases: copies.map(({ inventory: _, ...copy }) => copy),
    };
  } catch (cause) {
    options.signal.throwIfAborted();
    await assertSpace(options.scratchFolder, cause);
    if (cause instanceof UpgradeError && cause.code === 'restore-failed') {
      return {
        proof: {
          ...restored,
          verdict: 'failed',
          differences: [cause.message, ...(cause.hint?.split('\n') ?? [])],
          durationMs: Date.now() - begun,
        },
        databases: [],
      };
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

/** What was left out on purpose is told, not compared: whether it is filled is part of what defines it. */
function without(inventory: Inventory, leftOut: readonly LeftOut[]): Inventory {
  const gone = new Set(leftOut.map(({ identity }) => identity));
  return {
    ...inventory,
    objects: Object.fromEntries(
      Object.entries(inventory.objects).filter(([identity]) => !gone.has(identity)),
    ),
  };
}

function totals(
  { databases, closed }: Dump,
  leftOut: readonly string[],
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
    notCompared: shorten([
      ...closed.map((name) => `${name}: not in the backup at all, since it accepts no connections`),
      neverCompared,
      neverComparedInCluster,
      ...leftOut,
      ...databases.flatMap(({ name, inventory }) => inventory.notCompared.map((text) => `${name}: ${text}`)),
    ]),
  };
}

async function restoreAll(
  dump: Dump,
  server: ScratchServer,
  options: ProveOptions,
): Promise<(Restored & { name: string; inventory: Inventory })[]> {
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
  const copies: (Restored & { name: string; inventory: Inventory })[] = [];
  for (const database of dump.databases) {
    options.progress(`${database.name}: restoring into ${formatVersion(server.version)}`);
    const restored = await restoreDatabase(dump, database, server, options);
    options.progress(`${database.name}: comparing`);
    await using connection = await connect(server.settings(database.name), { statementTimeout: 0 });
    await connection.script(pinnedSession);
    const inventory = await readInventory(connection, (text) => {
      options.signal.throwIfAborted();
      options.progress(`${database.name}: comparing ${text}`);
    });
    copies.push({ ...restored, name: database.name, inventory });
  }
  return copies;
}

async function readCluster(server: ScratchServer): Promise<Record<string, string>> {
  await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  await connection.script(pinnedSession);
  const rows = await connection.query<{ identity: string; hash: string }>(clusterObjects);
  return Object.fromEntries(rows.map(({ identity, hash }) => [identity, hash]));
}
