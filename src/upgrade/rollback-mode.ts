/** Mode `rollback`: back to the version before the last upgrade, on the same data; a restore only by consent. */
import type { EnvironmentFacts } from '../environments/environment.ts';
import { errorsOf, messageOf, UpgradeError } from '../errors.ts';
import { formatVersion, parseVersion } from '../postgres/version.ts';
import { tendApplications } from './application-after.ts';
import { isApplication } from './applications.ts';
import { clientProbe } from './client-probe.ts';
import { runName } from './context.ts';
import { digestOf, flatten } from './digest.ts';
import { carryUpdates } from './extension-update.ts';
import { updatedExtensions } from './extensions-plan.ts';
import type { Ending } from './finish.ts';
import { type Begin, type JournalState, readJournal } from './journal.ts';
import { acquireLock } from './lock.ts';
import { newSettings, resetStep } from './needed-settings.ts';
import { notify } from './notify.ts';
import { inspectServing } from './prepare.ts';
import {
  endRestore,
  restoredWords,
  restoreOrEnd,
  stopForRestore,
  wantedRestore,
  wordsOf,
} from './restore-mode.ts';
import { restoreNotes, restorePlan, restoreRisk, stopPlan } from './restore-plan.ts';
import { restoreStep } from './restore-step-id.ts';
import { rollbackRisk } from './risk.ts';
import { settleCollations } from './settle-collations.ts';
import { snapshotOf } from './snapshots.ts';
import { changedBeside } from './step-kinds.ts';
import { undoSteps } from './steps.ts';
import { isMinor, putBackAll, type Run, stepRun } from './target.ts';
import { assertNobodyElse } from './upgrade-mode.ts';
import { validateStep } from './validate-step.ts';

/**
 * The newest archived journal that tells of a step which can be undone: refused and cancelled runs do not count.
 * @param takenBack also one that was taken back: only its backup is of interest then
 * @param like the rollback that goes on: it knows which upgrade it takes back
 */
async function lastUpgrade(run: Run, takenBack: boolean, like: Begin | null): Promise<JournalState> {
  const facts = await run.environment.inspect();
  for (const lines of await run.environment.home.journal.readArchives()) {
    const state = readJournal(lines);
    // One that went back by itself left the version before it.
    if (!state.begin || (state.ended === 'rolled-back' && !(takenBack && state.holdsUpgrade))) continue;
    if (like && (state.begin.from !== like.from || state.begin.wanted !== like.wanted)) continue;
    const { steps } = run.environment.planRoute(
      { ...facts, running: parseVersion(state.begin.from) },
      parseVersion(state.begin.wanted),
    );
    if (steps.some((step) => typeof step !== 'string' && step.undo !== null && state.steps.has(step.id)))
      return state;
  }
  return readJournal([]);
}

/** Whether something answers now. */
async function serves(run: Run): Promise<boolean> {
  return await run.environment.inspect().then(
    ({ serving }) => serving,
    () => false,
  );
}

/**
 * What there is to go back from. A clean stop is what an older version starts from best: one that crashed is started again
 * first. A version that does not even start any more is a reason to go back, not one to stay.
 * @param needed whether the way back asks the server: then it has to serve
 */
async function whatIsThere(run: Run, needed: boolean): Promise<EnvironmentFacts> {
  const { context, environment, spec, recorder } = run;
  if (await serves(run)) return await inspectServing(run);
  context.log.info(`${spec.name}: nothing serves, starting what served last`);
  try {
    await environment.revive?.(stepRun(run, null, false));
  } catch (cause) {
    const facts = await environment.inspect();
    if (facts.serving || needed) throw cause;
    for (const error of errorsOf(cause, 'rollback'))
      recorder.issue(
        error,
        'The way back goes on without it: the older version is started on the same data.',
      );
    context.log.info(`${spec.name}: ${messageOf(cause)} Going back without it.`);
    return facts;
  }
  return await inspectServing(run);
}

