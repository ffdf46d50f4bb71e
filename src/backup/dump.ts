/**
 * Takes a backup of every database and of the roles, together with what was in them at that moment.
 *
 * One snapshot a database: a transaction exports it, pg_dump's workers and the inventory both read under it, so
 * writes that go on meanwhile disturb neither. Different databases are dumped at different moments.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import { type ClientPrograms, clientPath } from '../postgres/clients.ts';
import { connect } from '../postgres/connection.ts';
import { type ClientLogin, clientLogin, conninfo, dumpName } from '../postgres/passfile.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';
import { formatVersion } from '../postgres/version.ts';
import { run } from '../process/run.ts';
import { formatBytes } from '../report/format.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { assertDumped, explainDump } from './dump-error.ts';
import { dumpGlobals } from './dump-globals.ts';
import {
  type Inventory,
  pinnedSession,
  readInventory,
  readSequences,
  type SequenceState,
} from './inventory.ts';
import { clusterObjects } from './inventory-sql.ts';
import { listFiles, type Manifest, writeManifest } from './manifest.ts';
import { describeSource, type Source } from './source.ts';

/** File name of what was in the source, in a backup. */
export const inventoryName = 'inventory.json';

/** File name of the health snapshot in a backup. */
export const snapshotName = 'snapshot.json';

/** One database in a backup. Sizes in bytes; `sourceBytes` is pg_database_size, `bytes` what the dump takes. */
export interface DumpedDatabase {
  name: string;
  folder: string;
  template: boolean;
  bytes: number;
  sourceBytes: number;
  durationMs: number;
  inventory: Inventory;
  sequencesAfter: Record<string, SequenceState>;
}

/** All that is known about the source at the time of the backup; kept beside the dump. */
export interface Dump {
  folder: string;
  databases: DumpedDatabase[];
  cluster: Record<string, string>;
  /** Bootstrap superuser, and what a scratch server must be like to take this dump. */
  superuser: string;
  /** Databases that accept no connections, and so are not in the backup. */
  closed: string[];
  encoding: string;
  preload: string;
  manifest: Manifest;
  manifestSha256: string;
  started: string;
  finished: string;
}

/** What a dump needs. `compress` is gzip's level 0 to 9, `jobs` the number of tables at the same time. */
export interface DumpOptions {
  settings: ConnectionSettings;
  clients: ClientPrograms;
  folder: string;
  target: string;
  jobs: number;
  compress: number;
  keepDays: number;
  /** Folder for what must not outlive the run; the caller removes it. */
  work?: string;
  /** The source's health snapshot from right before, kept beside the dump: what a restored copy is compared with. */
  snapshot?: Snapshot;
  signal: AbortSignal;
  progress(text: string): void;
}

/**
 * What was written stays where it fails: the caller removes it.
 * @throws UpgradeError `backup-folder`, `backup-role`, `dump-failed`, `dump-space`; Cancelled
 */
export async function takeDump(options: DumpOptions): Promise<Dump> {
  await makeFolder(options.folder, options.work);
  try {
    return await dumpAll(options);
  } catch (cause) {
    throw explainDump(cause, options.folder, options.signal);
  }
}

async function makeFolder(folder: string, work: string | undefined): Promise<void> {
  try {
    // The parent may be passed through, not listed: the scratch server of the proof works below it as another user.
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    await mkdir(folder, { mode: 0o700 });
    if (work) await mkdir(work, { recursive: true, mode: 0o711 });
  } catch (cause) {
    throw new UpgradeError(
      'backup-folder',
      `The backup folder ${folder} cannot be made: ${messageOf(cause)}.`,
      {
        phase: 'backup',
        hint: 'Name a folder that this job may write to in backup.directory.',
        cause,
      },
    );
  }
}

