/** What happens after something went wrong: nothing, a stop for a person, or the way back. */
import type { EnvironmentFacts } from '../environments/environment.ts';
import { Cancelled, errorsOf, explanation, messageOf, UpgradeError } from '../errors.ts';
import { formatVersion, parseVersion } from '../postgres/version.ts';
import type { PlanRecord } from '../report/record.ts';
import { tendApplications } from './application-after.ts';
import { command, type Ending, unchangedEnding } from './finish.ts';
import type { JournalState } from './journal.ts';
import { newSettings, resetStep } from './needed-settings.ts';
import { settleCollations } from './settle-collations.ts';
import { compareWith } from './snapshots.ts';
import { besideServer, changedBeside } from './step-kinds.ts';
import { undoSteps } from './steps.ts';
import { type Run, stepRun } from './target.ts';

/** Records what went wrong before any step was run. */
export function failed(run: Run, cause: unknown, resumed: boolean): Ending {
  const errors = errorsOf(cause);
  const [error, ...others] = errors;
  if (!error) throw cause;
  for (const each of errors) {
    run.recorder.issue(each, 'Nothing was changed.');
    annotate(run, each);
  }
  return unchangedEnding(error, resumed, others);
}

/** Shows an error at its place in the spec; a cancel is none. */
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
export async function wayBack(
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
  // A resumed run that fails before its first step has nothing to take back: the journal's steps are an earlier run's.
  const nothingYet = recorder.record.steps.length === 0;
  if (onlyBackup || nothingYet) return failed(run, error, resumed);
  annotate(run, error);
  if (error instanceof Cancelled || context.signal.aborted) return cancelled(run, plan);
  if (await isAsBefore(run, plan, started)) {
    recorder.issue(error, `PostgreSQL ${plan.from} was not stopped.`);
    return {
      result: 'rolled-back',
      verdict: `${error.message} PostgreSQL ${plan.from} was not stopped, and serves as before.`,
      next: error.hint ?? null,
      finished: true,
    };
  }
  if (spec['on-failure'] === 'stop') {
    recorder.issue(error, 'Not taken back, as the spec says (on-failure: stop).');
    return {
      result: 'failed',
      verdict: error.message,
      next: `${error.hint ? `${error.hint}\n` : ''}Then go on with mode: resume, or go back with mode: rollback (targets: ${spec.name}).`,
      finished: false,
    };
  }
  context.log.info(`${spec.name}: ${error.message} Going back to ${plan.from}.`);
  try {
    // A server that crashed is started again first: an older version can start only from a clean stop.
    // One that never came up is not: there is nothing to wait for.
    if (
      plan.steps.some(
        ({ id, breaks, undo }) => breaks !== null && undo !== null && started.get(id) === 'done',
      )
    )
      await run.environment
        .revive?.(stepRun(run, null, false))
        .catch((second: unknown) => context.log.info(`  ${messageOf(second)}`));
    await undoSteps(run, withReset(plan, started), facts, started);
    await assertServes(run, plan.from);
    await settleCollations(run, started);
    await compareWithBefore(run, plan.from);
    await tendApplications(run, journal.state().unwell);
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

/** Whether nothing was begun but what concerns clients only: then there is nothing to go back from, or to go on with. */
async function isAsBefore(run: Run, plan: PlanRecord, started: JournalState['steps']): Promise<boolean> {
  if (plan.steps.some(({ id, undo }) => undo !== null && !besideServer(id) && started.has(id))) return false;
  const facts = await run.environment.inspect().catch(() => null);
  return facts?.serving === true && formatVersion(facts.running) === plan.from;
}

/**
 * A resumed run finds nothing to set on the new server any more, so its plan does not name the step that set it. Whoever
 * did: with it the older version would not start.
 */
function withReset(plan: PlanRecord, started: JournalState['steps']): PlanRecord {
  const settings = newSettings(plan);
  const broken = plan.steps.findIndex(
    ({ id, breaks, undo }) => breaks !== null && undo !== null && started.has(id),
  );
  if (settings.length === 0 || broken < 0 || plan.steps.some(({ id }) => id === 'configure')) return plan;
  started.set('configure', 'done');
  return { ...plan, steps: plan.steps.toSpliced(broken + 1, 0, resetStep(settings)) };
}

/** @throws UpgradeError `rollback-version`: a way back that does not lead back is none */
async function assertServes(run: Run, version: string): Promise<void> {
  const { serving, running } = await run.environment.inspect();
  if (serving && formatVersion(running) === version) return;
  throw new UpgradeError(
    'rollback-version',
    `After going back ${serving ? `PostgreSQL ${formatVersion(running)}` : 'nothing'} serves, not ${version}.`,
    {
      phase: 'rollback',
      hint: 'Look at the server log, and at which programs are installed.',
    },
  );
}

async function compareWithBefore(run: Run, from: string): Promise<void> {
  const before = run.journal.state().snapshot;
  if (!before) return;
  const { record, save } = run.recorder;
  const facts = await compareWith(run, before, parseVersion(from), new AbortController().signal);
  record.facts = facts.map((fact) =>
    fact.group === 'log' && fact.verdict === 'unexpected'
      ? { ...fact, verdict: 'alert', why: 'the newer version may have written it before it was taken back' }
      : fact,
  );
  save();
}

/** What a cancelled run leaves: only what was seen is said. */
async function cancelled(run: Run, plan: PlanRecord): Promise<Ending> {
  const facts = await run.environment.inspect().catch(() => null);
  const running = facts?.serving ? formatVersion(facts.running) : null;
  const error = new Cancelled();
  const beside = changedBeside(plan.steps, run.journal.state().steps);
  if (running === plan.from && beside.length > 0) {
    const left = beside.map(({ title }) => `"${title}"`).join(', ');
    run.recorder.issue(
      error,
      `Left as it was: PostgreSQL ${plan.from} serves, and ${left} was not taken back.`,
    );
    return {
      result: 'cancelled',
      verdict: `The run was cancelled; PostgreSQL ${plan.from} was not stopped, and ${left} was not taken back.`,
      next: `${command(run, 'resume')} It goes on. To take it back: mode: rollback. Until then whatever restarts the server may start another version.`,
      finished: false,
    };
  }
  if (running === plan.from) {
    run.recorder.issue(error, 'Everything that was switched off was put back.');
    const verdict = `The run was cancelled; PostgreSQL ${plan.from} was not changed.`;
    return { result: 'cancelled', verdict, next: null, finished: true };
  }
  const { steps } = run.journal.state();
  const validated = steps.get('validate') === 'done';
  const observing = validated && steps.has('watch') && steps.get('watch') !== 'done';
  const left =
    running !== plan.wanted
      ? 'what the target is in is not known'
      : validated
        ? `PostgreSQL ${plan.wanted} serves and was found good; ${observing ? 'it was not observed to the end' : 'not everything after that was done'}`
        : `PostgreSQL ${plan.wanted} serves, but it was not validated`;
  run.recorder.issue(error, `Left as it was: ${left}.`);
  return {
    result: 'cancelled',
    verdict: `The run was cancelled ${observing ? 'while the target was observed' : 'after the restart'}: ${left}.`,
    next: `${command(run, 'resume')} ${observing ? 'It observes the target anew, and finishes.' : 'It validates and finishes.'} To go back: mode: rollback.`,
    finished: false,
  };
}
