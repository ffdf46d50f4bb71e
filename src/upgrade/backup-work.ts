/** What a backup leaves when its run is killed: a scratch server with a copy of everything, a password file, half a dump. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { containerName, removeContainer } from '../postgres/docker.ts';
import { socketFile } from '../postgres/scratch.ts';
import { containerFile } from '../postgres/scratch-docker.ts';
import { serverPid } from '../postgres/server.ts';
import type { Journal } from './journal.ts';

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
 * A rehearsal switches nothing off: its journal can hold no more than what a backup leaves.
 * @throws UpgradeError `journal-corrupt`
 */
export function assertOnlyWork(journal: Journal): void {
  const foreign = journal.state().outstanding.find(({ id }) => id !== backupWork);
  if (foreign) throw corrupt(`it tells of "${foreign.id}", which no rehearsal does`);
}

function corrupt(what: string): UpgradeError {
  return new UpgradeError('journal-corrupt', `The journal cannot be gone by: ${what}.`, {
    phase: 'inspect',
    hint: 'Look at its last lines and at the target, then move it away. docs/modes.md says what it holds.',
  });
}

/** As backups and the folders beside them are named: a time at the end. */
const stamped = /-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;

/** What is removed must be ours: a journal is a file, and somebody may have written into it. */
function readWork(detail: unknown): BackupWork {
  const { work, dump } = detail as Partial<BackupWork>;
  if (typeof work !== 'string' || typeof dump !== 'string') throw corrupt('it names no folders');
  const ours =
    isAbsolute(work) &&
    dirname(work) === dirname(dump) &&
    stamped.test(basename(dump)) &&
    basename(work).startsWith('work-') &&
    stamped.test(basename(work)) &&
    !`${work}/`.includes('/../');
  if (!ours) throw corrupt(`${work} and ${dump} are no folders of a backup`);
  return { work, dump };
}

/**
 * Ends the scratch server or its container, removes its folders, and the dump, which nobody has proved.
 * @throws UpgradeError `scratch-container`, `program-missing`, `journal-corrupt`
 */
export async function cleanBackupWork(detail: unknown): Promise<void> {
  const { work, dump } = readWork(detail);
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
  // Also one that looks finished: nobody has proved it.
  await rm(dump, { recursive: true, force: true });
}