async function dumpAll(options: DumpOptions): Promise<Dump> {
  const { settings, clients, folder, signal } = options;
  const started = new Date().toISOString();
  await using main = await connect(settings, { name: dumpName, statementTimeout: 0 });
  const source = await describeSource(main);
  await using login = await clientLogin(settings, options.work);

  await dumpGlobals(options, login);
  await main.script(pinnedSession);
  const cluster = Object.fromEntries(
    (await main.query<{ identity: string; hash: string }>(clusterObjects)).map(({ identity, hash }) => [
      identity,
      hash,
    ]),
  );

  const databases: DumpedDatabase[] = [];
  for (const [index, database] of source.databases.entries()) {
    signal.throwIfAborted();
    databases.push(await dumpDatabase(options, login, database, `db-${index + 1}`));
  }
  const described = {
    superuser: source.superuser,
    closed: source.closed,
    encoding: source.encoding,
    preload: source.preload,
    databases,
    cluster,
    started,
  };
  await writeFile(join(folder, inventoryName), `${JSON.stringify(described, null, 1)}\n`, { mode: 0o600 });

  if (options.snapshot)
    await writeFile(join(folder, snapshotName), `${JSON.stringify(options.snapshot, null, 1)}\n`, {
      mode: 0o600,
    });

  options.progress('writing the list of files with their sums');
  const manifest: Manifest = {
    version: 1,
    target: options.target,
    created: started,
    server: source.version,
    clients: formatVersion(clients.version),
    keepDays: options.keepDays,
    files: await listFiles(folder, signal),
  };
  const manifestSha256 = await writeManifest(folder, manifest);
  return { ...described, folder, manifest, manifestSha256, finished: new Date().toISOString() };
}

async function dumpDatabase(
  options: DumpOptions,
  login: Pick<ClientLogin, 'args' | 'env'>,
  database: Source['databases'][number],
  folderName: string,
): Promise<DumpedDatabase> {
  const begun = Date.now();
  const { name, bytes: sourceBytes, template } = database;
  const folder = join(options.folder, folderName);
  await using holder = await connect(
    { ...options.settings, database: name },
    { name: 'postgres-upgrade snapshot', statementTimeout: 0 },
  );
  await holder.script(pinnedSession);
  await holder.script('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [row] = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  // Sequences belong to no snapshot: what pg_dump writes lies between a reading before it begins and one after its end.
  const sequences = await readSequences(holder);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const ticker = setInterval(
    () =>
      void sizeOf(folder).then((bytes) =>
        options.progress(
          `${name}: ${formatBytes(bytes)} written, the database has ${formatBytes(sourceBytes)}`,
        ),
      ),
    2000,
  );
  try {
    const dump = run(
      [
        clientPath(options.clients, 'pg_dump'),
        '--format=directory',
        `--jobs=${options.jobs}`,
        `--compress=${options.compress}`,
        `--snapshot=${row?.id}`,
        '--lock-wait-timeout=30s',
        '--file',
        folder,
        ...login.args,
        `--dbname=${conninfo(name)}`,
      ],
      { env: login.env, signal },
    );
    const [inventory] = await Promise.all([
      readInventory(holder).catch((cause: unknown) => {
        stop.abort();
        throw cause;
      }),
      dump.then((result) => {
        if (result.code !== 0) void holder.close();
        assertDumped(`database ${name}`, result.code, result.stderr, options.folder);
      }),
    ]).catch(async (cause: unknown) => {
      // Whichever failed first is the reason; the other only stopped because of it.
      await dump.catch(() => {});
      throw cause;
    });
    await holder.script('COMMIT');
    const sequencesAfter = await readSequences(holder);
    const bytes = await sizeOf(folder);
    options.progress(`${name}: dumped, ${formatBytes(bytes)}`);
    return {
      name,
      folder: folderName,
      template,
      bytes,
      sourceBytes,
      durationMs: Date.now() - begun,
      inventory: { ...inventory, sequences },
      sequencesAfter,
    };
  } finally {
    clearInterval(ticker);
  }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => []))
    bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
  return bytes;
}
