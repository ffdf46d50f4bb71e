/** Updating an extension by its own scripts, and taking that back. The journal knows of it before it is done. */
import type { StepRun } from '../environments/environment.ts';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent, quoteText } from '../postgres/connection.ts';
import type { ExtensionUpdate } from '../report/record-extensions.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { connectTo } from './connect.ts';
import { changing, commitIfGood } from './extension-change.ts';
import { findExtension } from './extension-look.ts';
import { isSameUpdate, type JournalState } from './journal.ts';
import type { Run } from './target.ts';

/** Whether update scripts lead from one version to the other on this server. */
async function hasPath(
  connection: Connection,
  extension: string,
  from: string,
  to: string,
): Promise<boolean> {
  const [row] = await connection.query<{ path: string | null }>(
    'SELECT path FROM pg_catalog.pg_extension_update_paths($1) WHERE source = $2 AND target = $3',
    [extension, from, to],
  );
  return typeof row?.path === 'string';
}

/** The version that the server's files install by default; null where it has none. */
export async function defaultVersion(connection: Connection, extension: string): Promise<string | null> {
  const [row] = await connection.query<{ version: string }>(
    'SELECT default_version AS version FROM pg_catalog.pg_available_extensions WHERE name = $1',
    [extension],
  );
  return row?.version ?? null;
}

const schemasSql = `
SELECT n.nspname::pg_catalog.text AS name FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_extension AS e ON e.extname = $1
WHERE n.oid = e.extnamespace OR n.oid IN (
  SELECT i.oid FROM pg_catalog.pg_depend AS d
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS o
  JOIN pg_catalog.pg_namespace AS i ON pg_catalog.quote_ident(i.nspname) = o.schema
  WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e')
ORDER BY 1`;

const updateSql = (extension: string, to: string): string =>
  `ALTER EXTENSION ${quoteIdent(extension)} UPDATE TO ${quoteText(to)}`;

/**
 * Updates where a path leads there, and commits only what works afterwards.
 * @returns null where it was done; else why not
 * @throws what is not the server's own answer
 */
export async function updateExtension(
  run: Run,
  step: StepRun,
  database: string,
  extension: string,
  spec: ExtensionSpec,
  { from, to }: { from: string; to: string },
): Promise<string | null> {
  await using connection = await connectTo(run, database);
  if (!(await hasPath(connection, extension, from, to))) return `no update path leads from ${from} to ${to}`;
  const schemas = (await connection.query<{ name: string }>(schemasSql, [extension])).map(({ name }) => name);
  const update: ExtensionUpdate = { extension, database, from, to, schemas };
  await run.journal.extensionUpdate(update, 'started');
  let why: string;
  try {
    await changing(run, database, step.signal, async (session) => {
      await session.script(updateSql(extension, to));
      await commitIfGood(session, extension, spec);
    });
    return null;
  } catch (cause) {
    if (cause instanceof Cancelled) throw cause;
    why = messageOf(cause);
  }
  await using fresh = await connectTo(run, database);
  // Whether a commit whose answer was lost took place, the database knows.
  if ((await findExtension(fresh, extension))?.version === to) return null;
  await run.journal.extensionUpdate(update, 'over');
  return why;
}

/**
 * Takes back what this upgrade updated, newest first, while the newer packages are still there. What cannot be taken
 * back stays, and is told: the older version serves with it, or does not, but nobody would be helped by stopping here.
 */
export async function undoUpdates(run: Run, step: StepRun): Promise<void> {
  for (const { state, ...update } of run.journal.state().extensionUpdates.toReversed()) {
    if (state === 'over') continue;
    const { extension, database, from, to } = update;
    const name = `${database}: ${extension}`;
    try {
      const left = await undoOne(run, step.signal, update);
      if (left === null) {
        step.note(`${name} is back at ${from}`);
        await run.journal.extensionUpdate(update, 'over');
      } else tellStays(run, step, update, left);
    } catch (cause) {
      tellStays(run, step, update, messageOf(cause) || `it could not be taken back from ${to}`);
    }
  }
}

/** @returns null where it is at the older version; else why it stays */
async function undoOne(
  run: Run,
  signal: AbortSignal,
  { extension, database, from, to }: ExtensionUpdate,
): Promise<string | null> {
  await using connection = await connectTo(run, database);
  const there = await findExtension(connection, extension);
  if (there === null) return 'it is not there any more';
  if (there.version === from) return null;
  if (there.version !== to) return `somebody brought it to ${there.version} meanwhile`;
  if (!(await hasPath(connection, extension, to, from))) return `no update path leads from ${to} to ${from}`;
  await changing(run, database, signal, (session) => session.script(`${updateSql(extension, from)}; COMMIT`));
  return null;
}

function tellStays(run: Run, step: StepRun, { extension, database, from, to }: ExtensionUpdate, why: string) {
  const error = new UpgradeError(
    'extension-stays',
    `The extension ${extension} in ${database}, which was updated from ${from} to ${to}, stays as it is: ${why}.`,
    {
      phase: 'rollback',
      hint: 'Try it with the older packages. Where it does not work with them, install its newer package beside the older server, or restore its objects from the backup.',
      docs: 'troubleshooting.md#extension-stays',
    },
  );
  run.recorder.issue(error, 'The way back goes on without it.');
  step.note(error.message);
}

/** Takes over what the upgrade that is taken back did in another journal: this one is what the undo goes by. */
export async function carryUpdates(run: Run, updates: JournalState['extensionUpdates']): Promise<void> {
  const known = run.journal.state().extensionUpdates;
  for (const { state, ...update } of updates)
    if (state === 'started' && !known.some((each) => isSameUpdate(each, update)))
      await run.journal.extensionUpdate(update, 'started');
}

/** Names of facts that differ because an extension was updated, or the update taken back. Pure. */
export function factsOfUpdates(updates: readonly ExtensionUpdate[]): string[] {
  return updates.flatMap(({ database, extension, schemas }) => [
    `${database}: extension ${extension}`,
    `${database}: grants`,
    ...schemas.map((schema) => `${database}: objects of ${schema}`),
  ]);
}
