/** What a backup leaves when its run is killed: a scratch server with a copy of everything, a password file, half a dump. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { manifestName } from '../backup/manifest.ts';
import { containerName, removeContainer } from '../postgres/docker.ts';
import { socketFile } from '../postgres/scratch.ts';
import { containerFile } from '../postgres/scratch-docker.ts';
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

/**
 * Ends the scratch server or its container, removes its folders, and the dump too where it was never finished.
 * @throws UpgradeError `scratch-container`, `program-missing`
 */
export async function cleanBackupWork(detail: unknown): Promise<void> {
  const { work, dump } = detail as BackupWork;
  const scratch = join(work, 'scratch');
  const left = async (name: string): Promise<string> =>
    (await readFile(join(scratch, name), 'utf8').catch(() => '')).trim();
  // The folder belongs to the server's user: what its files say is obeyed only in the form that we write.
  const container = await left(containerFile);
  if (containerName.test(container)) await removeContainer(container);
  const pid = await serverPid(join(scratch, 'data'));
  // SIGQUIT is the immediate shutdown of a postmaster (documentation, "Shutting Down the Server").
  if (pid !== null) process.kill(pid, 'SIGQUIT');
  const socket = await left(socketFile);
  if ([tmpdir(), '/tmp'].includes(dirname(socket)) && /^pgu-[A-Za-z0-9]{6}$/.test(basename(socket)))
    await rm(socket, { recursive: true, force: true }).catch(() => {});
  await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  if (!existsSync(join(dump, manifestName))) await rm(dump, { recursive: true, force: true });
}
