/**
 * Restores one database of a dump into a scratch server, and stops at the first error. Nothing is read from a foreign
 * server: materialized views on foreign tables stay empty.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { clientPath } from '../postgres/clients.ts';
import { connect, quoteIdent } from '../postgres/connection.ts';
import { type ClientLogin, clientLogin, conninfo } from '../postgres/passfile.ts';
import type { ScratchServer } from '../postgres/scratch.ts';
import { formatVersion } from '../postgres/version.ts';
import { lastLines, run } from '../process/run.ts';
import type { Dump, DumpedDatabase } from './dump.ts';
import { type IndexClock, indexClock } from './index-clock.ts';
import type { ProveOptions } from './prove.ts';
import {
  comesAfterForeign,
  entriesOf,
  extensionStatements,
  fills,
  isExtension,
  isForeignTable,
  isFoundation,
  type NamedView,
} from './toc.ts';

/** An object whose content was not restored: as an inventory names it, and as a sentence. */
export interface LeftOut {
  identity: string;
  why: string;
}

/** What a restore took, in milliseconds, and what it left out. */
export interface Restored {
  restoreMs: number;
  /** Indexes and keys: part of `restoreMs`. */
  indexBuildMs: number;
  leftOut: LeftOut[];
}

/** Materialized views that read a foreign table, directly or through other views. */
const readsForeign = `
WITH RECURSIVE reads AS (
  SELECT r.ev_class AS reader, d.refobjid AS source
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
  UNION
  -- A partitioned table, or a parent, may have foreign ones below it.
  SELECT i.inhparent, i.inhrelid FROM pg_catalog.pg_inherits AS i
), reaches AS (
  SELECT reader, source FROM reads
  UNION
  SELECT x.reader, r.source FROM reaches AS x JOIN reads AS r ON r.reader = x.source
)
SELECT n.nspname AS schema, c.relname AS name, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       'materialized view ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS identity
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND EXISTS (
  SELECT FROM reaches AS x JOIN pg_catalog.pg_class AS f ON f.oid = x.source WHERE x.reader = c.oid AND f.relkind = 'f')
ORDER BY 1, 2`;

/** What a restore asks of a server. */
export type RestoreServer = Pick<ScratchServer, 'settings' | 'version'>;

/** How a restore works. */
export type RestoreOptions = Pick<
  ProveOptions,
  'clients' | 'jobs' | 'scratchFolder' | 'extensionVersions' | 'signal' | 'progress' | 'note'
>;

/** One restore's surroundings. */
interface Restoring {
  dump: Dump;
  database: DumpedDatabase;
  server: RestoreServer;
  options: RestoreOptions;
  login: Pick<ClientLogin, 'args' | 'env'>;
  jobs: number;
  /** An empty database that is there already; null to make it under its own name. */
  into: string | null;
}

/** @throws UpgradeError `restore-failed`; Cancelled */
export async function restoreDatabase(
  dump: Dump,
  database: DumpedDatabase,
  server: RestoreServer,
  options: RestoreOptions,
): Promise<Restored> {
  await using login = await clientLogin(server.settings('postgres'), options.scratchFolder);
  const ticker = tellSize(server, database.name, database.name, options);
  const work: Restoring = { dump, database, server, options, login, jobs: options.jobs, into: null };
  try {
    return await restoreAtOnce(work);
  } catch (cause) {
    const failed = cause instanceof UpgradeError && cause.code === 'restore-failed';
    if (!failed || options.jobs === 1 || existsAlready(database)) throw cause;
    // Parallel restores can race on the indexes of partitioned tables (release notes of November 2026): one
    // worker decides whether the dump is bad.
    options.note(
      `${database.name}: the restore with ${options.jobs} workers failed, trying with one: ${lastLines(cause.hint ?? '', 1)}`,
    );
    await dropDatabase(server, database.name);
    return await restoreAtOnce({ ...work, jobs: 1 });
  } finally {
    clearInterval(ticker);
  }
}

/**
 * Restores into an empty database that is there already, under any name; what belongs to the database as a whole
 * (settings, grants, comment) is left to the caller. One attempt: the caller makes the database anew for another one.
 * @param jobs workers
 * @throws UpgradeError `restore-failed`; Cancelled
 */
export async function restoreContent(
  dump: Dump,
  database: DumpedDatabase,
  into: string,
  server: RestoreServer,
  options: RestoreOptions,
  jobs: number,
): Promise<Restored> {
  await using login = await clientLogin(server.settings('postgres'), options.scratchFolder);
  const ticker = tellSize(server, into, database.name, options);
  try {
    return await restoreAtOnce({ dump, database, server, options, login, jobs, into });
  } finally {
    clearInterval(ticker);
  }
}

/** Says every few seconds how much is there already. */
function tellSize(
  server: RestoreServer,
  name: string,
  as: string,
  { progress }: RestoreOptions,
): NodeJS.Timeout {
  return setInterval(
    () =>
      void restoredBytes(server, name).then((bytes) => {
        if (bytes) progress(`${as}: ${bytes} restored`);
      }),
    5000,
  );
}

/** The scratch server has these two already: they are dropped and made anew, from another one. */
function existsAlready({ name }: DumpedDatabase): boolean {
  return ['postgres', 'template1'].includes(name);
}

async function dropDatabase(server: RestoreServer, name: string): Promise<void> {
  await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  await connection.query('UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = $1', [
    name,
  ]);
  await connection.script(`DROP DATABASE IF EXISTS ${quoteIdent(name)}`);
}

/**
 * One run of pg_restore wherever that will do: it knows best what comes after what (grants after indexes, materialized
 * views after grants), and tables that it makes itself it fills without WAL.
 */
