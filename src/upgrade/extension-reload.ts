/**
 * Loading an extension anew at the version that it has: DROP and CREATE in one transaction, never with CASCADE, and only
 * where nothing would be lost. What is looked at inside decides whether it is committed.
 */
import { messageOf, UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent, quoteText } from '../postgres/connection.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { fromServer } from './extension-ask.ts';
import { commitIfGood } from './extension-change.ts';
import { inventoryOf, lostBetween } from './extension-inventory.ts';
import { findExtension, tablesOf } from './extension-look.ts';

/** CREATE EXTENSION for what was there; the server itself sets the path for its script. */
export function createSql(extension: string, schema: string, version: string): string {
  return `CREATE EXTENSION ${quoteIdent(extension)} WITH SCHEMA ${quoteIdent(schema)} VERSION ${quoteText(version)}`;
}

/** Others' extensions that need this one, and objects outside of it: DROP without CASCADE names them itself (2BP01). */
async function dropAndBack(connection: Connection, drop: string): Promise<string[]> {
  await connection.script('SAVEPOINT reload');
  try {
    await connection.script(drop);
    return [];
  } catch (cause) {
    const { code, detail } = cause as { code?: string; detail?: string };
    if (code === '2BP01') return (detail ?? messageOf(cause)).split('\n');
    throw cause;
  } finally {
    await connection.script('ROLLBACK TO SAVEPOINT reload').catch(() => {});
  }
}

/**
 * Loads it anew in the transaction of the given session, which the caller takes back where this throws.
 * @throws UpgradeError `extension-reload-refused` with what would be lost; Error where it does not work afterwards
 */
export async function reloadExtension(
  connection: Connection,
  database: string,
  extension: string,
  spec: ExtensionSpec,
): Promise<void> {
  const there = await findExtension(connection, extension);
  if (there === null) throw new Error('it is not in this database');
  const tables = await tablesOf(connection, there.oid);
  // Nobody may write to them between the look and the end.
  if (tables.length > 0) await connection.script(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`);
  const filled: string[] = [];
  for (const table of tables) {
    const [row] = await connection.query<{ filled: boolean }>(
      `SELECT EXISTS (SELECT FROM ONLY ${table}) AS filled`,
    );
    if (row?.filled) filled.push(`the table ${table} holds rows`);
  }
  if (filled.length > 0) throw refused(database, extension, filled);
  const drop = `DROP EXTENSION ${quoteIdent(extension)} RESTRICT`;
  const needed = await dropAndBack(connection, drop);
  if (needed.length > 0) throw refused(database, extension, needed);
  const before = await inventoryOf(connection, there.oid);
  const [owner] = await connection.query<{ name: string }>(
    'SELECT pg_catalog.pg_get_userbyid(extowner)::pg_catalog.text AS name FROM pg_catalog.pg_extension WHERE extname = $1',
    [extension],
  );
  // It belongs to whoever creates it.
  await connection.script(`SET LOCAL ROLE ${quoteIdent(owner?.name ?? '')}`);
  await connection.script(drop);
  await connection.script(createSql(extension, there.schema, there.version));
  await connection.script('SET LOCAL ROLE NONE');
  const made = await findExtension(connection, extension);
  const lost = lostBetween(before, await inventoryOf(connection, made?.oid ?? '0'));
  if (lost.length > 0) throw refused(database, extension, lost);
  await commitIfGood(connection, extension, spec);
}

function refused(database: string, extension: string, lost: readonly string[]): UpgradeError {
  const more = lost.length > 3 ? `; and ${lost.length - 3} more` : '';
  return new UpgradeError(
    'extension-reload-refused',
    `The extension ${extension} in ${database} could be mended only by dropping it and creating it again, and that would take along: ${lost.slice(0, 3).join('; ')}${more}. Nothing was dropped.`,
    {
      phase: 'validate',
      hint: [
        'Mend it by hand: install the library that it was built with, or save what is named here and put it back afterwards.',
        ...lost.slice(0, 20),
      ].join('\n'),
      docs: 'troubleshooting.md#extension-reload-refused',
    },
  );
}

/** What the server said of a change that it took back; anything else is thrown on. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof UpgradeError || (!fromServer(cause) && 'code' in (cause as object))) throw cause;
  return messageOf(cause);
}
