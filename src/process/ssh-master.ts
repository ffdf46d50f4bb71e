/** The one connection to a host that everything goes through. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { UpgradeError } from '../errors.ts';
import { cleanEnvironment } from './environment.ts';
import { letGo } from './let-go.ts';
import { connectError, type SshPlace } from './ssh-errors.ts';
import type { SshFiles } from './ssh-files.ts';
import { masterCommand } from './ssh-options.ts';

/** A connection that stands. */
export interface Master {
  socket: string;
  /** Name of the user that it is logged in as. */
  user: string;
  alive(): boolean;
  /** Whether it takes new work at this moment: its process may be gone without our having been told. */
  answers(): Promise<boolean>;
  close(): void;
}

/** Printed by the host's shell: whatever a login prints before it is noise. */
const ready = 'postgres-upgrade-ready';

/** Milliseconds for connection, keys and login. */
const patience = 30_000;

/**
 * Connects. The process at the other end ends with its input, so it goes with ours, however ours ends; ssh itself ends
 * with it. It has a session of its own: Ctrl-C in a terminal must not cut the connection while work is undone.
 * @throws UpgradeError `ssh-connect`, `ssh-host-key`, `ssh-login`, `program-missing`
 */
export async function connect(place: SshPlace, files: SshFiles): Promise<Master> {
  const socket = files.nextSocket();
  const target = { ...place, keyFile: files.keyFile, knownHostsFile: files.knownHostsFile };
  // Words that every login shell reads in the same way.
  const [program, ...args] = masterCommand(target, socket, `echo ${ready}; id -un; exec cat >/dev/null`);
  const child = spawn(program, args, { env: cleanEnvironment(), cwd: '/', detached: true });
  let stderr = '';
  child.stdin.on('error', () => {});
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-16_384);
  });
  const end = (): void => {
    child.stdin.end();
    child.kill();
  };
  const timer = setTimeout(() => {
    stderr += `\nNothing came within ${patience / 1000} seconds.`;
    end();
  }, patience);
  try {
    const user = await userOf(child, () => stderr, place);
    process.once('exit', end);
    child.once('exit', () => process.removeListener('exit', end));
    letGo(child);
    const alive = (): boolean => child.exitCode === null && child.signalCode === null;
    return { socket, user, alive, answers: async () => alive() && (await listens(socket)), close: end };
  } catch (cause) {
    end();
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

function userOf(child: ChildProcess, stderr: () => string, place: SshPlace): Promise<string> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout = (stdout + chunk).slice(-65_536);
      const user = new RegExp(`^${ready}\r?\n([^\r\n]*)\r?\n`, 'm').exec(stdout)?.[1];
      if (user !== undefined) resolve(user);
    });
    child.once('error', (cause) =>
      reject(
        new UpgradeError('program-missing', `ssh could not be started: ${cause.message}`, {
          hint: 'Install it on the machine of the runner: apt-get install openssh-client.',
          cause,
        }),
      ),
    );
    child.once('close', (code) => {
      // ssh's own code is 255: with another one the login itself went well.
      if (code === 255 || code === null) return reject(connectError(stderr(), place));
      reject(
        new UpgradeError('ssh-login', `${place.host} lets the user in, and gives no shell.`, {
          hint: `${`${stdout}\n${stderr()}`.trim().split('\n').slice(-3).join('\n')}\nThe user needs a login shell there, and a key without a forced command.`,
        }),
      );
    });
  });
}

/** Whether somebody listens behind a socket's name. */
function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = createConnection(socket, () => {
      asking.destroy();
      resolve(true);
    });
    asking.on('error', () => resolve(false));
  });
}
