/** A machine behind the system's ssh. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { attend } from './attend.ts';
import type { Host } from './host.ts';
import { download } from './host-download.ts';
import { locksOf } from './host-lock.ts';
import type { Log } from './log.ts';
import { ConnectionLost, patiently } from './patience.ts';
import { quoteAll } from './quote.ts';
import { listen, type Tunnel } from './reach.ts';
import { type ShellWay, shellHost } from './shell-host.ts';
import { shellProgram } from './shell-text.ts';
import { type SshFiles, writeSshFiles } from './ssh-files.ts';
import { connect, type Master } from './ssh-master.ts';
import { checkHost, commandThrough, portThrough } from './ssh-options.ts';

/** How to get there. */
export interface SshOptions {
  /** `user@host`, or `host`. */
  host: string;
  port?: number | undefined;
  /** Text of a private key; the agent, or the user's own keys, without it. */
  key?: string | undefined;
  /** Lines of a known_hosts file; the user's own without them. */
  knownHosts?: string | undefined;
  become: 'sudo' | null;
  log: Log;
}

/** A connection that is made when it is needed, one at a time, and again where it was lost. */
function connectionTo(options: SshOptions): {
  open(signal?: AbortSignal): Promise<Master>;
  opened(): number;
  close(): Promise<void>;
} {
  const { host, port, key, knownHosts } = options;
  const place = { host, port, ownKey: key !== undefined, ownKnownHosts: knownHosts !== undefined };
  let files: SshFiles | null = null;
  let master: Master | null = null;
  let opening: Promise<Master> | null = null;
  /** How often it was made. */
  let times = 0;
  let closed = false;

  const make = async (): Promise<Master> => {
    checkHost(host);
    files ??= await writeSshFiles(key, knownHosts);
    try {
      const made = await connect(place, files);
      if (closed) made.close();
      master?.close();
      master = made;
      times += 1;
      return made;
    } catch (cause) {
      // It was there: a machine that restarts refuses connections and logins for a while. Another key is no matter of time.
      const passing = cause instanceof UpgradeError && ['ssh-connect', 'ssh-login'].includes(cause.code);
      if (times > 0 && passing) throw new ConnectionLost(`${messageOf(cause)} ${cause.hint ?? ''}`, false);
      throw cause;
    }
  };
  return {
    opened: () => times,
    async open(signal) {
      if (closed) throw new Error(`the connection to ${host} was closed before`);
      if (master && (await master.answers())) return master;
      opening ??= make().finally(() => {
        opening = null;
      });
      // One that is asked to stop does not take the connection from the others that wait for it.
      return orCancelled(opening, signal);
    },
    async close() {
      closed = true;
      await opening?.catch(() => {});
      master?.close();
      await files?.close();
    },
  };
}

async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(new Cancelled());
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Joins standard input and output with a Unix socket, whose path is the argument: ssh itself knows only TCP there. */
const socketScript = `use Socket;
socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($s, sockaddr_un($ARGV[0])) or die "open failed: $!";
sub all { my ($from, $to) = @_; my $b;
  while (sysread($from, $b, 65536)) { my $at = 0; while ($at < length $b) { $at += syswrite($to, $b, length($b) - $at, $at) or return } } }
my $child = fork;
if ($child == 0) { all(\\*STDIN, $s); shutdown($s, 1); exit }
all($s, \\*STDOUT); kill 'TERM', $child;`;

/** Connects on first use. */
export function sshHost(options: SshOptions): Host {
  const { host, become, log } = options;
  const name = options.port === undefined ? host : `${host}:${options.port}`;
  const connection = connectionTo(options);
  let last: Master | null = null;
  const rootAlready = (): boolean => last?.user === 'root';
  const way: ShellWay = {
    name,
    remote: true,
    become,
    async open(signal) {
      last = await connection.open(signal);
    },
    async alive() {
      // What goes through the connection may learn of its end before the connection's own process does: at the other
      // end the part that holds a session dies first, and the part that holds the connection follows.
      for (const end = Date.now() + 2000; Date.now() < end; await sleep(50))
        if (last?.alive() !== true) return false;
      return true;
    },
    shell(seconds) {
      const program = shellProgram(seconds);
      const words = become && !rootAlready() ? ['sudo', '-n', '--', ...program] : program;
      return commandThrough(last?.socket ?? 'none', host, `exec ${quoteAll(words)}`);
    },
    user: () => last?.user ?? host.replace(/@.*$/, ''),
    progress: (text) => log.progress(text),
    warn: (text) => log.annotate({ level: 'warning', title: 'Connection', message: text }),
  };
  const locks = locksOf(way);
  const tunnels = new Map<string, Promise<Tunnel>>();

  const tunnelTo = (to: { host: string; port: number }): Promise<Tunnel> =>
    listen(
      () =>
        patiently({ name, repeatable: true, progress: way.progress }, async () => {
          const { socket } = await connection.open();
          return portThrough(socket, host, to);
        }),
      (said) => way.warn(`${name} does not lead to ${to.host} port ${to.port}: ${said}`),
    );

  return {
    ...shellHost(way),
    download: (path, to, signal) => download(way, path, to, signal),
    hold: (path, who) => locks.hold(path, who),
    opened: () => connection.opened(),
    attend: (text, args, signal) => attend(way, text, args, signal),
    async reachSocket(path) {
      await way.open();
      const key = `socket ${path}`;
      const tunnel =
        tunnels.get(key) ??
        listen(
          () =>
            patiently({ name, repeatable: true, progress: way.progress }, async () => {
              const { socket } = await connection.open();
              const words = ['perl', '-e', socketScript, '--', path];
              const argv = become && !rootAlready() ? ['sudo', '-n', '--', ...words] : words;
              return commandThrough(socket, host, `exec ${quoteAll(argv)}`);
            }),
          (said) => way.warn(`${name} does not lead to the socket ${path}: ${said}`),
        );
      tunnels.set(key, tunnel);
      const { host: address, port: local } = await tunnel;
      return { host: address, port: local };
    },
    async reach(to, port) {
      // Whoever cannot get there learns it now, and why; a client of the port would only see it close.
      await way.open();
      const key = `${to} ${port}`;
      const tunnel = tunnels.get(key) ?? tunnelTo({ host: to, port });
      tunnels.set(key, tunnel);
      const { host: address, port: local } = await tunnel;
      return { host: address, port: local };
    },
    async close() {
      locks.close();
      for (const tunnel of tunnels.values()) (await tunnel).close();
      await connection.close();
    },
  };
}
