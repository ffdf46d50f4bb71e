/** A checkpoint before a restart, so that the stop has little left to write: the same for every kind that restarts. */
import { connect } from '../postgres/connection.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';
import type { PlannedStep } from '../report/record.ts';

/** As the plan shows it. */
export const plannedCheckpoint: PlannedStep = {
  id: 'checkpoint',
  title: 'Write a checkpoint',
  does: ['CHECKPOINT, so that the stop has little left to write'],
  undo: null,
  breaks: null,
  risks: ['It writes what is changed in memory: disks are busier for a while.'],
  interruptible: true,
};

/** Takes as long as the disks need. */
export async function writeCheckpoint(settings: ConnectionSettings): Promise<void> {
  await using client = await connect(settings, { name: 'postgres-upgrade checkpoint', statementTimeout: 0 });
  await client.script('CHECKPOINT');
}
