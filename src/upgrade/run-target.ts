/** One run on one target: opens it, does what the mode says, and always ends with a complete record. */

import { join } from 'node:path';
import { kindOf } from '../environments/registry.ts';
import { assertNever, Cancelled, errorsOf, explanation, UpgradeError } from '../errors.ts';
import { readConnectionUrl } from '../postgres/settings.ts';
import { formatVersion, parseVersion } from '../postgres/version.ts';
import { findAdvice } from '../releases/advice-catalogue.ts';
import { waitingOf } from '../report/plan-words.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { type LoadedTarget, resolveReference } from '../spec/load.ts';
import { byWhom } from './advice-words.ts';
import { assertOnlyWork } from './backup-work.ts';
import { looksOnly, type RunContext, runName } from './context.ts';
import { command, type Ending, finish, unchangedEnding } from './finish.ts';
import { openJournal } from './journal.ts';
import { notify } from './notify.ts';
import { lookOnly } from './prepare.ts';
import { assertOnlyVersion } from './pull-request-gate.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { rehearseMode } from './rehearse-mode.ts';
import { rollbackMode } from './rollback-mode.ts';
import type { Run } from './target.ts';
import { upgradeMode } from './upgrade-mode.ts';
import { annotate } from './way-back.ts';

/** The recorder of a target, in its folder of the output directory. */
export function recorderFor(target: LoadedTarget, context: RunContext): Recorder {
  const { spec, place } = target;
  const recorder = createRecorder({
    name: spec.name,
    environment: spec.environment.kind,
    place: `${place.file}:${place.line}`,
    wanted: spec.postgres,
    mode: context.mode,
    identity: context.identity,
    version: context.version,
    folder: join(context.outputDirectory, spec.name),
    secrets: context.secrets,
    now: context.now,
  });
  recorder.record.change = context.changes.get(spec.name) ?? null;
  return recorder;
}

/** Opens a target: its secret, its environment, its journal. @throws UpgradeError `pull-request-change`, `mode-unavailable`, and what opening throws */
export async function openTarget(
  target: LoadedTarget,
  context: RunContext,
  recorder: Recorder,
): Promise<Run> {
  const { spec } = target;
  // The record's: the post step has it from main, and asks nobody.
  assertOnlyVersion(spec.name, recorder.record.change, context);
  const kind = kindOf(spec.environment);
  if (!kind.modes.includes(context.mode)) {
    throw new UpgradeError(
      'mode-unavailable',
      `Mode ${context.mode} is not available for environment kind ${kind.kind} in this version.`,
      {
        phase: 'inputs',
        hint: `Available: ${kind.modes.join(', ')}.`,
      },
    );
  }
  const url = resolveReference(spec.connection, context.variables);
  context.secrets.add(url);
  const settings = readConnectionUrl(url, spec.connection);
  if (settings.password !== undefined) context.secrets.add(settings.password);
  const environment = kind.open(spec.environment, {
    target: spec.name,
    log: context.log,
    signal: context.signal,
    connection: settings,
    wanted: parseVersion(spec.postgres),
    secret(reference) {
      const value = resolveReference(reference, context.variables);
      context.secrets.add(value);
      return value;
    },
  });
  if (!looksOnly(context.mode)) await environment.claim?.(runName(context));
  const journal = await openJournal(
    context.mode === 'rehearse' ? environment.home.rehearsals : environment.home.journal,
    context.now,
  );
  if (context.mode === 'rehearse') assertOnlyWork(journal);
  return {
    context,
    target,
    spec,
    wanted: parseVersion(spec.postgres),
    environment,
    settings: await environment.endpoint(),
    journal,
    recorder,
    lock: null,
  };
}

