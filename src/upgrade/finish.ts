/** How a run ends: one sentence, the state of the database, and the next command. */
import { Cancelled, messageOf, type UpgradeError } from '../errors.ts';
import { formatVersion } from '../postgres/version.ts';
import type { Mode, Result } from '../report/record.ts';
import { channel, looksOnly } from './context.ts';
import { notify } from './notify.ts';
import { putBackAll, type Run } from './target.ts';

/** How a mode ended, before the world was asked whether it is so. */
export interface Ending {
  result: Result;
  verdict: string;
  next: string | null;
  /** False where the journal must stay for a later `resume` or `rollback`. */
  finished: boolean;
}

/** How somebody runs the action again on this target. */
export function command(run: Run, mode: Mode): string {
  return `Run the action with mode: ${mode} and targets: ${run.spec.name}.`;
}

/** Puts back what is switched off, looks at the target, closes the journal and completes the record. */
export async function finish(run: Run, ending: Ending): Promise<void> {
  const { recorder, context, journal } = run;
  const { record } = recorder;
  // What another run switched off is that run's: it may be in the middle of its restart.
  const ours = journal.isOurs() && ending.result !== 'paused';
  const failures = ours ? await putBackAll(run) : [];
  for (const failure of failures) {
    record.issues = record.issues.filter(({ what }) => what !== failure.message);
    recorder.issue(failure, 'Not resolved: put it back by hand.');
  }

  let unknown = '';
  const now = await run.environment.inspect().catch((cause: unknown) => {
    unknown = messageOf(cause);
    return null;
  });
  record.versions.now = now?.serving ? formatVersion(now.running) : null;
  record.changed =
    record.versions.now !== null &&
    record.versions.from !== null &&
    record.versions.now !== record.versions.from;
  const left = journal.isOurs() ? journal.state().outstanding : [];
  record.state = [
    unknown
      ? `Not known: ${unknown}`
      : now?.serving
        ? `PostgreSQL ${formatVersion(now.running)} serves clients.`
        : 'PostgreSQL does not serve clients.',
    ...(left.length > 0 ? [`Still switched off: ${left.map(({ what }) => what).join('; ')}.`] : []),
  ].join(' ');
  conclude(run, ending, failures, now?.serving === true);
  tellEnd(run);
  await journal.end(
    record.result ?? 'failed',
    afterEnd(run, ending.finished && record.result === ending.result),
  );
  record.finished = context.now().toISOString();
  // Also where there was nothing to do: on a server that is up to date nobody else would ever come by.
  const idle = ending.result === 'skipped' && journal.state().begin === null;
  if ((ours || idle) && ending.finished && !looksOnly(context.mode))
    await run.environment.tidy?.(run.spec.backup['keep-days'], context.now());
  recorder.save();
  // Last of all: a channel that takes its time must not keep the journal open.
  if (!looksOnly(context.mode)) await notify(run, record.result === 'paused' ? 'pause' : 'end');
}

/** Results that promise a server which serves. */
const promises: readonly Result[] = ['success', 'skipped', 'rolled-back'];

/** An ending is only as good as what is left: a promise that the world does not keep is a failure. */
function conclude(run: Run, ending: Ending, failures: readonly UpgradeError[], serving: boolean): void {
  const { record } = run.recorder;
  const left = run.journal.state().outstanding;
  const { result, verdict, next } = ending;
  const silent = !serving && promises.includes(result);
  const bad = failures.length > 0 || silent;
  record.result = bad && result !== 'cancelled' ? 'failed' : result;
  record.verdict = [
    verdict,
    failures.length > 0 ? `Something could not be put back: ${left.map(({ what }) => what).join('; ')}.` : '',
    silent ? 'But nothing serves clients.' : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
  record.next =
    failures.length > 0
      ? failures.map(({ message, hint }) => `${message} ${hint ?? ''}`.trim()).join('\n')
      : next;
}

/** A journal that tells of a step which can be undone is what `rollback` goes by; any other would only hide that one. */
function afterEnd(run: Run, finished: boolean): 'keep' | 'archive' | 'discard' {
  if (!finished) return 'keep';
  if (run.context.mode === 'rehearse') return run.journal.state().rehearsed ? 'archive' : 'discard';
  const { steps } = run.journal.state();
  const undoable = run.recorder.record.plan?.steps.some(({ id, undo }) => undo !== null && steps.has(id));
  return undoable || run.context.mode === 'rollback' ? 'archive' : 'discard';
}

/** The end of a run that was meant to change something is told where its start was told. */
function tellEnd(run: Run): void {
  const { recorder, context } = run;
  const { record } = recorder;
  if (looksOnly(context.mode)) return;
  const to = channel(context);
  for (const { code, what } of record.issues) recorder.tell(to, `${code}: ${what}`);
  recorder.tell(to, `${record.result}: ${record.verdict}`);
}

/** Errors by which a run refuses to begin: nothing is broken, and nothing was changed. */
const refusals: readonly string[] = [
  'backup-not-proved',
  'blocked',
  'extension-faulty',
  'extension-missing',
  'plan-drift',
  'rehearsal-missing',
  'rollback-unfinished',
  'unfinished',
  'wave-waits',
  'window-closed',
];

/**
 * The ending after an error in a phase that changes nothing.
 * @param resumed the journal of an earlier run is still needed
 * @param others what was found besides it: all is told together
 */
export function unchangedEnding(
  error: UpgradeError,
  resumed: boolean,
  others: readonly UpgradeError[] = [],
): Ending {
  if (error instanceof Cancelled) {
    return {
      result: 'cancelled',
      verdict: 'The run was cancelled before anything was changed.',
      next: null,
      finished: !resumed,
    };
  }
  const refused = refusals.includes(error.code);
  const all = [error, ...others];
  const hints = [...new Set(all.flatMap(({ hint }) => hint ?? []))];
  return {
    result: refused ? 'refused' : 'failed',
    verdict: [
      ...all.map(({ message }) => message),
      // What an earlier run did is not nothing.
      error.code.endsWith('unfinished') ? 'This run changed nothing.' : 'Nothing was changed.',
    ].join(' '),
    next: hints.length > 0 ? hints.join('\n') : null,
    finished: !resumed,
  };
}
