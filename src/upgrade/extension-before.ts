/** The extensions that the spec names, before anything is changed. */
import { UpgradeError } from '../errors.ts';
import { listDatabaseNames } from '../postgres/databases.ts';
import type { ExtensionBefore, ExtensionRecord } from '../report/record-extensions.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { connectTo } from './connect.ts';
import { findExtension, look, type Seen } from './extension-look.ts';
import { type Run, throwIfCancelled } from './target.ts';

/** Where an extension is looked at: the database of the spec, else each one that has it. */
export async function databasesWith(run: Run, extension: string, spec: ExtensionSpec): Promise<string[]> {
  if (spec.database !== undefined) return [spec.database];
  const names = await (async () => {
    await using main = await connectTo(run);
    return await listDatabaseNames(main);
  })();
  const having: string[] = [];
  for (const name of names) {
    throwIfCancelled(run);
    await using connection = await connectTo(run, name);
    if (await findExtension(connection, extension)) having.push(name);
  }
  return having;
}

/** The line of the record about an extension in a database; made where it is missing. */
export function recordOf(run: Run, extension: string, database: string): ExtensionRecord {
  const { extensions } = run.recorder.record;
  const known = extensions.find((each) => each.extension === extension && each.database === database);
  if (known) return known;
  const made: ExtensionRecord = { extension, database, before: null, after: null, done: [], faults: [] };
  extensions.push(made);
  return made;
}

/**
 * Looks at every extension that the spec names. What is found is in the record.
 * @returns what keeps an upgrade from beginning: `extension-missing`, `extension-faulty`
 */
export async function lookBefore(run: Run): Promise<{ found: ExtensionBefore[]; errors: UpgradeError[] }> {
  const found: ExtensionBefore[] = [];
  const errors: UpgradeError[] = [];
  for (const [extension, spec] of Object.entries(run.spec.extensions)) {
    const databases = await databasesWith(run, extension, spec);
    if (databases.length === 0) errors.push(missing(run, extension, null));
    for (const database of databases) {
      throwIfCancelled(run);
      run.context.log.progress(`${run.spec.name}: looking at the extension ${extension} in ${database}`);
      await using connection = await connectTo(run, database);
      const seen = withoutHope(await look(connection, extension, spec), spec);
      if (seen.state === null) {
        errors.push(missing(run, extension, database));
        continue;
      }
      found.push({ extension, database, ...seen.state });
      Object.assign(recordOf(run, extension, database), {
        before: seen.state,
        faults: seen.faults.map(({ what }) => what),
      });
      if (seen.faults.length > 0) errors.push(faulty(run, extension, database, seen));
    }
  }
  run.recorder.save();
  return { found, errors };
}

/** A version that it does not have, and that nobody is allowed to bring it to, would only be found out afterwards. */
function withoutHope(seen: Seen, { version, reinstall }: ExtensionSpec): Seen {
  if (seen.state === null || version === undefined || seen.state.version === version) return seen;
  if (reinstall === 'if-needed') return seen;
  const what = `it has version ${seen.state.version}, the spec wants ${version}, and reinstall: never keeps the action from updating it`;
  return { ...seen, faults: [...seen.faults, { mendable: false, reload: false, what }] };
}

/**
 * Writes down how they are, right before the first step that may change anything, in the journal: what comes after is
 * held to it, also by a later run.
 * @throws UpgradeError what `lookBefore` returns first
 */
export async function noteExtensions(run: Run): Promise<void> {
  if (Object.keys(run.spec.extensions).length === 0) return;
  const { found, errors } = await lookBefore(run);
  if (errors[0]) throw errors[0];
  await run.journal.extensions(found);
}

function missing(run: Run, extension: string, database: string | null): UpgradeError {
  return new UpgradeError(
    'extension-missing',
    `The spec names the extension ${extension}, and ${database === null ? 'no database has it' : `the database ${database} does not have it`}.`,
    {
      phase: 'check',
      hint: `Correct its name under \`extensions\`, take it out, or install it: \\dx in psql shows what a database has.`,
      docs: 'troubleshooting.md#extension-missing',
      place: run.target.place,
    },
  );
}

function faulty(run: Run, extension: string, database: string, { faults }: Seen): UpgradeError {
  return new UpgradeError(
    'extension-faulty',
    `Before any change, the extension ${extension} in ${database} is not in order: ${faults.map(({ what }) => what).join('; ')}.`,
    {
      phase: 'check',
      hint: 'Mend the extension or its SQL in the spec first: nobody could tell afterwards what the upgrade broke.',
      docs: 'troubleshooting.md#extension-faulty',
      place: run.target.place,
    },
  );
}
