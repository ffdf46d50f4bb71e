/** What is the same for every host: programs and files by way of a shell there. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { UpgradeError } from '../errors.ts';
import type { Host, HostOptions, ProgramAnswer } from './host.ts';
import { ConnectionLost, patiently } from './patience.ts';
import { lastLines, run } from './run.ts';
import { type ShellWork, shellAnswer, shellText } from './shell-text.ts';
import { neverSent } from './ssh-errors.ts';

/** The way to a shell of root on a host. */
export interface ShellWay {
  name: string;
  remote: boolean;
  /** How it becomes root. */
  become: 'sudo' | null;
  /** Makes sure that it is open. @throws UpgradeError, ConnectionLost where it was open before */
  open(signal?: AbortSignal): Promise<void>;
  /** Whether the connection is still there, asked where an answer was cut. */
  alive(): Promise<boolean>;
  /** The program whose standard input a shell on the host reads. @param seconds after which it is ended there; null for never */
  shell(seconds: number | null): [string, ...string[]];
  /** User that programs are started by before they become root, for people. */
  user(): string;
  /** Told while it cannot be reached, and when something went on behind everybody's back. */
  progress(text: string): void;
  warn(text: string): void;
}

/** Letters and digits that nobody can guess. */
export function newMark(): string {
  return `m${randomBytes(12).toString('hex')}`;
}

const minute = 60_000;

/** Does a piece of work on a host. @throws see `Host.run` */
export function ask(way: ShellWay, work: ShellWork, options: HostOptions = {}): Promise<ProgramAnswer> {
  const { timeout = minute, signal, repeatable = true, progress = way.progress } = options;
  return patiently({ name: way.name, signal, repeatable, progress }, async () => {
    await way.open(signal);
    const mark = newMark();
    // Whoever gives up here does not leave it running there.
    const finished = await run(way.shell(Math.ceil(timeout / 1000) + 2), {
      stdin: Readable.from([shellText(mark, work)]),
      timeout,
      signal,
      ownSession: true,
    }).catch((cause: unknown) => {
      throw cause instanceof UpgradeError && cause.code === 'program-timeout'
        ? late(way, work, timeout, (cause.hint ?? '').replaceAll(mark, '').trim())
        : cause;
    });
    const answer = shellAnswer(mark, finished);
    switch (answer.state) {
      case 'ended':
        return { code: answer.code, stdout: answer.stdout, stderr: answer.stderr };
      case 'missing':
        throw new UpgradeError(
          'program-missing',
          `${'argv' in work ? work.argv[0] : 'sh'} is not there on ${way.name}, or may not be executed.`,
          { hint: 'Install it there.' },
        );
      case 'cut':
        throw await cut(way, answer.stderr);
      case 'refused':
        throw await refusal(way, answer.code, answer.said);
    }
  });
}

function late(way: ShellWay, work: ShellWork, timeout: number, said: string): UpgradeError {
  const what = 'argv' in work ? work.argv[0] : 'A script';
  return new UpgradeError(
    'program-timeout',
    `${what} did not finish on ${way.name} within ${timeout} ms. It was ended there.`,
    { hint: said || 'It printed nothing.' },
  );
}

/** Why an answer that began has no end: the connection, or the shell there was killed. */
export async function cut(way: ShellWay, said: string): Promise<Error> {
  if (way.remote && !(await way.alive())) return new ConnectionLost(lastLines(said), true);
  return new UpgradeError('host-killed', `What ran on ${way.name} was killed before its end.`, {
    hint: `${lastLines(said) || 'It had printed nothing.'}\nWas the memory of that machine full? Look at its log: dmesg.`,
  });
}

/** What it means that no shell came. */
export async function refusal(way: ShellWay, code: number, said: string): Promise<Error> {
  if (way.remote && /Session open refused by peer|open failed: administratively prohibited/.test(said)) {
    // One that is about to end takes nothing new either.
    if (!(await way.alive())) return new ConnectionLost(lastLines(said), false);
    return new UpgradeError('ssh-connect', `${way.name} refuses another session on the connection.`, {
      hint: 'The server allows too few: MaxSessions in its sshd_config must be 5 or more (10 is the default).',
    });
  }
  const sent = !neverSent.test(said);
  if (way.remote && (code === 255 || code === 128)) return new ConnectionLost(lastLines(said), sent);
  const user = way.user();
  if (way.become === 'sudo') {
    return new UpgradeError(
      'become',
      `${user} cannot become root on ${way.name} with sudo and without a password.`,
      {
        hint: `${lastLines(said)}\nAs root there: echo '${user} ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/postgres-upgrade; chmod 440 /etc/sudoers.d/postgres-upgrade; visudo --check. It takes no less: whoever installs packages is root.`,
      },
    );
  }
  return new UpgradeError('become', `No shell could be started on ${way.name} as ${user}.`, {
    hint: `${lastLines(said) || 'It said nothing.'}\nThe user needs a login shell and /usr/bin/env there.`,
  });
}

/** `run`, `script` and `read` of a host. */
export function shellHost(way: ShellWay): Pick<Host, 'name' | 'remote' | 'run' | 'script' | 'read'> {
  return {
    name: way.name,
    remote: way.remote,
    run: (argv, options = {}) => ask(way, { argv, input: options.input }, options),
    script: (text, args = [], options = {}) => ask(way, { text, args, input: options.input }, options),
    async read(path) {
      const text = '[ -e "$1" ] || [ -L "$1" ] || exit 66\nexec cat -- "$1"';
      const { code, stdout, stderr } = await ask(way, { text, args: [path] });
      if (code === 66) return null;
      if (code === 0) return stdout;
      throw new UpgradeError('host-file', `${path} on ${way.name} cannot be read.`, {
        hint: lastLines(stderr),
      });
    },
  };
}
