/** Which steps concern clients only, and leave the server as it is; which change something beside a server that goes on. Pure. */
import type { PlannedStep } from '../report/record.ts';
import type { JournalState } from './journal.ts';

const beside: readonly string[] = ['stop-applications', 'read-only', 'drain'];

/** Whether a step keeps clients away and does nothing to the server itself: behind it the target is the same. */
export function besideServer(id: string): boolean {
  return beside.includes(id);
}

/**
 * What was begun, was not taken back, and breaks no client: it may be changed although the version from before serves
 * (packages that are installed, and wait for a restart).
 */
export function changedBeside<P extends Pick<PlannedStep, 'id' | 'undo' | 'breaks'>>(
  steps: readonly P[],
  started: JournalState['steps'],
): P[] {
  return steps.filter(
    ({ id, undo, breaks }) =>
      undo !== null &&
      breaks === null &&
      !besideServer(id) &&
      !['undone', undefined].includes(started.get(id)),
  );
}
