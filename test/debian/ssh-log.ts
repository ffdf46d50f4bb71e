/** A log that remembers. */
import type { Log } from '../../src/process/log.ts';

export function silentLog(): { log: Log; progress: string[]; warnings: string[] } {
  const [progress, warnings]: [string[], string[]] = [[], []];
  const log: Log = {
    info() {},
    progress: (line) => void progress.push(line),
    annotate: ({ message }) => void warnings.push(message),
    startGroup() {},
    endGroup() {},
  };
  return { log, progress, warnings };
}
