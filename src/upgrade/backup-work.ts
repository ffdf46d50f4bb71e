/** What a backup leaves when its run is killed: a scratch server with a copy of everything, a password file, half a dump. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestName } from '../backup/manifest.ts';
import { serverPid } from '../postgres/server.ts';

/** Id of the journal's entry. */
export const backupWork = 'backup-work';

/** The entry's detail; absolute paths. */
export interface BackupWork {
  /** Folder of the scratch server and the password file. */
  work: string;
  /** Folder of the dump. */
  dump: string;
}

/** Ends the scratch server, removes its folder, and the dump too where it was never finished. */
export async function cleanBackupWork(detail: unknown): Promise<void> {
  const { work, dump } = detail as BackupWork;
  const pid = await serverPid(join(work, 'scratch', 'data'));
  // SIGQUIT is the immediate shutdown of a postmaster (documentation, "Shutting Down the Server").
  if (pid !== null) process.kill(pid, 'SIGQUIT');
  await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  if (!existsSync(join(dump, manifestName))) await rm(dump, { recursive: true, force: true });
}
