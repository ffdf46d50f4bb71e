/** What a rehearsal measures: downtime by a restart with the target's own settings, and disk. */
import { UpgradeError } from '../../errors.ts';
import type { ScratchServer } from '../../postgres/scratch.ts';
import { formatDuration } from '../../report/format.ts';
import type { RehearsalRecord } from '../../report/record-rehearsal.ts';
import type { Note } from './stages.ts';

type Measures = RehearsalRecord['measures'];

/** The kernel has no memory for what the target is configured to take: that is this machine, not the upgrade. */
const noMemory =
  /could not (?:create|map) (?:anonymous )?shared memory|Cannot allocate memory|not enough (?:memory|huge pages)/i;

/**
 * Stops and starts the copy as an upgrade does. Huge pages are left to the target: there may be just enough of them.
 * @throws UpgradeError `scratch-start`: the wanted version does not start with these settings
 */
export async function measureRestart(
  server: ScratchServer,
  settings: Readonly<Record<string, string>>,
  measures: Measures,
  note: Note,
): Promise<void> {
  const real: Record<string, string> = { ...settings, huge_pages: 'off' };
  let basis = "stop and start of the restored copy with the target's own settings";
  const took = await server.restart(real).catch(async (cause: unknown) => {
    if (!(cause instanceof UpgradeError) || !noMemory.test(`${cause.message} ${cause.hint ?? ''}`))
      throw cause;
    basis = `stop and start of the restored copy with the target's settings, except shared_buffers (${settings.shared_buffers}): this machine has no memory for it`;
    const { shared_buffers: _, ...smaller } = real;
    return await server.restart(smaller);
  });
  measures.stopMs = took.stopMs;
  measures.startMs = took.startMs;
  measures.expectedDowntimeMs = took.stopMs + took.startMs;
  measures.downtimeBasis = basis;
  note(
    `stopped in ${formatDuration(took.stopMs)}, answered ${formatDuration(took.startMs)} after that; ${basis}`,
  );
}

/** A new major is dumped and restored while applications are off: that is the downtime. */
export function expectRestore(measures: Measures, dumpMs: number | null): void {
  if (measures.restoreMs === null) return;
  measures.expectedDowntimeMs = measures.restoreMs + (dumpMs ?? 0) + (measures.expectedDowntimeMs ?? 0);
  measures.downtimeBasis =
    dumpMs === null
      ? 'restore and restart as measured; the dump was not'
      : 'dump, restore and restart as measured, one after the other';
}
