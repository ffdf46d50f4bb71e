/**
 * What a shell on a host is sent, and what it answers. Pure.
 *
 * The text goes to `sh -s` on its standard input: nothing of it is seen in a list of processes, nothing has to pass a
 * login shell of unknown kind, and no argument is too long. A mark that nobody can guess stands before the output and
 * behind it. So noise of a login (banners, an `echo` in .bashrc) is told from output, an exit code of the program from
 * one of ssh or sudo, and an answer that was cut by a lost connection from a whole one.
 */
import { quote, quoteAll } from './quote.ts';

/** PATH of everything that runs on a host (Debian's for root, without /usr/local: what runs is the packages'). */
export const hostPath = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts a shell with a clean environment. @param seconds after which it and its children are ended; null for never */
export function shellProgram(seconds: number | null): [string, ...string[]] {
  const limit = seconds === null ? [] : ['timeout', '--kill-after=3', String(seconds)];
  return ['/usr/bin/env', '-i', 'LC_ALL=C', `PATH=${hostPath}`, ...limit, '/bin/sh', '-s'];
}

/** What is to be done there: a program, or a script of our own whose data are its arguments. */
export type ShellWork =
  | { argv: readonly [string, ...string[]]; input?: string | undefined }
  | { text: string; args: readonly string[]; input?: string | undefined };

/** The text to send. @param mark letters and digits that are in no output */
export function shellText(mark: string, work: ShellWork): string {
  const input = work.input === undefined ? '' : `printf %s ${quote(work.input)} | `;
  const body = 'argv' in work ? programBody(mark, work.argv) : scriptBody(work.text, work.args);
  return `{ umask 022; cd /; echo ${mark}; echo ${mark} >&2; }
${body.before}${input}(
${body.inside}
)${input ? '' : ' </dev/null'}
echo "${mark} $?" >&2
exit 0
`;
}

function programBody(mark: string, argv: readonly [string, ...string[]]): { before: string; inside: string } {
  const [program] = argv;
  if (program.startsWith('-')) throw new Error(`${program} is no name of a program`);
  return {
    before: `command -v ${quote(program)} >/dev/null || { echo "${mark} missing" >&2; exit 0; }\n`,
    // exec: never a command of the shell itself, which may differ from the program of that name.
    inside: `exec ${quoteAll(argv)}`,
  };
}

function scriptBody(text: string, args: readonly string[]): { before: string; inside: string } {
  return { before: '', inside: `set -- ${quoteAll(args)}\n${text}` };
}

/** How a shell answered. */
export type ShellAnswer =
  | { state: 'ended'; code: number; stdout: string; stderr: string }
  | { state: 'missing' }
  /** It began, and its end was not seen. */
  | { state: 'cut'; stderr: string }
  /** No shell of ours ever ran: what stood before it said why. */
  | { state: 'refused'; code: number; said: string };

/** Reads what came back. @param finished the exit code is that of ssh, sudo or the shell */
export function shellAnswer(
  mark: string,
  finished: { code: number; stdout: string; stderr: string },
): ShellAnswer {
  const { code, stdout, stderr } = finished;
  const began = stdout.indexOf(`${mark}\n`);
  if (began < 0) return { state: 'refused', code, said: `${stdout.slice(-4096)}\n${stderr}` };
  const noise = stderr.indexOf(`${mark}\n`);
  const from = noise < 0 ? 0 : noise + mark.length + 1;
  const end = stderr.lastIndexOf(`${mark} `);
  if (end < 0) {
    // 255 is ssh's own, 128 one that was killed. Another code: the shell could not read a script of ours.
    const cut = code === 255 || code === 128;
    const said = stderr.slice(from);
    if (cut) return { state: 'cut', stderr: said };
    return { state: 'ended', code, stdout: stdout.slice(began + mark.length + 1), stderr: said };
  }
  const word = stderr.slice(end + mark.length + 1).split('\n', 1)[0] ?? '';
  if (word === 'missing') return { state: 'missing' };
  return {
    state: 'ended',
    code: Number(word),
    stdout: stdout.slice(began + mark.length + 1),
    stderr: stderr.slice(from, end),
  };
}
