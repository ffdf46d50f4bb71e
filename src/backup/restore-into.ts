/**
 * Restores a database of a dump beside the one of the same name, under a name of its own, and compares it with what the
 * source held. The present database is not touched, and not looked at.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import { clientPath } from '../postgres/clients.ts';
import { connect, quoteIdent } from '../postgres/connection.ts';
import { formatVersion } from '../postgres/version.ts';
import { lastLines, run } from '../process/run.ts';
import { compareInventories, shorten } from './compare.ts';
import type { Dump, DumpedDatabase } from './dump.ts';
import { type Inventory, pinnedSession, readInventory } from './inventory.ts';
import { type LeftOut, type RestoreOptions, type RestoreServer, restoreContent } from './restore.ts';
import { type Definition, definitionFor, isOfDatabase } from './restore-into-sql.ts';
import { entriesOf } from './toc.ts';

/** What was compared in a restored copy, and what could not be. */
export interface Copied {
  tables: number;
  rows: number;
  objects: number;
  /** Sentences. */
  notCompared: string[];
}

/**
 * Makes `into` as the dump says that the database was, fills it, analyzes it, and compares it. What was made stays where
 * this fails: the caller drops it.
 * @throws UpgradeError `restore-failed`, `restore-differs`; Cancelled
 */
export async function restoreInto(
  dump: Dump,
  database: DumpedDatabase,
  into: string,
  server: RestoreServer,
  options: RestoreOptions,
): Promise<Copied> {
  const { name } = database;
  const read = await readDefinition(dump, database, into, options);
  const definition = { ...read, create: bearable(read.create, server.version.major) };
  const content = (jobs: number): Promise<{ leftOut: LeftOut[] }> =>
    restoreContent(dump, database, into, server, options, jobs);
  // Outside of what is tried again: a name that is taken is somebody's database, and is not dropped for ours.
  await makeEmpty(definition, into, name, server);
  const { leftOut } = await content(options.jobs).catch(async (cause: unknown) => {
    // As in the proof: parallel restores can race on the indexes of partitioned tables, one worker decides.
    const failed = cause instanceof UpgradeError && cause.code === 'restore-failed';
    if (!failed || options.jobs === 1) throw cause;
    options.note(`${name}: the restore with ${options.jobs} workers failed, trying with one`);
    await dropCopy(server, into);
    await makeEmpty(definition, into, name, server);
    return await content(1);
  });
  await describe(definition, into, name, server);
  const empty = await fill(server, into, leftOut);
  for (const { why } of empty) options.note(why);
  options.progress(`${name}: analyzing`);
  {
    // Without statistics every plan of the restored database would be bad.
    await using connection = await connect(server.settings(into), { statementTimeout: 0 });
    await connection.script('SET default_transaction_read_only = off');
    await connection.script('ANALYZE');
  }
  return await compare(database, into, server, empty, options);
}

/** Drops a copy, whoever is in it; nothing where it is not there. */
export async function dropCopy(server: RestoreServer, copy: string): Promise<void> {
  await using connection = await control(server);
  await connection.script(`DROP DATABASE IF EXISTS ${quoteIdent(copy)} WITH (FORCE)`);
}

/** A session beside the databases that are made and renamed. */
async function control(server: RestoreServer): Promise<Awaited<ReturnType<typeof connect>>> {
  const connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
  await connection.script('SET search_path = pg_catalog; SET default_transaction_read_only = off');
  return connection;
}

/**
 * pg_dump of 15 and later names the provider of an older server too, which does not know the word (release notes of 15:
 * LOCALE_PROVIDER is new) and has no other one.
 */
export function bearable(create: string, major: number): string {
  return major < 15 ? create.replace(/ LOCALE_PROVIDER = libc(?= |$)/, '') : create;
}

function failed(name: string, server: RestoreServer, hint: string, cause?: unknown): UpgradeError {
  return new UpgradeError(
    'restore-failed',
    `The dump of ${name} could not be restored into ${formatVersion(server.version)}.`,
    { phase: 'rollback', hint, cause },
  );
}