/** @throws UpgradeError `nothing-to-roll-back`, and what the undo and the validation throw */
export async function rollbackMode(run: Run): Promise<Ending> {
  const { journal, environment, context, recorder, spec, settings } = run;
  assertNobodyElse(run);
  const current = journal.state();
  // An unfinished upgrade and its way back share a journal; that of a finished one is in the archive.
  const here = current.begin !== null && current.holdsUpgrade && current.steps.size > 0;
  const resumed = current.begin?.mode === 'rollback';
  const byConsent = spec.rollback?.restore !== undefined;
  const past = here ? current : await lastUpgrade(run, byConsent || resumed, resumed ? current.begin : null);
  // Without an archive a rollback that died knows itself where it was going.
  const begin = past.begin ?? (resumed ? current.begin : null);
  // One that died half way, or that was refused, knows what it has undone already.
  const steps = new Map([...past.steps, ...(resumed ? current.steps : [])]);
  if (!begin) {
    throw new UpgradeError(
      'nothing-to-roll-back',
      `No upgrade of ${spec.name} by this action is known here.`,
      {
        phase: 'inputs',
        hint: `The journal is kept at ${environment.home.journal.where}; without it nobody knows what to go back to.`,
      },
    );
  }
  const backup = past.backup ?? current.backup;
  // One that died half way is put right first: it may have restored already.
  let restore = resumed ? null : await wantedRestore(run, backup);
  if (await serves(run)) run.lock = await acquireLock(settings, runName(context));
  if (current.begin) {
    journal.adopt();
    // Applications come last: one that cannot start on the new version is a reason to go back, not one to stay.
    await putBackAll(run, isMinor);
    const [failure] = await putBackAll(run, (entry) => !isApplication(entry) && !isMinor(entry));
    if (failure) throw failure;
  }
  const facts = await whatIsThere(run, restore !== null);
  recorder.record.versions.from = formatVersion(facts.running);
  recorder.record.versions.wanted = begin.from;
  const restored = resumed && journal.state().steps.get(restoreStep) === 'done';
  if (resumed && !restored) restore = await wantedRestore(run, backup);
  const there = formatVersion(facts.running) === begin.from;
  const before = parseVersion(begin.from);
  const route = environment.planRoute({ ...facts, running: before }, parseVersion(begin.wanted));
  // The version from before may serve, and what was changed beside it has to be taken back all the same.
  const half =
    there &&
    (here || resumed) &&
    changedBeside(
      route.steps.filter((step) => typeof step !== 'string'),
      steps,
    ).length > 0;
  const onlyData = there && !half && (restore !== null || restored);
  if (there && !half && !onlyData && resumed) {
    return {
      result: 'rolled-back',
      verdict: `PostgreSQL ${begin.wanted} went back to ${begin.from}.`,
      next: null,
      finished: true,
    };
  }
  if (there && !half && !onlyData) {
    return {
      result: 'skipped',
      verdict: `Nothing to do: ${spec.name} runs PostgreSQL ${begin.from} already.`,
      next: null,
      finished: true,
    };
  }
  if (!there && formatVersion(facts.running) !== begin.wanted) {
    throw new UpgradeError(
      'not-ours',
      `The last upgrade by this action led to ${begin.wanted}, but ${formatVersion(facts.running)} runs: somebody else changed it.`,
      {
        phase: 'plan',
        hint: 'Go back the way it was changed.',
      },
    );
  }
  if (facts.serving) run.lock ??= await acquireLock(settings, runName(context));
  const words = restore && (await wordsOf(run, restore));
  // A person may have written them by hand since: whoever did, the older version would not start with them.
  const added = newSettings(begin);
  if (added.length > 0) steps.set('configure', 'done');
  const undoable = (onlyData ? [] : route.steps)
    .flatMap((step) => {
      if (step === 'configure') return [resetStep(added)];
      if (step === 'extensions') return updatedExtensions(past.extensionUpdates);
      return typeof step === 'string' ? [] : [step];
    })
    .filter(({ id, undo }) => undo !== null && (id !== 'configure' || added.length > 0));
  const decision = flatten({
    target: spec.name,
    wanted: begin.from,
    from: begin.wanted,
    steps: undoable.map(({ id, undo }) => ({ id, undo })),
    ...(restore
      ? { restore: { started: restore.record.started, manifest: restore.record.manifestSha256 } }
      : {}),
  });
  const back = undoable.toReversed().map((step) => ({
    ...step,
    title: `Undo: ${step.title}`,
    does: step.undo ? [step.undo] : [],
    undo: null,
    risks: ['Where this fails nothing more is undone: the run ends as failed and says how to go on.'],
  }));
  const plan = {
    digest: digestOf(decision),
    route: route.name,
    from: begin.wanted,
    wanted: begin.from,
    steps: words
      ? [...(words.applications.length > 0 ? [stopPlan(words)] : []), ...back, ...restorePlan(words)]
      : back,
    decision,
    risk:
      backup && (restore || restored)
        ? restoreRisk(onlyData ? null : rollbackRisk(facts.running, before), begin.from, backup.started)
        : rollbackRisk(facts.running, before),
    downtime: back.some(({ breaks }) => breaks !== null)
      ? {
          expectedMs: null,
          basis: 'the way back breaks clients as the upgrade did; nobody measures it beforehand',
        }
      : { expectedMs: 0, basis: 'no step breaks anything for clients' },
    notes: words
      ? restoreNotes(words)
      : restored
        ? ['The databases were restored by the run before; what is left is looked at and started.']
        : ['The data stays as it is: nothing that was written since the upgrade is lost.'],
  };
  recorder.record.plan = plan;
  await journal.begin({
    run: runName(context),
    mode: 'rollback',
    from: begin.from,
    wanted: begin.wanted,
    target: spec.name,
  });
  if (backup && (restore || restored)) await journal.backup(backup);
  await carryUpdates(run, past.extensionUpdates);
  if (!onlyData && facts.serving) await journal.snapshot(await snapshotOf(run));

  await notify(run, 'start');
  const probe = clientProbe(run);
  await probe.start();
  if (restore) await stopForRestore(run);
  if (!onlyData) {
    await undoSteps(
      run,
      { ...plan, steps: undoable, wanted: begin.wanted },
      { ...facts, running: before },
      steps,
    );
    await settleCollations(run, steps);
    const record = recorder.startStep('validate', 'Validate');
    try {
      await validateStep(run, before).run(stepRun(run, record, false));
      recorder.endStep(record, 'done');
    } catch (cause) {
      recorder.endStep(record, 'failed');
      throw cause;
    }
  }
  const unrestored = restore && words ? await restoreOrEnd(run, restore, words) : null;
  await probe.finish();
  if (unrestored) return unrestored;
  if (restore || restored) await endRestore(run, before);
  await tendApplications(run, past.unwell);
  const { verdict, next } =
    backup && (restore || restored) ? await restoredWords(run, backup) : { verdict: '', next: [] };
  return {
    result: 'rolled-back',
    verdict:
      `${(onlyData || half) && !resumed ? `PostgreSQL ${begin.from} served already.${half ? ' What was changed beside it was taken back.' : ''}` : `PostgreSQL ${begin.wanted} went back to ${begin.from}.`} ${verdict}`.trim(),
    next: [
      `Set postgres: "${begin.from}" for ${spec.name} in the spec, or the next upgrade run leads to ${spec.postgres} again.`,
      ...next,
    ].join('\n'),
    finished: true,
  };
}
