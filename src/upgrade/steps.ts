/** Runs a plan's steps one after the other, and takes them back where one fails. */
import type { EnvironmentFacts, Step, StepOutcome } from '../environments/environment.ts';
import { messageOf } from '../errors.ts';
import { type PgVersion, parseVersion } from '../postgres/version.ts';
import type { PlannedStep, PlanRecord, StepRecord } from '../report/record.ts';
import { adviceStep } from './advice-step.ts';
import { awaitOnlyWatched } from './application-after.ts';
import {
  applicationEntry,
  isApplication,
  isStopped,
  type StoppedApplication,
  stopApplications,
} from './applications.ts';
import { backupStep } from './backup-step.ts';
import type { ClientProbe } from './client-probe.ts';
import { collationsStep } from './collations-step.ts';
import { drainStep } from './drain-step.ts';
import { noteExtensions } from './extension-before.ts';
import { extensionsStep } from './extensions-step.ts';
import { hasBegun, type JournalState } from './journal.ts';
import { configureStep } from './needed-settings.ts';
import { withWay } from './once-more.ts';
import { readOnlyStep, readWriteStep } from './read-only-step.ts';
import { besideServer } from './step-kinds.ts';
import { putBackAll, type Run, stepRun, throwIfCancelled } from './target.ts';
import { validateStep } from './validate-step.ts';
import { watchStep } from './watch-step.ts';

/** The doing half of a planned step, whoever owns it. */
export function stepOf(run: Run, id: string, facts: EnvironmentFacts, wanted: PgVersion): Step {
  switch (id) {
    case 'backup':
      return backupStep(run);
    case 'configure':
      return configureStep(run);
    case 'collations':
      return collationsStep(run);
    case 'advice':
      return adviceStep(run);
    case 'read-only':
      return readOnlyStep(run);
    case 'read-write':
      return readWriteStep(run);
    case 'drain':
      return drainStep(run);
    case 'extensions':
      return extensionsStep(run);
    case 'watch':
      return watchStep(run);
    case 'validate':
      return validateStep(run, wanted);
    case 'stop-applications':
      return {
        isDone: async () => false,
        async run(step) {
          const until = run.environment.applicationsOffUntil?.(run.recorder.record.plan?.route ?? '') ?? null;
          await stopApplications(runningApplications(run), step, until, run.environment);
          return { state: 'done' };
        },
      };
    case 'start-applications':
      return {
        isDone: async () => false,
        async run(step): Promise<StepOutcome> {
          const [failure] = await putBackAll(run, isApplication);
          if (failure) throw failure;
          await awaitOnlyWatched(run, step);
          return { state: 'done' };
        },
      };
    default:
      return run.environment.step(id, facts, wanted);
  }
}

/** Applications that no earlier run of this upgrade has stopped already. */
function runningApplications(run: Run): StoppedApplication[] {
  const off = new Set(run.journal.state().outstanding.map(({ id }) => id));
  return run.spec.applications.filter(isStopped).filter(({ name }) => !off.has(applicationEntry(name)));
}

/** How the steps ended where none failed. */
export type StepsResult = { state: 'done' } | { state: 'paused'; step: PlannedStep; look: string[] };

/**
 * Runs the plan. A step that is done already, and everything before it, is not run again.
 * @param beforeBreak called right before every step that breaks clients
 * @throws what a step throws, and Cancelled between two steps
 */