/** @throws UpgradeError `restore-failed` */
async function readDefinition(
  dump: Dump,
  database: DumpedDatabase,
  into: string,
  options: RestoreOptions,
): Promise<Definition> {
  const ask = async (what: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(
      [clientPath(options.clients, 'pg_restore'), '--create', ...what, join(dump.folder, database.folder)],
      { signal: options.signal },
    );
    if (code === 0) return stdout;
    throw new UpgradeError('restore-failed', `The dump of ${database.name} could not be read.`, {
      phase: 'rollback',
      hint: lastLines(stderr),
    });
  };
  const entries = entriesOf(await ask(['--list'])).filter(isOfDatabase);
  const list = join(options.scratchFolder, `${database.folder}.database.list`);
  await writeFile(list, `${entries.join('\n')}\n`, { mode: 0o600 });
  const script = await ask(['--file=-', '--use-list', list]);
  // The script is in the encoding of the dump: what is not UTF-8 in it cannot be said again.
  const definition = script.includes('\uFFFD') ? null : definitionFor(script, database.name, into);
  if (definition) return definition;
  throw new UpgradeError(
    'restore-failed',
    `The dump of ${database.name} does not say in a readable way how the database was made.`,
    {
      phase: 'rollback',
      hint: 'Restore it by hand: docs/restore.md.',
      docs: 'restore.md#by-hand',
    },
  );
}

async function makeEmpty(
  { create }: Definition,
  into: string,
  name: string,
  server: RestoreServer,
): Promise<void> {
  await using connection = await control(server);
  try {
    await connection.script(create);
    // Nobody but a superuser gets in before it is whole.
    await connection.script(`ALTER DATABASE ${quoteIdent(into)} CONNECTION LIMIT 0`);
  } catch (cause) {
    throw failed(name, server, messageOf(cause), cause);
  }
}

/** Owner, settings, grants, comment, labels, limit: last, since some of them would be in the way of the restore. */
async function describe(
  { properties }: Definition,
  into: string,
  name: string,
  server: RestoreServer,
): Promise<void> {
  await using connection = await control(server);
  try {
    await connection.script(`ALTER DATABASE ${quoteIdent(into)} CONNECTION LIMIT -1`);
    for (const statement of properties) await connection.script(statement);
  } catch (cause) {
    throw failed(name, server, messageOf(cause), cause);
  }
}

/** Fills what reads foreign tables, where the foreign servers answer. @returns what stays empty */
async function fill(
  server: RestoreServer,
  into: string,
  leftOut: readonly LeftOut[],
): Promise<readonly LeftOut[]> {
  if (leftOut.length === 0) return [];
  await using connection = await connect(server.settings(into), { statementTimeout: 60_000 });
  await connection.script('SET search_path = pg_catalog; SET default_transaction_read_only = off');
  let left = [...leftOut];
  // One may read another: as long as one more could be filled, the others are tried again.
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    for (const each of left) {
      const view = each.identity.replace(/^materialized view /, '');
      await connection.script(`REFRESH MATERIALIZED VIEW ${view}`).then(
        () => {
          left = left.filter((other) => other !== each);
        },
        () => {},
      );
    }
  }
  return left;
}

function without(inventory: Inventory, empty: readonly LeftOut[]): Inventory {
  const gone = new Set(empty.map(({ identity }) => identity));
  const objects = Object.entries(inventory.objects).filter(([identity]) => !gone.has(identity));
  return { ...inventory, objects: Object.fromEntries(objects) };
}

/** @throws UpgradeError `restore-differs` */
async function compare(
  database: DumpedDatabase,
  into: string,
  server: RestoreServer,
  empty: readonly LeftOut[],
  { signal, progress }: RestoreOptions,
): Promise<Copied> {
  const { name, inventory, sequencesAfter } = database;
  await using connection = await connect(server.settings(into), { statementTimeout: 0 });
  await connection.script(pinnedSession);
  const copy = await readInventory(connection, (text) => {
    signal.throwIfAborted();
    progress(`${name}: comparing ${text}`);
  });
  const found = shorten(
    compareInventories(name, without(inventory, empty), sequencesAfter, without(copy, empty)),
  );
  if (found.length > 0) {
    throw new UpgradeError(
      'restore-differs',
      `The restored copy of ${name} is not what the backup says that it was: ${found[0]}.`,
      { phase: 'rollback', hint: found.join('\n'), docs: 'restore.md#when-it-stops' },
    );
  }
  return {
    tables: Object.keys(inventory.tables).length,
    rows: Object.values(inventory.tables).reduce((total, { rows }) => total + Number(rows), 0),
    objects: Object.keys(inventory.objects).length,
    notCompared: [...empty.map(({ why }) => why), ...inventory.notCompared.map((text) => `${name}: ${text}`)],
  };
}
