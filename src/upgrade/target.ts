/** Everything about one target that a run works with. */
import type { Environment, StepRun, SwitchedOff } from '../environments/environment.ts';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { dumpName } from '../postgres/passfile.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { StepRecord } from '../report/record.ts';
import type { LoadedTarget } from '../spec/load.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { closeTemplate, openedTemplate } from './advice-step.ts';
import { isApplication, startApplication } from './applications.ts';
import { backupWork, cleanBackupWork } from './backup-work.ts';
import { mendCollations } from './collations-step.ts';
import { connectTo } from './connect.ts';
import type { RunContext } from './context.ts';
import { type Journal, mixedOrder } from './journal.ts';
import type { Lock } from './lock.ts';
import { acceptWrites, isReadOnly } from './read-only-step.ts';
import { halfBuilt, sweep } from './rebuild.ts';
import type { Recorder } from './recorder.ts';
import { isRestore, takeBackRestore } from './restore-swap.ts';
import { besideServer } from './step-kinds.ts';

/** One run on one target. */
export interface Run {
  context: RunContext;
  target: LoadedTarget;
  spec: TargetSpec;
  wanted: PgVersion;
  environment: Environment;
  settings: ConnectionSettings;
  journal: Journal;
  recorder: Recorder;
  /** Held from before the first change; a restart of the server ends it, so it is renewed after every break. */
  lock: Lock | null;
}

/** What a step is handed: a signal that fires only where the step may be interrupted, and the journal. */
export function stepRun(run: Run, record: StepRecord | null, interruptible: boolean): StepRun {
  const { context, journal, recorder } = run;
  return {
    signal: interruptible ? context.signal : new AbortController().signal,
    backupFolder: recorder.record.backup?.location ?? journal.state().backup?.location ?? null,
    progress: (text) => context.log.progress(`${run.spec.name}: ${text}`),
    note(line) {
      record?.output.push(line);
      context.log.info(`  ${line}`);
    },
    async switchOff(entry) {
      await journal.switchedOff(entry);
      // What a backup leaves is nobody's business once it is gone again.
      if (entry.id === backupWork || entry.id.startsWith(halfBuilt)) return;
      recorder.record.switchedOff.push({
        id: entry.id,
        what: entry.what,
        at: context.now().toISOString(),
        putBackAt: null,
      });
      recorder.save();
    },
    async isBack(id) {
      if (!journal.state().outstanding.some((entry) => entry.id === id)) return;
      // It is back, whether or not that can be written down: a later run would only look again.
      await journal
        .putBack(id)
        .catch((cause: unknown) =>
          context.log.info(`  the journal could not be written: ${messageOf(cause)}`),
        );
      markBack(run, id);
    },
  };
}

function markBack(run: Run, id: string): void {
  const { record, save } = run.recorder;
  for (const entry of record.switchedOff)
    if (entry.id === id) entry.putBackAt ??= run.context.now().toISOString();
  save();
}

/** Whether something may not be put back yet: clients are broken, and the step that mends them is not done. */
export function mustStayOff(run: Run, entry: SwitchedOff): boolean {
  if (entry.until === undefined) return false;
  const { steps } = run.journal.state();
  if (steps.get(entry.until) === 'done') return false;
  const { plan } = run.recorder.record;
  // Before there is a plan, any step that was begun may be one that breaks clients.
  if (!plan) return [...steps.keys()].some((id) => id !== 'backup' && !besideServer(id));
  const broken = plan.steps.filter(
    ({ id, breaks, undo }) => breaks !== null && undo !== null && !besideServer(id),
  );
  return broken.some(({ id }) => ['started', 'done', 'failed', 'paused'].includes(steps.get(id) ?? ''));
}

/**
 * Puts back everything that is switched off, newest first, and goes on where one fails.
 * @param only which entries; all by default
 * @returns what could not be put back
 */
export async function putBackAll(
  run: Run,
  only: (entry: SwitchedOff) => boolean = () => true,
): Promise<UpgradeError[]> {
  const failures: UpgradeError[] = [];
  for (const entry of run.journal.state().outstanding.filter(only).toReversed()) {
    if (mustStayOff(run, entry)) {
      run.context.log.info(`Still switched off until "${entry.until}" is done or undone: ${entry.what}`);
      continue;
    }
    // An entry of an earlier run is not in this record yet.
    if (!run.recorder.record.switchedOff.some(({ id }) => id === entry.id)) {
      run.recorder.record.switchedOff.push({
        id: entry.id,
        what: `${entry.what} (by an earlier run)`,
        at: run.context.now().toISOString(),
        putBackAt: null,
      });
    }
    try {
      run.context.log.info(`Putting back: ${entry.what}`);
      const step = stepRun(run, null, false);
      if (entry.id === backupWork) {
        await endDumps(run);
        await cleanBackupWork(entry.detail);
      } else if (isApplication(entry))
        await startApplication(
          entry,
          commandsOf(run),
          step.progress,
          run.environment,
          run.journal.state().unwell,
        );
      else if (isReadOnly(entry)) await acceptWrites(run, entry, step);
      else if (isRestore(entry)) await takeBackRestore(run, entry, step);
      else if (entry.id === mixedOrder) await mendCollations(run, step);
      else if (entry.id.startsWith(halfBuilt)) await sweep(run, entry.detail);
      else if (entry.id.startsWith(openedTemplate))
        await closeTemplate(run, (entry.detail as { database: string }).database);
      else await run.environment.putBack(entry, step);
      await run.journal.putBack(entry.id);
      markBack(run, entry.id);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      const hint = cause instanceof UpgradeError ? cause.hint : undefined;
      failures.push(
        new UpgradeError('put-back', `This could not be put back: ${entry.what}. ${detail}`, {
          hint: hint ?? 'Put it back by hand.',
          cause,
        }),
      );
    }
  }
  return failures;
}

/**
 * The applications by whose commands they are started again: those of today's spec, so that a wrong one can be mended.
 * Under an approval none but those in the journal: today's are not what was approved.
 */
function commandsOf({ context: { mode, planDigest }, spec }: Run): TargetSpec['applications'] {
  return planDigest !== '' && mode !== 'rollback' ? [] : spec.applications;
}

/** pg_dump outlives a run that was killed, and holds its snapshot until it is through. */
async function endDumps(run: Run): Promise<void> {
  try {
    await using connection = await connectTo(run);
    await connection.query(
      'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = $1',
      [dumpName],
    );
  } catch (cause) {
    run.context.log.info(`  a dump may still be at work on the target: ${messageOf(cause)}`);
  }
}

/** What costs little while it is not put back: it must not keep anybody from another version. */
export function isMinor({ id }: SwitchedOff): boolean {
  return id.startsWith(halfBuilt) || id.startsWith(openedTemplate);
}

/** @throws Cancelled */
export function throwIfCancelled(run: Run): void {
  if (run.context.signal.aborted) throw new Cancelled();
}
