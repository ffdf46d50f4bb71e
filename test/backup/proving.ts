/** What the tests of a backup share: a dump with usual options, and its proof in a scratch server. */
import { chmod, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dump, type DumpOptions, takeDump } from '../../src/backup/dump.ts';
import { type ProveOptions, proveDump } from '../../src/backup/prove.ts';
import { findClients } from '../../src/postgres/clients.ts';
import { startScratch } from '../../src/postgres/scratch.ts';
import { removeFolder } from '../../src/postgres/server.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';
import { scratchUser } from '../../src/process/user.ts';
import type { ProofRecord } from '../../src/report/record.ts';
import { binariesOf } from '../support/servers.ts';
import { processesWith } from '../support/targets.ts';

/** A folder that the scratch server's user may pass through, as the backup folder of a target is. */
export interface Place extends AsyncDisposable {
  folder: string;
}

export async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'pgu-backup-'));
  await chmod(folder, 0o711);
  return { folder, [Symbol.asyncDispose]: () => removeFolder(folder) };
}

let count = 0;

/** Dumps into a new folder below `base`. */
export async function dumpOf(
  settings: ConnectionSettings,
  base: string,
  options: Partial<DumpOptions> = {},
): Promise<Dump> {
  count += 1;
  return await takeDump({
    settings,
    clients: await findClients(15),
    folder: join(base, `dump-${count}`),
    target: 'sample',
    jobs: 2,
    compress: 1,
    keepDays: 14,
    signal: new AbortController().signal,
    progress: () => {},
    ...options,
  });
}

export interface Proving extends Partial<ProveOptions> {
  /** Of the scratch server. */
  version?: string;
}

/** Proves a dump in a scratch server beside it. */
export async function proofOf(dump: Dump, options: Proving = {}): Promise<ProofRecord> {
  const { version = '15.18', ...rest } = options;
  const signal = options.signal ?? new AbortController().signal;
  return await proveDump(dump, {
    method: 'restore',
    clients: await findClients(15),
    jobs: 2,
    scratchFolder: `${dump.folder}-scratch`,
    scratch: async (wanted) => startScratch(await binariesOf(version), wanted, await scratchUser(), signal),
    signal,
    progress: () => {},
    note: () => {},
    ...rest,
  });
}

/** Scratch folders and processes that a proof should have taken away. */
export async function leftBehind(base: string): Promise<{ folders: string[]; processes: string[] }> {
  return {
    folders: (await readdir(base)).filter((name) => name.includes('scratch')),
    processes: await processesWith(base),
  };
}
