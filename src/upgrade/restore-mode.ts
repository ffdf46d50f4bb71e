/** What mode `rollback` does for a restore: asks whether it may, plans it, carries it out, and tells what came of it. */
import { Cancelled, errorsOf } from '../errors.ts';
import type { PgVersion } from '../postgres/version.ts';
import { formatTime } from '../report/format.ts';
import type { BackupRecord, StepRecord } from '../report/record.ts';
import { applicationEntry, isApplication, isStopped, stopApplications } from './applications.ts';
import { command, type Ending } from './finish.ts';
import { allowedRestore, type Restore, readRestore, restoredBefore } from './restore-consent.ts';
import { writtenSince } from './restore-lost.ts';
import { namesFor } from './restore-names.ts';
import { assertRestorable, leftAsTheyAre, restorable } from './restore-obstacles.ts';
import type { RestoreWords } from './restore-plan.ts';
import { keptDatabases, restoreAll, validateRestored } from './restore-step.ts';
import { restoreStep } from './restore-step-id.ts';
import { lastExchange } from './restore-swap.ts';
import { putBackAll, type Run, stepRun } from './target.ts';
import { annotate } from './way-back.ts';

/**
 * The backup that the spec allows to restore; null where it allows none, or where it was restored already.
 * @throws UpgradeError `restore-consent`, `restore-backup`
 */
export async function wantedRestore(run: Run, backup: BackupRecord | null): Promise<Restore | null> {
  const allowed = await allowedRestore(run, backup);
  if (!allowed) return null;
  if (await restoredBefore(run, allowed)) {
    run.context.log.info(
      `${run.spec.name}: the backup of ${formatTime(allowed.started)} was restored by an earlier rollback, and a consent is good for one time`,
    );
    return null;
  }
  return await readRestore(run, allowed);
}

/** Looks at what is there now. @throws UpgradeError `restore-blocked`, `restore-space` */
export async function wordsOf(run: Run, restore: Restore): Promise<RestoreWords> {
  const { dump, record } = restore;
  const present = await assertRestorable(run, dump);
  return {
    backup: record,
    names: namesFor(
      restorable(dump).map(({ name }) => name),
      present.map(({ name }) => name),
      run.context.now(),
    ),
    applications: run.spec.applications.filter(isStopped).map(({ name }) => name),
    lost: await writtenSince(run, record).catch(() => []),
    left: leftAsTheyAre(dump),
  };
}

async function recorded(
  run: Run,
  id: string,
  title: string,
  work: (record: StepRecord) => Promise<void>,
): Promise<void> {
  const { recorder, context } = run;
  context.log.info(`${run.spec.name}: ${title}`);
  const record = recorder.startStep(id, title);
  try {
    await work(record);
    recorder.endStep(record, 'done');
  } catch (cause) {
    recorder.endStep(record, errorsOf(cause)[0] instanceof Cancelled ? 'interrupted' : 'failed');
    throw cause;
  }
}

/** Before anything else: what applications write from now on would be lost. */
export async function stopForRestore(run: Run): Promise<void> {
  const off = new Set(run.journal.state().outstanding.map(({ id }) => id));
  const running = run.spec.applications
    .filter(isStopped)
    .filter(({ name }) => !off.has(applicationEntry(name)));
  if (running.length === 0) return;
  await recorded(run, 'stop-applications', 'Stop the applications', (record) =>
    stopApplications(running, stepRun(run, record, false), null, run.environment),
  );
}

/**
 * @returns null where the restored databases are in their places; else how the run ends: the present ones are as they were
 */
export async function restoreOrEnd(run: Run, restore: Restore, words: RestoreWords): Promise<Ending | null> {
  const { journal, recorder, spec } = run;
  try {
    await recorded(
      run,
      restoreStep,
      `Restore the backup of ${formatTime(restore.record.started)}`,
      async (record) => {
        await journal.step(restoreStep, 'started');
        await restoreAll(run, restore, words.names, stepRun(run, record, true));
      },
    );
    return null;
  } catch (cause) {
    // Exchanged, and something after it failed: that is told as what it is.
    if (journal.state().steps.get(restoreStep) === 'done') throw cause;
    const [error] = errorsOf(cause, 'rollback');
    if (!error) throw cause;
    await journal.step(restoreStep, 'failed');
    annotate(run, error);
    recorder.issue(error, 'The backup was not restored: the present databases are as they were.');
    const cancelled = error instanceof Cancelled;
    return {
      result: cancelled ? 'cancelled' : 'failed',
      verdict: `${error.message} The backup was not restored: the present databases are as they were, with everything that was written.`,
      next: [
        error.hint,
        `${command(run, 'rollback')} It tries again; without rollback.restore in the spec of ${spec.name} it ends the rollback on the present data.`,
      ]
        .filter(Boolean)
        .join('\n'),
      finished: false,
    };
  }
}

/** Looks at what was restored, by this run or by one that died behind it, and starts the applications. */
export async function endRestore(run: Run, expected: PgVersion): Promise<void> {
  await recorded(run, 'validate-restored', 'Validate what was restored', (record) =>
    validateRestored(run, expected, stepRun(run, record, true)),
  );
  if (!run.journal.state().outstanding.some(isApplication)) return;
  await recorded(run, 'start-applications', 'Start the applications', async () => {
    const [failure] = await putBackAll(run, isApplication);
    if (failure) throw failure;
  });
}

/** What was lost since when, and what is left to do: sentences for the verdict, and lines for what comes next. */
export async function restoredWords(
  run: Run,
  backup: Pick<BackupRecord, 'started'>,
): Promise<{ verdict: string; next: string[] }> {
  const exchanged = lastExchange(await run.environment.home.journal.read());
  const kept = await keptDatabases(run, exchanged);
  return {
    verdict: `${exchanged.map(({ database }) => database).join(', ')} ${exchanged.length === 1 ? 'was' : 'were'} restored from the backup of ${formatTime(backup.started)}: what was written since then is lost to ${exchanged.length === 1 ? 'it' : 'them'}${kept.length > 0 ? ', and is kept in the old databases' : ''}.`,
    next: [...kept, `Take rollback.restore out of the spec of ${run.spec.name}.`],
  };
}