/** Never throws: whatever happens is in the record. */
export async function runTarget(target: LoadedTarget, context: RunContext): Promise<UpgradeRecord> {
  const recorder = recorderFor(target, context);
  let run: Run;
  try {
    run = await openTarget(target, context, recorder);
  } catch (cause) {
    return await notOpened(target, context, recorder, cause);
  }
  try {
    const ending = await byMode(run).catch((cause: unknown) => endingOf(run, cause));
    await finish(run, ending);
  } catch (cause) {
    const [error] = errorsOf(cause);
    if (error) recorder.issue(error, 'Not resolved.');
    Object.assign(recorder.record, {
      result: 'failed',
      verdict: `The run could not be ended properly: ${error?.message ?? ''}`,
      next: command(run, 'resume'),
      finished: context.now().toISOString(),
    });
    recorder.save();
  } finally {
    await run.lock?.release();
    await run.environment.close();
  }
  return recorder.record;
}

async function byMode(run: Run): Promise<Ending> {
  const { mode } = run.context;
  switch (mode) {
    case 'plan':
    case 'check': {
      const found = await lookOnly(run);
      const version = formatVersion(run.wanted);
      // Nobody merged the change yet.
      const { onPullRequest } = run.context;
      const waiting = waitingOf({ ...run.recorder.record, result: 'success' });
      return found === 'ready'
        ? {
            result: 'success',
            verdict: waiting
              ? `Ready, but at this time an upgrade would be refused: ${waiting.closed}. Nothing was changed.`
              : `Ready: nothing blocks the upgrade to PostgreSQL ${version}. Nothing was changed.`,
            next:
              [
                waiting ? `Wait until ${waiting.open}.` : '',
                onPullRequest ? '' : command(run, 'upgrade'),
                offer(run),
              ]
                .filter((line) => line !== '')
                .join('\n') || null,
            finished: true,
          }
        : {
            result: 'skipped',
            verdict: `Nothing to do: ${run.spec.name} runs PostgreSQL ${version} already.`,
            next: null,
            finished: true,
          };
    }
    case 'upgrade':
    case 'resume':
      return upgradeMode(run);
    case 'rollback':
      return rollbackMode(run);
    case 'rehearse':
      return rehearseMode(run);
    default:
      return assertNever(mode);
  }
}

/** What the action would do of what is left to a person. */
function offer({ recorder, spec }: Run): string {
  if (spec.advice === 'apply') return '';
  const could = byWhom(recorder.record.advice, 'person').filter(
    ({ id, objects }) => (findAdvice(id)?.remedy ?? null) !== null && objects.length > 0,
  );
  if (could.length === 0) return '';
  return `With advice: apply in the spec the action mends these after the upgrade: ${could.map(({ title }) => title).join('; ')}.`;
}

/** An error that no mode turned into an ending itself. */
function endingOf(run: Run, cause: unknown): Ending {
  const errors = errorsOf(cause);
  // What a rehearsal leaves in its journal is put back at once: there is nothing to finish.
  const unfinished = run.journal.isOurs() && run.context.mode !== 'rehearse';
  for (const error of errors) {
    annotate(run, error);
    run.recorder.issue(error, unfinished ? 'Not resolved.' : 'Nothing was changed.');
  }
  const error = errors[0] ?? new Cancelled();
  if (!unfinished) return unchangedEnding(error, false);
  return {
    result: error instanceof Cancelled ? 'cancelled' : 'failed',
    verdict: error.message,
    next: [error.hint, command(run, run.context.mode === 'rollback' ? 'rollback' : 'resume')]
      .filter(Boolean)
      .join('\n'),
    finished: false,
  };
}

async function notOpened(
  target: LoadedTarget,
  context: RunContext,
  recorder: Recorder,
  cause: unknown,
): Promise<UpgradeRecord> {
  const { record } = recorder;
  const errors = errorsOf(cause);
  for (const error of errors) {
    recorder.issue(error, 'Nothing was changed.');
    const message = explanation(error);
    context.log.annotate({
      level: 'error',
      title: `${target.spec.name}: ${error.code}`,
      message,
      place: error.place ?? target.place,
    });
  }
  record.result = errors[0]?.code === 'pull-request-change' ? 'refused' : 'failed';
  record.verdict = `${errors[0]?.message ?? 'The target could not be opened.'} Nothing was changed.`;
  record.state = 'Not looked at: the target could not be opened.';
  record.next = errors[0]?.hint ?? null;
  record.finished = context.now().toISOString();
  recorder.save();
  if (!looksOnly(context.mode)) await notify({ context, target, recorder }, 'end');
  return record;
}
