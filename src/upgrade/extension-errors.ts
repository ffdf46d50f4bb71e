/** How many errors the extensions of the spec report now, for whoever watches them. */
import { UpgradeError } from '../errors.ts';
import { connectTo } from './connect.ts';
import { askValue, countOf, readOnly } from './extension-ask.ts';
import { databasesWith } from './extension-before.ts';
import { findExtension } from './extension-look.ts';
import type { Run } from './target.ts';

/** What `errors-sql` answers now, and what it answered right before the change; null where nobody asked then. */
export interface ExtensionErrors {
  database: string;
  extension: string;
  errors: number;
  before: number | null;
}

/**
 * Asks `errors-sql` of every extension that has one, in every database that has the extension. Reads only.
 * @throws UpgradeError `extension-sql` where one cannot be asked, and what connecting throws
 */
export async function errorsOf(run: Run): Promise<ExtensionErrors[]> {
  const { extensions: before } = run.journal.state();
  const asked: ExtensionErrors[] = [];
  for (const [extension, spec] of Object.entries(run.spec.extensions)) {
    const sql = spec['errors-sql'];
    if (sql === undefined) continue;
    const noted = before?.filter((each) => each.extension === extension) ?? [];
    // To look into every database again costs a connection each, every few seconds.
    const databases =
      noted.length > 0 ? noted.map((each) => each.database) : await databasesWith(run, extension, spec);
    for (const database of databases) {
      const was = noted.find((each) => each.database === database);
      const errors = await askErrors(run, database, extension, sql);
      if (errors !== null) asked.push({ database, extension, errors, before: was?.errors ?? null });
    }
  }
  return asked;
}

/** Null where the extension is not there: whoever watches errors is not who misses it. */
async function askErrors(run: Run, database: string, extension: string, sql: string): Promise<number | null> {
  await using connection = await connectTo(run, database);
  const there = await findExtension(connection, extension);
  if (there === null) return null;
  await connection.script(`BEGIN ISOLATION LEVEL READ COMMITTED; ${readOnly(there.schema)}`);
  const answer = await askValue(connection, sql);
  const errors = answer.ok ? countOf(answer.value) : null;
  if (errors !== null) return errors;
  throw new UpgradeError(
    'extension-sql',
    `errors-sql of the extension ${extension} cannot be asked in ${database}: ${answer.ok ? `it answers ${JSON.stringify(answer.value)}, not a number` : answer.why}.`,
    { hint: 'Run it by hand in that database, with search_path set to the schema of the extension.' },
  );
}
