/** This machine as a host. */

import { userInfo } from 'node:os';
import { attend } from './attend.ts';
import type { Host } from './host.ts';
import { download } from './host-download.ts';
import { locksOf } from './host-lock.ts';
import type { Log } from './log.ts';
import { type ShellWay, shellHost } from './shell-host.ts';
import { shellProgram } from './shell-text.ts';
import { areWeRoot } from './user.ts';

/**
 * @param become how to become root where we are not; null where we are, or cannot: then programs run as ourselves
 * @param log told where a lock was lost
 */
export function localHost(become: 'sudo' | null, log?: Log): Host {
  const needed = areWeRoot() ? null : become;
  const way: ShellWay = {
    name: 'this machine',
    remote: false,
    become: needed,
    async open() {},
    alive: async () => true,
    shell: (seconds) => (needed ? ['sudo', '-n', '--', ...shellProgram(seconds)] : shellProgram(seconds)),
    user: () => userInfo().username,
    progress: (text) => log?.progress(text),
    warn: (text) => log?.annotate({ level: 'warning', title: 'Lock lost', message: text }),
  };
  const locks = locksOf(way);
  return {
    ...shellHost(way),
    download: (path, to, signal) => download(way, path, to, signal),
    reach: async (host, port) => ({ host, port }),
    hold: (path, who) => locks.hold(path, who),
    opened: () => 0,
    attend: (text, args, signal) => attend(way, text, args, signal),
    async reachSocket() {
      throw new Error('a socket of this machine is reached by its path');
    },
    async close() {
      locks.close();
    },
  };
}
