/** What of a bed would outlast it on this machine. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';

/** By what a bed is known, as long as it lives. */
export interface Traces {
  /** Its namespace of processes. */
  namespace: string;
  /** Process id of the script that ends it. */
  watcher: number;
  /** Names of its control groups; none without systemd. */
  groups: string[];
}

const parentOf = async (id: number): Promise<number> =>
  Number(/^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${id}/status`, 'utf8'))?.[1]);

/** @param root folder of a bed that runs */
export async function tracesOf(root: string): Promise<Traces> {
  const init = Number(root.split('/')[2]);
  const group = /^0::\/.*?(postgres-upgrade-action-bed\.\d+)/m.exec(
    await readFile(`/proc/${init}/cgroup`, 'utf8'),
  );
  return {
    namespace: await readlink(`/proc/${init}/ns/pid`),
    // Between them: unshare.
    watcher: await parentOf(await parentOf(init)),
    groups: group?.[1] ? [group[1]] : [],
  };
}

/** Processes in its namespace, and the one that looks after it: number and command line. */
async function processes({ namespace, watcher }: Traces): Promise<string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string): Promise<string> => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
    // One that has ended, and whose parent has not asked yet, holds nothing.
    if (!/^State:\s+[^ZX]/m.test(await read('status'))) continue;
    const itsOwn = await readlink(`/proc/${id}/ns/pid`).catch(() => null);
    if (itsOwn === namespace || Number(id) === watcher)
      found.push(`${id} ${(await read('cmdline')).replaceAll('\0', ' ')}`);
  }
  return found;
}

/** Folders of control groups that have one of these names, where this machine shows any. */
function groupFolders(names: readonly string[]): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(
      'find',
      ['/sys/fs/cgroup', '-name', 'postgres-upgrade-action-bed.*', '-prune'],
      (_error, stdout) => resolve(stdout.split('\n').filter((path) => names.includes(basename(path)))),
    );
  });
}

/** Processes and control groups of the bed, and mounts that this machine sees of any. */
export async function leftOvers(traces: Traces): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return [
    ...mounts.filter((line) => line.includes('debian-root')),
    ...(await groupFolders(traces.groups)),
    ...(await processes(traces)),
  ];
}

/** Whether somebody answers on a port of loopback. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
