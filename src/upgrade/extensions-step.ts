/** The step that looks after the extensions that the spec names: there, loadable, at the right version, without new errors. */
import type { Step, StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import type { QueryRecord } from '../report/record.ts';
import type { ExtensionBefore } from '../report/record-extensions.ts';
import type { HealthFile } from '../spec/health-schema.ts';
import { askFiles, blockingQueries, namedQuery } from './ask-health.ts';
import { databasesWith, recordOf } from './extension-before.ts';
import type { Seen } from './extension-look.ts';
import { brokenError, lookAt, mend, type Patient } from './extension-mend.ts';
import { undoUpdates } from './extension-update.ts';
import { type Run, throwIfCancelled } from './target.ts';

/**
 * Every extension in every database that has it or had it before.
 * @throws UpgradeError `extension-broken`, `extension-reload-refused`; what is found is in the record by then
 */
export function extensionsStep(run: Run): Step {
  return {
    // To look costs little, and what a dead run found may be another thing by now.
    isDone: async () => false,
    async run(step) {
      const patients = await patientsOf(run);
      const broken: Parameters<typeof brokenError>[0][number][] = [];
      const refused: UpgradeError[] = [];
      for (const patient of patients) {
        throwIfCancelled(run);
        const seen = await lookAfter(run, step, patient, refused);
        const { done } = recordOf(run, patient.extension, patient.database);
        if (seen.faults.length > 0) broken.push({ patient, seen, done });
      }
      // What was refused says more than what is still wrong because of it.
      if (refused.length === 1 && refused[0] && broken.length === 1) throw refused[0];
      if (broken.length > 0) throw brokenError(broken);
      await askSmoke(run, step, patients);
      return { state: 'done' };
    },
    // An extension that was loaded anew is what it was: only an update is taken back.
    ...(run.journal.state().extensionUpdates.some(({ state }) => state === 'started')
      ? { undo: (step) => undoUpdates(run, step) }
      : {}),
  };
}

async function patientsOf(run: Run): Promise<Patient[]> {
  const noted: readonly ExtensionBefore[] = run.journal.state().extensions ?? [];
  const patients: Patient[] = [];
  for (const [extension, spec] of Object.entries(run.spec.extensions)) {
    const before = noted.filter((each) => each.extension === extension);
    const databases = await databasesWith(run, extension, spec);
    for (const database of new Set([...before.map((each) => each.database), ...databases]))
      patients.push({
        database,
        extension,
        spec,
        before: before.find((each) => each.database === database) ?? null,
      });
  }
  return patients;
}

/** Looks, mends where that is allowed, and writes down what came of it. */
async function lookAfter(run: Run, step: StepRun, patient: Patient, refused: UpgradeError[]): Promise<Seen> {
  const { database, extension, spec, before } = patient;
  const record = recordOf(run, extension, database);
  step.progress(`looking at the extension ${extension} in ${database}`);
  let seen = await lookAt(run, patient);
  if (spec.reinstall === 'if-needed' && seen.faults.some(({ mendable }) => mendable)) {
    for (const { what } of seen.faults) step.note(`${database}: ${extension}: ${what}`);
    seen = await mend(run, step, patient, seen).catch(async (cause: unknown) => {
      if (!(cause instanceof UpgradeError) || cause.code !== 'extension-reload-refused') throw cause;
      refused.push(cause);
      step.note(cause.message);
      return await lookAt(run, patient);
    });
  }
  const { state, faults } = seen;
  if (before !== null) {
    const { extension: _extension, database: _database, ...was } = before;
    record.before = was;
  }
  record.after = state;
  record.faults = faults.map(({ what }) => what);
  run.recorder.save();
  const version = state === null ? 'not there' : state.version;
  step.note(
    `${database}: ${extension} ${version}${state?.own ? ` (${state.own})` : ''}: ${faults.length === 0 ? 'in order' : faults.map(({ what }) => what).join('; ')}`,
  );
  return seen;
}

/** Each file in the database that it names, else in every database in which its extension is. */
async function askSmoke(run: Run, step: StepRun, patients: readonly Patient[]): Promise<void> {
  const files: HealthFile[] = [];
  for (const { spec, database } of patients)
    for (const file of spec.smoke)
      if (file.database === undefined) files.push({ ...file, database });
      else if (!files.includes(file)) files.push(file);
  if (files.length === 0) return;
  const names = files.map(({ file }) => file);
  const asked = await askFiles(run, files, 'after', ({ file }) => !names.includes(file));
  const bad = blockingQueries(asked);
  if (bad.length > 0) throw smokeError(bad);
  step.note(`smoke SQL passes: ${asked.length === 1 ? '1 statement' : `${asked.length} statements`}`);
}

function smokeError(bad: readonly QueryRecord[]): UpgradeError {
  return new UpgradeError(
    'extension-broken',
    `After the change smoke SQL of an extension does not pass: ${bad.map((query) => `${namedQuery(query)} in ${query.database}`).join(', ')}.`,
    {
      phase: 'validate',
      hint: bad
        .slice(0, 3)
        .map((query) => `${namedQuery(query)}: ${query.why ?? ''}`)
        .join('\n'),
      docs: 'troubleshooting.md#extension-broken',
    },
  );
}
