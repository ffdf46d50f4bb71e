/** Modes `upgrade` and `resume`. */
import { pruneBackups } from '../backup/prune.ts';
import type { EnvironmentFacts } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { compareVersions, formatVersion, parseVersion } from '../postgres/version.ts';
import type { PlanRecord } from '../report/record.ts';
import { failedAdvice, leftToDo } from './advice-words.ts';
import { journalUnwell } from './application-before.ts';
import { isApplication } from './applications.ts';
import { assertApproved } from './approval.ts';
import { backupFolder } from './backup-step.ts';
import { checkBefore } from './check-before.ts';
import { clientProbe } from './client-probe.ts';
import { channel, runName } from './context.ts';
import { command, type Ending } from './finish.ts';
import { assertGates } from './gates.ts';
import { hasBegun, isAlive, openJournal } from './journal.ts';
import { acquireLock } from './lock.ts';
import { notify } from './notify.ts';
import { assertNoDowngrade } from './plan.ts';
import { inspectServing, planFor } from './prepare.ts';
import { snapshotOf } from './snapshots.ts';
import { runSteps } from './steps.ts';
import { isMinor, putBackAll, type Run, stepRun } from './target.ts';
import { failed, wayBack } from './way-back.ts';

/** @throws UpgradeError `locked`: the process that wrote the journal is still at work */
export function assertNobodyElse(run: Run): void {
  const { begin, ended } = run.journal.state();
  if (!begin || ended !== null || !isAlive(begin)) return;
  throw new UpgradeError(
    'locked',
    `Another run is at work on this target: ${begin.run}, since ${begin.at} (process ${begin.pid} on ${begin.host}).`,
    {
      phase: 'connect',
      hint: 'Wait until it has ended.',
    },
  );
}

/**
 * Makes the target ours: the lock, then what a dead run left, then the journal. A stopped target has nobody to give
 * a lock; it is started first, which the journal knows beforehand.
 */
async function takeOver(run: Run, found: EnvironmentFacts, from: string): Promise<EnvironmentFacts> {
  const { journal, context, settings, spec, environment } = run;
  const lock = async (): Promise<void> => {
    run.lock ??= await acquireLock(settings, runName(context));
  };
  let facts = found;
  if (facts.serving) await lock();
  const state = journal.state();
  const { begin, ended } = state;
  if (begin && ended !== 'paused') {
    context.log.info(`${spec.name}: going on where ${begin.run} stopped`);
    journal.adopt();
    // Applications wait until the end: one that cannot start on this version must not keep anybody from another.
    await putBackAll(run, isMinor);
    const [failure] = await putBackAll(run, (entry) => !isApplication(entry) && !isMinor(entry));
    if (failure) throw failure;
    facts = await environment.inspect();
  }
  if (!facts.serving) {
    await beginJournal(run, from);
    context.log.info(`${spec.name}: the server is stopped, starting it on ${from} for the backup`);
    await environment.wake?.(stepRun(run, null, false));
    facts = await inspectServing(run);
    // A server that this upgrade has restarted before is not one that was found stopped.
    if (hasBegun(state)) await stepRun(run, null, false).isBack('woken');
  }
  await lock();
  return facts;
}

function beginJournal(run: Run, from: string, plan?: PlanRecord): Promise<void> {
  const { journal, context, spec } = run;
  return journal.begin({
    run: runName(context),
    mode: context.mode,
    from,
    wanted: spec.postgres,
    target: spec.name,
    ...(plan ? { digest: plan.digest, decision: plan.decision } : {}),
  });
}

