/** Indexes on text on the way back from another version of the library that sorts. */
import { mendCollations } from './collations-step.ts';
import type { JournalState } from './journal.ts';
import { type Run, stepRun } from './target.ts';

/**
 * On the way back: the older server sorts as it did, and indexes that were rebuilt for the newer one do not fit it.
 * @param started what a journal says of each step of the upgrade
 */
export async function settleCollations(run: Run, started: JournalState['steps']): Promise<void> {
  if (!started.has('collations') && run.journal.state().rebuilt.length === 0) return;
  const record = run.recorder.startStep('collations', 'Rebuild what sorts text for the older version again');
  try {
    await mendCollations(run, stepRun(run, record, false));
    run.recorder.endStep(record, 'done');
  } catch (cause) {
    run.recorder.endStep(record, 'failed');
    throw cause;
  }
}
