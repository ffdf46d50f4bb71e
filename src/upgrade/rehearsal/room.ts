/** Whether there is room for a backup and its restored copy. */
import { roomOn } from '../../checks/storage.ts';
import { UpgradeError } from '../../errors.ts';
import { listDatabases } from '../../postgres/databases.ts';
import { backupFolder } from '../backup-step.ts';
import { connectTo } from '../connect.ts';
import type { Run } from '../target.ts';

/**
 * The copy may lie on the disk of the target itself: filling that one would stop the target. So nobody can switch this
 * question off, and no answer is no.
 * @throws UpgradeError `rehearsal-space`
 */
export async function assertRoom(run: Run): Promise<void> {
  const databases = await (async () => {
    await using connection = await connectTo(run);
    return await listDatabases(connection);
  })();
  const bytes = databases.reduce((total, database) => total + database.bytes, 0);
  const disks = await run.environment.disks(bytes, backupFolder(run));
  const short = roomOn(disks).filter(({ status }) => status === 'blocked');
  if (disks.length > 0 && short.length === 0) return;
  throw new UpgradeError('rehearsal-space', 'There is no room for a backup and its restored copy.', {
    phase: 'rehearse',
    hint: short.map(({ line }) => line).join('\n') || 'No filesystem could be measured.',
    docs: 'rehearsals.md#disk',
  });
}
