/** What went wrong while a dump was written, in words. */
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { lastLines } from '../process/run.ts';

/** What the client programs say on a full disk, or over a quota. */
const full = /No space left on device|Disk quota exceeded/i;

function spaceError(folder: string, what: string, cause?: unknown): UpgradeError {
  return new UpgradeError('dump-space', `The disk of ${folder} is full: ${what} could not be written.`, {
    phase: 'backup',
    hint: 'Free space there, or name a larger place in backup.directory. The unfinished dump was removed.',
    cause,
  });
}

/** @throws UpgradeError `dump-space`, `dump-failed` for any exit code but 0 */
export function assertDumped(what: string, code: number, stderr: string, folder: string): void {
  if (code === 0) return;
  if (full.test(stderr)) throw spaceError(folder, `the dump of ${what}`);
  throw new UpgradeError('dump-failed', `The dump of ${what} failed with exit code ${code}.`, {
    phase: 'backup',
    hint: lastLines(stderr),
  });
}

/** A file of the dump ends too early though its program was content: only a full disk does that. */
export function cutShort(what: string, folder: string): UpgradeError {
  return spaceError(folder, `the dump of ${what}`);
}

/** Anything that was thrown while a dump was written: a stop stays a stop, a full disk a full disk. */
export function explainDump(cause: unknown, folder: string, signal: AbortSignal): unknown {
  if (cause instanceof UpgradeError) return cause;
  if (signal.aborted) return new Cancelled('backup');
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
  return ['ENOSPC', 'EDQUOT'].includes(code) ? spaceError(folder, messageOf(cause), cause) : cause;
}