export async function runSteps(
  run: Run,
  plan: PlanRecord,
  facts: EnvironmentFacts,
  probe: ClientProbe,
  beforeBreak: () => Promise<void> = async () => {},
): Promise<StepsResult> {
  const { journal, recorder, context } = run;
  const wanted = parseVersion(plan.wanted);
  const steps = plan.steps.map((planned) => ({ planned, step: stepOf(run, planned.id, facts, wanted) }));
  const first = await firstToDo(steps.map(({ step }) => step));
  for (const [index, { planned, step }] of steps.entries()) {
    throwIfCancelled(run);
    // Before anything can be another: what a run finds afterwards is held to it.
    if (planned.id !== 'backup' && index >= first && !hasBegun(journal.state())) await noteExtensions(run);
    context.log.startGroup(`${index + 1}/${steps.length} ${planned.title}`);
    const record = recorder.startStep(planned.id, planned.title);
    try {
      if (index < first && !neededAgain(plan.steps, index, first, journal.state())) {
        recorder.endStep(record, 'already-done');
        context.log.info('  done already');
        continue;
      }
      if (planned.id !== 'backup') await probe.start();
      // As late as possible: what others do while the backup runs is not this upgrade's doing.
      if (breaksFirst(plan.steps, index, journal.state().steps))
        await withWay(run, 'Measure the health', beforeBreak);
      await journal.step(planned.id, 'started');
      const outcome = await withWay(run, planned.title, () =>
        step.run(stepRun(run, record, planned.interruptible)),
      );
      await journal.step(planned.id, outcome.state);
      recorder.endStep(record, outcome.state);
      if (planned.breaks !== null) await renewLock(run);
      if (outcome.state === 'paused') return { state: 'paused', step: planned, look: outcome.look };
    } catch (cause) {
      await journal.step(planned.id, 'failed');
      recorder.endStep(record, context.signal.aborted && planned.interruptible ? 'interrupted' : 'failed');
      throw cause;
    } finally {
      context.log.endGroup();
    }
  }
  return { state: 'done' };
}

/** Whether this is the first step of the upgrade that breaks clients: behind it the target is another one. */
function breaksFirst(steps: readonly PlannedStep[], index: number, started: JournalState['steps']): boolean {
  const breaking = ({ id, breaks }: PlannedStep): boolean => breaks !== null && !besideServer(id);
  const here = steps[index];
  return (
    here !== undefined &&
    breaking(here) &&
    !steps.slice(0, index).some((step) => breaking(step) && started.has(step.id))
  );
}

/** The restart ended the session that held the lock. A lock that cannot be had again does not make the restart bad. */
async function renewLock(run: Run): Promise<void> {
  await run.lock?.renew().catch((cause: unknown) => {
    run.context.log.info(`  the lock could not be taken again: ${messageOf(cause)}`);
  });
}

/**
 * Applications that a dead run's end has started must be stopped again while something that breaks clients is to come. And
 * an upgrade has a backup of its own: packages that an earlier one left do not stand for one.
 */
function neededAgain(
  steps: readonly PlannedStep[],
  index: number,
  first: number,
  { backup }: Pick<JournalState, 'backup'>,
): boolean {
  const id = steps[index]?.id ?? '';
  return (
    (besideServer(id) || (id === 'backup' && backup === null)) &&
    steps.slice(first).some((step) => step.breaks !== null && !besideServer(step.id))
  );
}

/** Index behind the last step that is done already. */
async function firstToDo(steps: readonly Step[]): Promise<number> {
  let first = 0;
  for (const [index, step] of steps.entries()) if (await step.isDone()) first = index + 1;
  return first;
}

/**
 * Takes back every step that was started, newest first. A step that fails to be taken back ends it: what is older
 * must not be touched under it.
 * @param started what a journal says of each step: this run's, or an earlier one's
 * @throws what the undo throws
 */
export async function undoSteps(
  run: Run,
  plan: PlanRecord,
  facts: EnvironmentFacts,
  started: JournalState['steps'],
): Promise<StepRecord[]> {
  const { journal, recorder, context } = run;
  const undone: StepRecord[] = [];
  for (const planned of plan.steps.toReversed()) {
    const state = started.get(planned.id);
    const step = stepOf(run, planned.id, facts, parseVersion(plan.wanted));
    if (!step.undo || state === undefined || state === 'undone') continue;
    const record = recorder.startStep(`undo-${planned.id}`, `Undo: ${planned.title}`);
    context.log.info(`Undo: ${planned.title}`);
    try {
      if (!journal.state().steps.has(planned.id)) await journal.step(planned.id, 'started').catch(() => {});
      const { undo } = step;
      await withWay(run, `Undo: ${planned.title}`, async () => {
        await undo(stepRun(run, record, false));
        return { state: 'done' };
      });
      // It is undone, whether or not that can be written down.
      await journal.step(planned.id, 'undone').catch(() => {});
      recorder.endStep(record, 'undone');
      if (planned.breaks !== null) await renewLock(run);
      undone.push(record);
    } catch (cause) {
      recorder.endStep(record, 'undo-failed');
      throw cause;
    }
  }
  return undone;
}
