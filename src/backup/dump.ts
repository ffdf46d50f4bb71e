/**
 * Takes a backup of every database and of the roles, together with what was in them at that moment.
 *
 * One snapshot a database: a transaction exports it, pg_dump's workers and the inventory both read under it, so
 * writes that go on meanwhile disturb neither. Different databases are dumped at different moments.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import { type ClientPrograms, clientPath } from '../postgres/clients.ts';
import { type Connection, connect } from '../postgres/connection.ts';
import { type ClientLogin, clientLogin } from '../postgres/passfile.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';
import { formatVersion, fromVersionNum } from '../postgres/version.ts';
import { lastLines, run } from '../process/run.ts';
import { lastLine } from './globals.ts';
import {
  type Inventory,
  pinnedSession,
  readInventory,
  readSequences,
  type SequenceState,
} from './inventory.ts';
import { clusterObjects } from './inventory-sql.ts';
import { listFiles, type Manifest, writeManifest } from './manifest.ts';

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
  encoding: string;
  preload: string;
  manifest: Manifest;
  manifestSha256: string;
  started: string;
  finished: string;
}

export interface DumpOptions {
  settings: ConnectionSettings;
  clients: ClientPrograms;
  folder: string;
  target: string;
  jobs: number;
  compress: number;
  keepDays: number;
  signal: AbortSignal;
  progress(text: string): void;
}

/** @throws UpgradeError `backup-folder`, `backup-role`, `dump-failed`, `dump-space` */
export async function takeDump(options: DumpOptions): Promise<Dump> {
  const { settings, clients, folder, signal } = options;
  const started = new Date().toISOString();
  try {
    // The parent may be passed through, not listed: the scratch server of the proof works below it as another user.
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    await mkdir(folder, { mode: 0o700 });
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
  await using main = await connect(settings, { name: 'postgres-upgrade dump', statementTimeout: 0 });
  const source = await describeSource(main);
  await using login = await clientLogin(settings);

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
    encoding: source.encoding,
    preload: source.preload,
    databases,
    cluster,
    started,
  };
  await writeFile(join(folder, 'inventory.json'), `${JSON.stringify(described, null, 1)}\n`, { mode: 0o600 });

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

type Login = Pick<ClientLogin, 'args' | 'env'>;

interface Source {
  version: string;
  superuser: string;
  encoding: string;
  preload: string;
  databases: { name: string; bytes: number; template: boolean }[];
}

async function describeSource(connection: Connection): Promise<Source> {
  const [row] = await connection.query<{
    num: string;
    super: boolean;
    owner: string;
    encoding: string;
    preload: string;
  }>(`
    SELECT current_setting('server_version_num') AS num,
           (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS super,
           (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS owner,
           (SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = 'template1') AS encoding,
           current_setting('shared_preload_libraries') AS preload`);
  if (!row?.super) {
    throw new UpgradeError(
      'backup-role',
      "The connection's user is no superuser, and only a superuser can dump everything: every database, the roles and their passwords.",
      {
        phase: 'backup',
        hint: 'Use a superuser in the connection URL.',
      },
    );
  }
  const databases = await connection.query<{ name: string; bytes: string; template: boolean }>(`
    SELECT datname AS name, pg_catalog.pg_database_size(oid)::text AS bytes, datistemplate AS template
    FROM pg_catalog.pg_database WHERE datallowconn AND datconnlimit <> -2 AND datname <> 'template0' ORDER BY datname`);
  return {
    version: formatVersion(fromVersionNum(Number(row.num))),
    superuser: row.owner,
    encoding: row.encoding ?? 'UTF8',
    preload: row.preload,
    databases: databases.map(({ name, bytes, template }) => ({ name, bytes: Number(bytes), template })),
  };
}

/** Roles and tablespaces. The file holds password hashes: nobody else may read it. */
async function dumpGlobals(options: DumpOptions, login: Login): Promise<void> {
  const file = join(options.folder, 'globals.sql');
  await writeFile(file, '', { mode: 0o600 });
  const { code, stderr } = await run(
    [
      clientPath(options.clients, 'pg_dumpall'),
      '--globals-only',
      '--encoding=UTF8',
      `--file=${file}`,
      `--database=${conninfo(options.settings.database)}`,
      ...login.args,
    ],
    // VALID UNTIL is written in the session's date style, which another server may read as another day, or not at all.
    { env: { ...login.env, PGDATESTYLE: 'ISO', PGTZ: 'UTC' }, signal: options.signal },
  );
  assertDumped('the roles', code, stderr, options.folder);
  if ((await readFile(file, 'utf8')).includes(`\n${lastLine}\n`)) return;
  assertDumped('the roles', 1, 'globals.sql lacks its last line: No space left on device?', options.folder);
}

async function dumpDatabase(
  options: DumpOptions,
  login: Login,
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
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const ticker = setInterval(
    () =>
      void sizeOf(folder).then((bytes) =>
        options.progress(`${name}: ${mib(bytes)} written, the database has ${mib(sourceBytes)}`),
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
    const [inventory, finished] = await Promise.all([
      readInventory(holder).catch((cause: unknown) => {
        stop.abort();
        throw cause;
      }),
      dump.then((result) => {
        if (result.code !== 0) void holder.close();
        assertDumped(`database ${name}`, result.code, result.stderr, options.folder);
        return result;
      }),
    ]).catch(async (cause: unknown) => {
      // Whichever failed first is the reason; the other only stopped because of it.
      await dump.catch(() => {});
      throw cause;
    });
    void finished;
    await holder.script('COMMIT');
    const sequencesAfter = await readSequences(holder);
    const bytes = await sizeOf(folder);
    options.progress(`${name}: dumped, ${mib(bytes)}`);
    return {
      name,
      folder: folderName,
      template,
      bytes,
      sourceBytes,
      durationMs: Date.now() - begun,
      inventory,
      sequencesAfter,
    };
  } finally {
    clearInterval(ticker);
  }
}

/** A database name as a connection string: a name that looks like one would be read as one. */
function conninfo(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function assertDumped(what: string, code: number, stderr: string, folder: string): void {
  if (code === 0) return;
  const full = /No space left on device|could not write to.*(?:space|quota)/i.test(stderr);
  throw new UpgradeError(
    full ? 'dump-space' : 'dump-failed',
    full
      ? `The disk of ${folder} is full: the dump of ${what} could not be written.`
      : `pg_dump of ${what} failed with exit code ${code}.`,
    {
      phase: 'backup',
      hint: full
        ? 'Free space there, or name a larger place in backup.directory. The unfinished dump was removed.'
        : lastLines(stderr),
    },
  );
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => []))
    bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
  return bytes;
}

function mib(bytes: number): string {
  return bytes < 10 * 1024 ** 2
    ? `${(bytes / 1024 ** 2).toFixed(1)} MiB`
    : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
