/** Free and needed space: beside the job for the backup, on the machine of the cluster for everything else. */
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskFact } from '../../checks/check.ts';
import type { Host } from '../../process/host.ts';
import { disksScript } from './cluster-scripts.ts';
import type { DebianCluster } from './clusters.ts';
import { scratchBase } from './scratch.ts';

const mebibyte = 1024 ** 2;

interface Need {
  purpose: string;
  path: string;
  bytes: number;
}

/** @param copyBytes size of the databases where the backup is proved there too; null where it is not */
export async function hostDisks(
  host: Host,
  state: string,
  cluster: DebianCluster,
  copyBytes: number | null,
): Promise<DiskFact[]> {
  const need = (purpose: string, path: string, bytes: number): Need => ({ purpose, path, bytes });
  const needs = [
    need('saved packages', state, 400 * mebibyte),
    need('programs', '/usr/lib/postgresql', 150 * mebibyte),
    need("dpkg's database", '/var/lib/dpkg', 50 * mebibyte),
    need('data directory', cluster.data, 256 * mebibyte),
    need('WAL', `${cluster.data}/pg_wal`, 64 * mebibyte),
    ...(copyBytes === null
      ? []
      : [need('restored copy, for the proof', scratchBase, copyBytes + 512 * mebibyte)]),
    ...(cluster.log === null ? [] : [need("the server's log", dirname(cluster.log), 16 * mebibyte)]),
  ];
  const { stdout } = await host.script(
    disksScript,
    needs.map(({ path }) => path),
  );
  return stdout.split('\n').flatMap((line, index): DiskFact[] => {
    const [filesystem = '', blocks, size] = line.split('|');
    const here = needs[index];
    if (!here || filesystem === '') return [];
    return [
      {
        purpose: here.purpose,
        path: host.remote ? `${host.name}:${here.path}` : here.path,
        filesystem: host.remote ? `${host.name} ${filesystem}` : filesystem,
        freeBytes: Number(blocks) * Number(size),
        neededBytes: here.bytes,
      },
    ];
  });
}

/** The filesystem of the backups. */
export async function backupDisk(folder: string, databaseBytes: number): Promise<DiskFact> {
  let existing = folder;
  while ((await statfs(existing).catch(() => null)) === null) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return {
    purpose: 'backup and its proof',
    path: folder,
    filesystem: String((await stat(existing)).dev),
    freeBytes: bavail * bsize,
    // As for a cluster in a data directory: the dump is about a third of the database, the restored copy about as large.
    neededBytes: Math.ceil(databaseBytes * 1.8 + 768 * mebibyte),
  };
}
