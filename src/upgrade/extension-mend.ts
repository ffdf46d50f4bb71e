/** Mending an extension after the change: update it, else load the same version anew. Never by dropping what is others'. */
import type { StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import type { ExtensionBefore } from '../report/record-extensions.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { connectTo } from './connect.ts';
import { recordOf } from './extension-before.ts';
import { changing, commitIfGood } from './extension-change.ts';
import { emptied, judge } from './extension-judge.ts';
import { look, type Seen } from './extension-look.ts';
import { createSql, reasonOf, reloadExtension } from './extension-reload.ts';
import { defaultVersion, updateExtension } from './extension-update.ts';
import { type Run, throwIfCancelled } from './target.ts';

/** One extension in one database. */
export interface Patient {
  database: string;
  extension: string;
  spec: ExtensionSpec;
  /** Null where nobody looked before the change. */
  before: ExtensionBefore | null;
}

/** Looks at it in a session of its own: one that has loaded a library goes on with it. */
export async function lookAt(run: Run, { database, extension, spec, before }: Patient): Promise<Seen> {
  let seen: Seen;
  // What only waited too long for somebody else is asked again before it counts.
  for (let attempt = 1; ; attempt += 1) {
    throwIfCancelled(run);
    await using connection = await connectTo(run, database);
    seen = await look(connection, extension, spec);
    if (attempt === 3 || !seen.faults.some(({ momentary }) => momentary)) break;
  }
  const { extensionUpdates } = run.journal.state();
  const updated = extensionUpdates.findLast(
    (each) => each.state === 'started' && each.database === database && each.extension === extension,
  );
  return { state: seen.state, faults: judge(seen, spec, before, updated ?? null) };
}

/**
 * Tries what may help, the mildest first, and looks again after each.
 * @param seen with faults
 * @returns what it is like in the end
 * @throws UpgradeError `extension-reload-refused`
 */
export async function mend(run: Run, step: StepRun, patient: Patient, seen: Seen): Promise<Seen> {
  const { database, extension, spec, before } = patient;
  const record = recordOf(run, extension, database);
  const tell = (what: string): void => {
    record.done.push(what);
    step.note(`${database}: ${extension}: ${what}`);
    run.recorder.save();
  };
  const needsMore = ({ faults }: Seen): boolean => faults.some(({ mendable }) => mendable);
  if (seen.state === null) {
    if (before === null) return seen;
    step.progress(`creating the extension ${extension} in ${database} again`);
    tell(await create(run, step, patient, before));
    const made = await lookAt(run, patient);
    return { ...made, faults: [...made.faults, ...emptied(made, before)] };
  }
  const from = seen.state.version;
  const to = spec.version ?? (await wantedVersion(run, patient, from));
  let now = seen;
  if (to !== null && to !== from) {
    throwIfCancelled(run);
    step.progress(`updating the extension ${extension} in ${database} to ${to}`);
    const why = await updateExtension(run, step, database, extension, spec, { from, to });
    tell(
      why === null ? `updated from ${from} to ${to}` : `not updated from ${from} to ${to}, as before: ${why}`,
    );
    now = await lookAt(run, patient);
  }
  // The same version again does not make it another one.
  if (!needsMore(now) || now.state === null || !now.faults.some(({ reload }) => reload)) return now;
  throwIfCancelled(run);
  step.progress(`loading the extension ${extension} in ${database} anew`);
  tell(await reload(run, step, patient, now.state.version));
  return await lookAt(run, patient);
}

/** Where the spec names none: the version from before; where it has that, the newest that the files offer. */
async function wantedVersion(
  run: Run,
  { database, extension, before }: Patient,
  from: string,
): Promise<string | null> {
  if (before !== null && before.version !== from) return before.version;
  await using connection = await connectTo(run, database);
  return await defaultVersion(connection, extension);
}

async function create(
  run: Run,
  step: StepRun,
  { database, extension, spec }: Patient,
  before: ExtensionBefore,
): Promise<string> {
  const version = spec.version ?? before.version;
  try {
    await changing(run, database, step.signal, async (session) => {
      await session.script(createSql(extension, before.schema, version));
      await commitIfGood(session, extension, spec);
    });
    return `it was gone, and was created again at ${version}`;
  } catch (cause) {
    return `it is gone, and could not be created again at ${version}: ${reasonOf(cause)}`;
  }
}

async function reload(
  run: Run,
  step: StepRun,
  { database, extension, spec }: Patient,
  version: string,
): Promise<string> {
  try {
    await changing(run, database, step.signal, (session) =>
      reloadExtension(session, database, extension, spec),
    );
    return `dropped and created again at ${version}, in one transaction`;
  } catch (cause) {
    return `dropping it and creating it again at ${version} did not help, and was taken back: ${reasonOf(cause)}`;
  }
}

/** What is thrown for everything that is wrong in the end. Pure. */
export function brokenError(
  broken: readonly { patient: Patient; seen: Seen; done: readonly string[] }[],
): UpgradeError {
  const named = broken.map(
    ({ patient: { extension, database }, seen: { faults } }) =>
      `${extension} in ${database}: ${faults.map(({ what }) => what).join('; ')}`,
  );
  return new UpgradeError(
    'extension-broken',
    `After the change ${broken.length === 1 ? 'an extension is' : `${broken.length} extensions are`} not in order: ${named.slice(0, 3).join('. ')}.`,
    {
      phase: 'validate',
      hint: [
        ...broken.flatMap(({ patient: { extension, database }, done }) =>
          done.map((what) => `${database}: ${extension}: ${what}`),
        ),
        broken.some(({ patient: { spec } }) => spec.reinstall === 'never')
          ? 'With reinstall: if-needed in the spec the action tries to update it, or to load it anew.'
          : 'Look at its package: does it fit the new version of the server?',
      ].join('\n'),
      docs: 'troubleshooting.md#extension-broken',
    },
  );
}
