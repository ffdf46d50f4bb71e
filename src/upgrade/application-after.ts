/** Applications behind the change, and behind a way back: those that nobody stopped have lost their sessions too. */
import type { StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { awaitWell, isAsked } from './application-health.ts';
import { applicationEntry, awaitWatched, isStopped } from './applications.ts';
import { type Run, stepRun } from './target.ts';

/** Seconds that an application has after a way back to find the database again, before it is started anew. */
const patience = 10;

/**
 * Waits for every application that is only watched.
 * @throws UpgradeError `application-health`
 */
export async function awaitOnlyWatched(run: Run, step: StepRun): Promise<void> {
  const { unwell } = run.journal.state();
  for (const application of run.spec.applications.filter(isAsked)) {
    if (isStopped(application)) continue;
    await awaitWatched(application, step.progress, run.environment, unwell);
  }
}

/**
 * After a way back: asks every application that is not switched off for its health. One that does not answer goes into
 * the journal as switched off, and is started with the others when the run ends; where that fails too, the run has
 * failed. One that was unwell before the upgrade is let be.
 * @param unwell names of those that did not answer before the upgrade
 */
export async function tendApplications(run: Run, unwell: readonly string[]): Promise<void> {
  const { spec, journal, recorder, environment } = run;
  const off = new Set(journal.state().outstanding.map(({ id }) => id));
  const on = spec.applications.filter(isAsked).filter(({ name }) => !off.has(applicationEntry(name)));
  if (on.length === 0) return;
  const record = recorder.startStep('applications', 'Ask the applications for their health');
  const step = stepRun(run, record, false);
  for (const application of on) {
    const { name, health, 'start-timeout': most } = application;
    const { well, seen } = await awaitWell(application, Math.min(most, patience), environment, {
      progress: step.progress,
    });
    if (well) step.note(`${name} answers`);
    else if (unwell.includes(name))
      step.note(`${name} does not answer (${seen}): it did not before the upgrade either`);
    else if (isStopped(application)) {
      step.note(`${name} does not answer (${seen}): it is started again`);
      await step.switchOff({
        id: applicationEntry(name),
        what: `application ${name} does not answer since the way back`,
        detail: application,
      });
    } else {
      step.note(`${name} does not answer (${seen})`);
      recorder.issue(
        new UpgradeError(
          'application-health',
          `${name} does not answer at ${health} since the way back (${seen}).`,
          {
            phase: 'rollback',
            hint: "Look at the application's own log. The database is up. The spec has no command that starts it.",
            docs: 'applications.md#health',
          },
        ),
        'Not resolved: start it by hand.',
      );
    }
  }
  recorder.endStep(record, 'done');
}