async function restoreAtOnce(work: Restoring): Promise<Restored> {
  const { database, server, options, into } = work;
  const name = into ?? database.name;
  const begun = Date.now();
  const clock = indexClock(() => performance.now());
  const inside = [`--dbname=${conninfo(name)}`];
  const making =
    into === null
      ? [
          '--create',
          ...(existsAlready(database) ? ['--clean', '--if-exists'] : []),
          `--dbname=${name === 'postgres' ? 'template1' : 'postgres'}`,
        ]
      : inside;
  const entries = await list(work);
  const late = entries.some(isForeignTable) ? entries.filter(comesAfterForeign) : [];
  const early = entries.filter((entry) => !late.includes(entry));
  const older = await olderVersions(server, options.extensionVersions?.(database.name) ?? new Map());
  if (older.size > 0 && entries.some(isExtension)) {
    await makeExtensions(work, making, entries, older);
    const rest = early.filter((entry) => !isFoundation(entry));
    await pgRestore(work, [...inside, ...(await useList(work, rest))], work.jobs, clock);
  } else if (late.length > 0)
    await pgRestore(work, [...making, ...(await useList(work, early))], work.jobs, clock);
  else await pgRestore(work, making, work.jobs, clock);
  const empty = late.length > 0 ? await foreignViews(server, name) : [];
  const filled = late.filter((entry) => !empty.some((view) => fills(entry, view)));
  if (filled.length > 0)
    await pgRestore(work, [...inside, ...(await useList(work, filled))], work.jobs, clock);
  return {
    restoreMs: Date.now() - begun,
    indexBuildMs: clock.end(),
    leftOut: empty.map(({ identity }) => ({
      identity,
      why: `${database.name}: the ${identity} reads a foreign table and was left empty`,
    })),
  };
}

/** Those versions that the server offers and would not make by itself. */
async function olderVersions(
  server: RestoreServer,
  versions: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  if (versions.size === 0) return new Map();
  await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  const rows = await connection.query<{ name: string; version: string }>(
    `SELECT v.name, v.version FROM pg_catalog.pg_available_extension_versions AS v
     JOIN pg_catalog.pg_available_extensions AS e ON e.name = v.name AND e.default_version <> v.version`,
  );
  return new Map(
    rows.flatMap(({ name, version }) =>
      versions.get(name) === version ? [[name, version] as [string, string]] : [],
    ),
  );
}

/**
 * Makes extensions in the version that the source has: CREATE EXTENSION of a dump names none, and would leave nothing to
 * update. The database and its schemas have to be there before.
 */
async function makeExtensions(
  work: Restoring,
  making: readonly string[],
  entries: readonly string[],
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  const script = await pgRestore(
    work,
    ['--file=-', ...(await useList(work, entries.filter(isExtension)))],
    1,
  );
  await pgRestore(work, [...making, ...(await useList(work, entries.filter(isFoundation)))], 1);
  await using connection = await connect(work.server.settings(work.into ?? work.database.name), {
    statementTimeout: 0,
  });
  await connection.script('SET default_transaction_read_only = off');
  for (const { name, sql } of extensionStatements(script)) {
    const version = versions.get(name);
    await connection
      .script(version === undefined ? sql : `${sql} VERSION ${quoteIdent(version)}`)
      .catch((cause: Error) => {
        throw restoreFailed(work, cause.message);
      });
  }
}

async function foreignViews(
  server: RestoreServer,
  name: string,
): Promise<(NamedView & { identity: string })[]> {
  await using connection = await connect(server.settings(name), { statementTimeout: 0, pinned: true });
  return await connection.query<{ schema: string; name: string; owner: string; identity: string }>(
    readsForeign,
  );
}

async function list(work: Restoring): Promise<string[]> {
  return entriesOf(await pgRestore(work, ['--list', '--create'], 1));
}

/** The argument that restores these entries only, in their order. */
async function useList({ database, options }: Restoring, entries: readonly string[]): Promise<string[]> {
  const file = join(options.scratchFolder, `${database.folder}.list`);
  await writeFile(file, `${entries.join('\n')}\n`, { mode: 0o600 });
  return ['--use-list', file];
}

/** Runs pg_restore on the database's folder. @returns its standard output */
async function pgRestore(
  work: Restoring,
  what: readonly string[],
  jobs: number,
  clock?: IndexClock,
): Promise<string> {
  const { dump, database, options, login } = work;
  const asks = what.some((each) => each === '--list' || each.startsWith('--file'));
  const result = await run(
    [
      clientPath(options.clients, 'pg_restore'),
      ...(asks ? [] : ['--exit-on-error', '--verbose', `--jobs=${jobs}`, ...login.args]),
      '--no-subscriptions',
      ...what,
      join(dump.folder, database.folder),
    ],
    // A database that is read-only by default (ALTER DATABASE ... SET) would refuse its own rows.
    {
      env: asks ? {} : { ...login.env, PGOPTIONS: '-c default_transaction_read_only=off' },
      signal: options.signal,
      ...(clock ? { onLine: clock.line } : {}),
    },
  );
  if (result.code !== 0) throw restoreFailed(work, result.stderr);
  return result.stdout;
}

function restoreFailed({ database, server }: Restoring, stderr: string): UpgradeError {
  return new UpgradeError(
    'restore-failed',
    `The dump of ${database.name} could not be restored into ${formatVersion(server.version)}.`,
    { phase: 'prove', hint: errorsIn(stderr) },
  );
}

/** From the first error on: what pg_restore says after it belongs to it. */
function errorsIn(stderr: string): string {
  const from = stderr.search(/^pg_restore: error:/m);
  return lastLines(from < 0 ? stderr : stderr.slice(from, from + 2000), 8);
}

async function restoredBytes(server: RestoreServer, database: string): Promise<string | null> {
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
