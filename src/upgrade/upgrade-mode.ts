/** Modes `upgrade` and `resume`. */
import { pruneBackups } from '../backup/prune.ts';
import type { EnvironmentFacts } from '../environments/environment.ts';
import {
  Cancelled,
  errorsOf,
  explanation,
  UpgradeError as Failure,
  messageOf,
  type UpgradeError,
} from '../errors.ts';
import { compareVersions, formatVersion, parseVersion } from '../postgres/version.ts';
import type { PlanRecord } from '../report/record.ts';
import { backupFolder } from './backup-step.ts';
import { clientProbe } from './client-probe.ts';
import { channel, runName } from './context.ts';
import { compareFacts, readFacts } from './facts.ts';
import { command, type Ending, unchangedEnding } from './finish.ts';
import { isAlive } from './journal.ts';
import { acquireLock } from './lock.ts';
import { assertNoDowngrade } from './plan.ts';
import { assertApproved, checkBefore, inspectServing, planFor } from './prepare.ts';
import { runSteps, undoSteps } from './steps.ts';
import { connectTo, putBackAll, type Run, stepRun } from './target.ts';

/** @throws UpgradeError `locked`: the process that wrote the journal is still at work */
export function assertNobodyElse(run: Run): void {
  const { begin, ended } = run.journal.state();
  if (!begin || ended !== null || !isAlive(begin)) return;
  throw new Failure(
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
  const { begin, ended } = journal.state();
  if (begin && ended !== 'paused') {
    context.log.info(`${spec.name}: going on where ${begin.run} stopped`);
    journal.adopt();
    const [failure] = await putBackAll(run);
    if (failure) throw failure;
    facts = await environment.inspect();
  }
  if (!facts.serving) {
    await beginJournal(run, from);
    context.log.info(`${spec.name}: the server is stopped, starting it on ${from} for the backup`);
    await environment.wake?.(stepRun(run, null, false));
    facts = await inspectServing(run);
  }
  await lock();
  return facts;
}

function beginJournal(run: Run, from: string): Promise<void> {
  const { journal, context, spec } = run;
  return journal.begin({ run: runName(context), mode: context.mode, from, wanted: spec.postgres });
}

export async function upgradeMode(run: Run): Promise<Ending> {
  const { journal, context, recorder, spec, wanted } = run;
  assertNobodyElse(run);
  const earlier = journal.state();
  if (context.mode === 'resume' && !earlier.begin) {
    throw new Failure('nothing-to-resume', `There is no unfinished run on ${spec.name}.`, {
      phase: 'inputs',
      hint: 'Use mode: upgrade.',
    });
  }
  if (earlier.begin && earlier.begin.wanted !== spec.postgres) {
    throw new Failure(
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
  if (!earlier.begin && compareVersions(facts.running, wanted) === 0) return nothingToDo(run);

  facts = await takeOver(run, facts, formatVersion(from));
  let plan: PlanRecord;
  try {
    plan = await planFor(run, facts, from);
    assertApproved(run, plan);
    if (compareVersions(facts.running, wanted) !== 0) await checkBefore(run, facts.running);
    await beginJournal(run, plan.from);
    if (!journal.state().facts) await journal.facts(await readFacts((database) => connectTo(run, database)));
  } catch (cause) {
    return failed(run, cause, earlier.begin !== null);
  }
  recorder.tell(channel(context), `Upgrade of ${spec.name} from ${plan.from} to ${plan.wanted} starts.`);
  context.log.annotate({
    level: 'notice',
    title: spec.name,
    message: `Upgrade from PostgreSQL ${plan.from} to ${plan.wanted} starts.`,
  });

  recorder.record.backup = journal.state().backup;
  const probe = clientProbe(run);
  try {
    const outcome = await runSteps(run, plan, facts, probe);
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
      verdict: `PostgreSQL ${plan.from} was upgraded to ${plan.wanted}.`,
      next: null,
      finished: true,
    };
  } catch (cause) {
    const ending = await wayBack(run, plan, facts, cause, earlier.begin !== null);
    await probe.finish().catch(() => {});
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

/** Records what went wrong before any step was run. */
function failed(run: Run, cause: unknown, resumed: boolean): Ending {
  const errors = errorsOf(cause);
  const [error] = errors;
  if (!error) throw cause;
  for (const each of errors) {
    run.recorder.issue(each, 'Nothing was changed.');
    annotate(run, each);
  }
  return unchangedEnding(error, resumed);
}

export function annotate(run: Run, error: UpgradeError): void {
  if (error instanceof Cancelled) return;
  const message = explanation(error);
  run.context.log.annotate({
    level: 'error',
    title: `${run.spec.name}: ${error.code}`,
    message,
    place: error.place ?? (error.phase === 'plan' ? run.target.versionPlace : run.target.place),
  });
}

/** What happens after a step failed: nothing, a stop for a person, or the way back. */
async function wayBack(
  run: Run,
  plan: PlanRecord,
  facts: EnvironmentFacts,
  cause: unknown,
  resumed: boolean,
): Promise<Ending> {
  const { journal, recorder, spec, context } = run;
  const [error] = errorsOf(cause);
  if (!error) throw cause;
  const started = journal.state().steps;
  const onlyBackup = [...started.keys()].every((id) => id === 'backup');
  if (onlyBackup) return failed(run, error, resumed);
  annotate(run, error);
  if (error instanceof Cancelled) return cancelled(run, plan);
  if (spec['on-failure'] === 'stop') {
    recorder.issue(error, 'Left as it is, as the spec says (on-failure: stop).');
    return {
      result: 'failed',
      verdict: error.message,
      next: `${error.hint ? `${error.hint}\n` : ''}Then go on with mode: resume, or go back with mode: rollback (targets: ${spec.name}).`,
      finished: false,
    };
  }
  context.log.info(`${spec.name}: ${error.message} Going back to ${plan.from}.`);
  try {
    await undoSteps(run, plan, facts, started);
    await assertServes(run, plan.from);
    await compareWithBefore(run, plan.from);
    recorder.issue(error, `Rolled back: PostgreSQL ${plan.from} serves again.`);
    return {
      result: 'rolled-back',
      verdict: `${error.message} The target went back to PostgreSQL ${plan.from}.`,
      next: error.hint ?? null,
      finished: true,
    };
  } catch (second) {
    const [failure] = errorsOf(second, 'rollback');
    recorder.issue(error, 'The way back failed too.');
    if (failure) recorder.issue(failure, 'Not resolved.');
    return {
      result: 'failed',
      verdict: `${error.message} Going back failed too: ${messageOf(second)}`,
      next: `${failure?.hint ?? ''}\n${command(run, 'rollback')}`.trim(),
      finished: false,
    };
  }
}

/** @throws UpgradeError `rollback-version`: a way back that does not lead back is none */
async function assertServes(run: Run, version: string): Promise<void> {
  const { serving, running } = await run.environment.inspect();
  if (serving && formatVersion(running) === version) return;
  throw new Failure(
    'rollback-version',
    `After going back ${serving ? `PostgreSQL ${formatVersion(running)}` : 'nothing'} serves, not ${version}.`,
    {
      phase: 'rollback',
      hint: 'Look at the server log, and at which programs are installed.',
    },
  );
}

async function compareWithBefore(run: Run, from: string): Promise<void> {
  const before = run.journal.state().facts;
  if (!before) return;
  const version = parseVersion(from);
  const after = await readFacts((database) => connectTo(run, database));
  const facts = compareFacts(before, after, version.major * 10_000 + version.minor);
  run.recorder.record.facts = facts.map((fact) =>
    fact.name === 'server version number' && fact.before === fact.after
      ? { ...fact, verdict: 'equal', why: null }
      : fact,
  );
  run.recorder.save();
}

async function cancelled(run: Run, plan: PlanRecord): Promise<Ending> {
  const facts = await run.environment.inspect().catch(() => null);
  const onNew = facts?.serving === true && formatVersion(facts.running) === plan.wanted;
  run.recorder.issue(
    new Cancelled(),
    onNew ? 'Left on the new version, not validated.' : 'Everything that was switched off was put back.',
  );
  return onNew
    ? {
        result: 'cancelled',
        verdict: `The run was cancelled after the restart: PostgreSQL ${plan.wanted} serves, but it was not validated.`,
        next: `${command(run, 'resume')} It validates and finishes. To go back: mode: rollback.`,
        finished: false,
      }
    : {
        result: 'cancelled',
        verdict: `The run was cancelled; PostgreSQL ${plan.from} was not changed.`,
        next: null,
        finished: true,
      };
}
