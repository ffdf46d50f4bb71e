/** The one place that starts programs that may take long: they obey an AbortSignal and a time limit. */
import { spawn } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Cancelled, UpgradeError } from '../errors.ts';
import { cleanEnvironment } from './environment.ts';
import type { SystemUser } from './user.ts';

/** How to run a program. */
interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds; none by default. */
  timeout?: number;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Another user, when we are root. */
  user?: SystemUser | null | undefined;
  /** Called for every finished line of standard error. */
  onLine?: (line: string) => void;
  /** Takes standard output instead of collecting it. */
  stdout?: Writable;
  /** Given to standard input; closed otherwise. */
  stdin?: Readable;
  /**
   * Output goes to a file that is read at the end: what the program leaves behind may go on writing, and would die of a
   * pipe that nobody holds.
   */
  leavesChildren?: boolean;
  /** Own session, so that Ctrl-C in a terminal does not reach a program which must not be interrupted. */
  shielded?: boolean;
  /** The same, for a program whose output is read to its end: it leaves no server behind. */
  ownSession?: boolean;
  /** Characters of standard output that are collected, at most; by default a quarter of what a text can hold. */
  most?: number;
}

/** What a program left; output beyond the last 64 KiB of standard error is gone. */
interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

const keep = 64 * 1024;
const mostByDefault = 128 * 1024 * 1024;

/**
 * Runs a program to its end; the exit code is the caller's to judge.
 * @param argv the program and its arguments: never a shell string, never a secret
 * @throws Cancelled when the signal fires, UpgradeError `program-missing`, `program-timeout`, `program-output`
 */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Finished> {
  const { signal } = options;
  if (signal?.aborted) throw new Cancelled();
  const [program, ...args] = argv;
  const user = options.user;
  const spool = options.leavesChildren ? await openSpool() : null;
  const child = spawn(program, args, {
    cwd: options.cwd ?? '/',
    env: cleanEnvironment(options.env),
    stdio: [options.stdin ? 'pipe' : 'ignore', spool?.fd ?? 'pipe', spool?.fd ?? 'pipe'],
    detached: options.shielded === true || options.ownSession === true,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });

  let timedOut = false;
  let tooMuch = false;
  const stop = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 3000).unref();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const timer = options.timeout
    ? setTimeout(() => {
        timedOut = true;
        stop();
      }, options.timeout)
    : undefined;

  let stdout = '';
  let stderr = '';
  let partial = '';
  const { onLine } = options;
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-keep);
    if (!onLine) return;
    const lines = (partial + chunk).split('\n');
    partial = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  if (options.stdout) child.stdout?.pipe(options.stdout);
  else
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (tooMuch) return;
      stdout += chunk;
      if (stdout.length <= (options.most ?? mostByDefault)) return;
      // It may be another machine that never stops talking.
      tooMuch = true;
      stdout = '';
      stop();
    });
  if (options.stdin && child.stdin) {
    // A program that ends before it has read everything breaks the pipe: its exit code tells.
    child.stdin.on('error', () => {});
    options.stdin.pipe(child.stdin);
  }

  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (cause: NodeJS.ErrnoException) => {
        // It became another user's process (sudo): it cannot be ended from here, so it is not waited for either.
        if (cause.syscall === 'kill') return resolve(128);
        const missing = cause.code === 'ENOENT' || cause.code === 'EACCES';
        reject(
          new UpgradeError('program-missing', `${program} could not be started: ${cause.message}`, {
            cause,
            ...(missing ? { hint: `Check that ${program} exists and may be executed by this user.` } : {}),
          }),
        );
      });
      // `exit`, not `close`: pg_ctl's server may keep the inherited output open for ever.
      child.once(options.shielded ? 'exit' : 'close', (exit: number | null, killedBy) =>
        resolve(exit ?? (killedBy ? 128 : 1)),
      );
    });
    if (signal?.aborted) throw new Cancelled();
    if (tooMuch) {
      throw new UpgradeError(
        'program-output',
        `${program} printed more than anybody can use. It was ended.`,
        {
          hint: lastLines(stderr) || 'Run it by hand and look what it prints.',
        },
      );
    }
    if (timedOut) {
      throw new UpgradeError('program-timeout', `${program} did not finish within ${options.timeout} ms.`, {
        hint: lastLines(stderr) || 'It printed nothing.',
      });
    }
    if (spool) stderr = await spool.read();
    return { code, stdout, stderr };
  } finally {
    await spool?.close();
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** A nameless file for the output of a program: it goes with the last process that holds it. */
async function openSpool(): Promise<{ fd: number; read(): Promise<string>; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'pgu-out-'));
  const file = await open(join(folder, 'out'), 'w+');
  await rm(folder, { recursive: true, force: true });
  return {
    fd: file.fd,
    async read() {
      const { size } = await file.stat();
      const length = Math.min(size, keep);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8', 0, bytesRead);
    },
    close: () => file.close(),
  };
}

/** The last lines of a program's output that say something, for error messages. */
export function lastLines(output: string, count = 5): string {
  return output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count)
    .join('\n');
}