/** @throws UpgradeError `nothing-to-resume`, `unfinished`, `rollback-unfinished`, `locked`, `downgrade`, `server-down` */
export async function upgradeMode(run: Run): Promise<Ending> {
  const { journal, context, recorder, spec, wanted } = run;
  assertNobodyElse(run);
  // It dumps, and counts on the same disk. One that nobody can read any more keeps nobody from an upgrade.
  const rehearsal = await openJournal(run.environment.home.rehearsals, context.now).catch(() => null);
  if (rehearsal) assertNobodyElse({ ...run, journal: rehearsal });
  const earlier = journal.state();
  if (context.mode === 'resume' && !earlier.begin) {
    throw new UpgradeError('nothing-to-resume', `There is no unfinished run on ${spec.name}.`, {
      phase: 'inputs',
      hint: 'Use mode: upgrade.',
    });
  }
  if (earlier.begin?.mode === 'rollback') {
    throw new UpgradeError('rollback-unfinished', `A rollback to ${earlier.begin.from} did not finish.`, {
      phase: 'plan',
      hint: `Finish it first. ${command(run, 'rollback')}`,
    });
  }
  if (earlier.begin && earlier.begin.wanted !== spec.postgres) {
    throw new UpgradeError(
      'unfinished',
      `An earlier run to ${earlier.begin.wanted} did not finish, and the spec now asks for ${spec.postgres}.`,
      {
        phase: 'plan',
        hint: `Finish it first: mode: rollback goes back to ${earlier.begin.from}; or set the version back to ${earlier.begin.wanted} and use mode: resume.`,
      },
    );
  }
  let facts = await run.environment.inspect();
  const from = earlier.begin ? parseVersion(earlier.begin.from) : facts.running;
  recorder.record.versions.from = formatVersion(from);
  assertNoDowngrade(facts.running, wanted);
  if (!earlier.begin && compareVersions(facts.running, wanted) === 0) {
    if (!facts.serving) await inspectServing(run);
    return nothingToDo(run);
  }

  facts = await takeOver(run, facts, formatVersion(from));
  let plan: PlanRecord;
  try {
    plan = await planFor(run, facts, from);
    // What was begun carries out the plan that it began with: by now the target looks different. It may be finished at
    // any hour: a database must not stay half way. A backup begins nothing.
    const begun = hasBegun(earlier);
    await assertApproved(run, plan, begun ? earlier.begin : null);
    if (context.mode === 'upgrade' && !begun) await assertGates(run);
    if (compareVersions(facts.running, wanted) !== 0) await checkBefore(run, facts.running);
    await beginJournal(run, plan.from, plan);
    await journalUnwell(run);
  } catch (cause) {
    return failed(run, cause, earlier.begin !== null);
  }
  recorder.tell(channel(context), `Upgrade of ${spec.name} from ${plan.from} to ${plan.wanted} starts.`);
  context.log.annotate({
    level: 'notice',
    title: spec.name,
    message: `Upgrade from PostgreSQL ${plan.from} to ${plan.wanted} starts.`,
  });
  await notify(run, 'start');

  recorder.record.backup = journal.state().backup;
  const probe = clientProbe(run);
  try {
    const noteFacts = async (): Promise<void> => journal.snapshot(await snapshotOf(run));
    const outcome = await runSteps(run, plan, { ...facts, running: from }, probe, noteFacts);
    await probe.finish();
    if (outcome.state === 'paused') {
      return {
        result: 'paused',
        verdict: `Paused at "${outcome.step.title}": ${outcome.look.join('; ')}.`,
        next: `${command(run, 'resume')} To go back instead: mode: rollback.`,
        finished: false,
      };
    }
    await prune(run);
    return {
      result: 'success',
      verdict: `PostgreSQL ${plan.from} was upgraded to ${plan.wanted}.${failedAdvice(recorder.record.advice)}`,
      next: leftToDo(recorder.record.advice),
      finished: true,
    };
  } catch (cause) {
    const ending = await wayBack(run, plan, { ...facts, running: from }, cause, earlier.begin !== null);
    await probe.finish();
    return ending;
  }
}

function nothingToDo(run: Run): Ending {
  return {
    result: 'skipped',
    verdict: `Nothing to do: ${run.spec.name} runs PostgreSQL ${formatVersion(run.wanted)} already.`,
    next: null,
    finished: true,
  };
}

async function prune(run: Run): Promise<void> {
  const removed = await pruneBackups(backupFolder(run), run.spec.name, run.context.now()).catch(() => []);
  for (const folder of removed) run.context.log.info(`Removed the expired backup ${folder}`);
}
