/** What ssh needs as files: a folder for its socket, the known hosts, the key. */
import { rmSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of one host, until `close`. */
export interface SshFiles {
  /** A name for a socket that is not there yet. */
  nextSocket(): string;
  keyFile: string | null;
  knownHostsFile: string | null;
  close(): Promise<void>;
  /** The same at once, for the end of the process. */
  closeNow(): void;
}

/**
 * A folder that only this user may enter. The name of a socket may have 104 bytes (sun_path, with what ssh appends while
 * it makes it), and ssh gives blanks, quotes and percent signs in names a meaning.
 */
function folderFor(): Promise<string> {
  const own = tmpdir();
  return mkdtemp(join(/^[\w./-]{1,60}$/.test(own) ? own : '/tmp', 'pgu-ssh-'));
}

/**
 * Writes them. The key's file is opened and removed before the key is in it: ssh reads it by way of this process's open
 * file (proc(5)), so that nothing is left of it, however this process ends.
 */
export async function writeSshFiles(
  key: string | undefined,
  knownHosts: string | undefined,
): Promise<SshFiles> {
  const folder = await folderFor();
  const text = (value: string): string => `${value.replaceAll('\r\n', '\n').trimEnd()}\n`;
  const closeNow = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', closeNow);
  let keyFile: string | null = null;
  let handle: Awaited<ReturnType<typeof open>> | null = null;
  if (key !== undefined) {
    const path = join(folder, 'key');
    handle = await open(path, 'wx+', 0o600);
    await rm(path);
    await handle.writeFile(text(key));
    keyFile = `/proc/${process.pid}/fd/${handle.fd}`;
  }
  let knownHostsFile: string | null = null;
  if (knownHosts !== undefined) {
    knownHostsFile = join(folder, 'known_hosts');
    await writeFile(knownHostsFile, text(knownHosts), { mode: 0o600, flag: 'wx' });
  }
  let sockets = 0;
  return {
    nextSocket: () => join(folder, `c${++sockets}`),
    keyFile,
    knownHostsFile,
    async close() {
      process.removeListener('exit', closeNow);
      await handle?.close();
      await rm(folder, { recursive: true, force: true });
    },
    closeNow,
  };
}
