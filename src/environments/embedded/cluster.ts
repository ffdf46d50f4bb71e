/** What the data directory and the process table say about a cluster, without asking the server. */
import { existsSync } from 'node:fs';
import { open, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UpgradeError } from '../../errors.ts';
import { type Binaries, binariesIn } from '../../postgres/binaries.ts';
import { serverPid } from '../../postgres/server.ts';
import { type SystemUser, userForOwner } from '../../process/user.ts';

/** One cluster as its files and process show it. */
export interface Cluster {
  data: string;
  user: SystemUser | null;
  major: number;
  pid: number | null;
  /** Programs that run it, or that ran it last. */
  binaries: Binaries;
  /** Arguments of `postgres`, without program and data directory. */
  args: string[];
  /** How the kernel ranks it when memory runs out; null where it does not run. */
  oomScoreAdj: number | null;
  /** File that its standard error goes to; null where that is no file. */
  log: string | null;
  /** From pg_control: whether the last stop was a clean one. Meaningless while it runs. */
  stoppedCleanly: boolean;
}

/**
 * Reads postmaster.opts: the program and each argument in double quotes, written by every start
 * (src/backend/postmaster/postmaster.c, CreateOptsFile). `-D` and its value are dropped.
 */
export function readStartOptions(text: string): { program: string; args: string[] } {
  const line = text.replace(/\n$/, '');
  const program = /^(.*?)(?= "|$)/s.exec(line)?.[1] ?? '';
  // Quotes inside an argument are written as they are: only what stands between two arguments divides them.
  const quoted = line.length > program.length ? line.slice(program.length + 2, -1).split('" "') : [];
  const args: string[] = [];
  for (let index = 0; index < quoted.length; index += 1) {
    const argument = quoted[index] ?? '';
    if (argument === '-D') index += 1;
    else if (!argument.startsWith('-D')) args.push(argument);
  }
  return { program, args };
}

/** The data directory as the last start spelled it, symbolic links and all; null where it was not given by `-D`. */
export function startedWith(text: string): string | null {
  return / "-D" "([^"]*)"/.exec(text)?.[1] ?? / "-D([^"]+)"/.exec(text)?.[1] ?? null;
}

/** The value of `-p`, `--port=` or `-c port=` among a server's arguments. */
export function portIn(args: readonly string[]): number | null {
  let port: number | null = null;
  args.forEach((argument, index) => {
    const value =
      argument === '-p' ? args[index + 1] : /^(?:-p|--port=|(?:-c)?port=)(\d+)$/.exec(argument)?.[1];
    if (value && /^\d+$/.test(value)) port = Number(value);
  });
  return port;
}

/** DBState of pg_control (src/include/catalog/pg_control.h): 1 shut down, 2 shut down in recovery. Byte 16, 32 bits. */
async function stoppedCleanly(data: string): Promise<boolean> {
  const file = await open(join(data, 'global', 'pg_control'), 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 16);
    return [1, 2].includes(buffer.readUInt32LE(0));
  } finally {
    await file.close();
  }
}

/** The regular file behind a process's standard error, from /proc. */
async function logOf(pid: number): Promise<string | null> {
  const path = await readlink(`/proc/${pid}/fd/2`).catch(() => '');
  return path.startsWith('/') && !path.startsWith('/dev/') && existsSync(path) ? path : null;
}

async function oomScoreOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/oom_score_adj`, 'utf8').catch(() => '');
  return text === '' ? null : Number(text);
}

/** Variables that belong to whoever started the old server, not to the server. */
const foreign =
  /^(RUNNER_|ACTIONS_|GITHUB_|INPUT_|STATE_|LD_LIBRARY_PATH$|PG_GRANDPARENT_PID$|PWD$|OLDPWD$|SHLVL$|_$)/;

/**
 * The environment that a server was started with: an archive_command may live by its variables. Holds secrets at
 * times: it is handed on in memory and written nowhere. Empty where it cannot be read.
 */
export async function environmentOf(pid: number | null): Promise<Record<string, string>> {
  if (pid === null) return {};
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return Object.fromEntries(
    text
      .split('\0')
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const)
      .filter(([name]) => name !== '' && !foreign.test(name)),
  );
}

/** @throws UpgradeError `data-missing`, `data-unreadable`, `server-user`, `binaries-lost` */
export async function readCluster(data: string): Promise<Cluster> {
  const facts = await stat(data).catch(() => null);
  if (!facts?.isDirectory()) {
    throw new UpgradeError('data-missing', `There is no data directory ${data}.`, {
      phase: 'inspect',
      hint: 'Check environment.data in the spec, and that this job runs on the machine of the database.',
    });
  }
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UpgradeError(
      'data-unreadable',
      `${data} cannot be read as a PostgreSQL data directory: ${cause.message}.`,
      {
        phase: 'inspect',
        hint:
          cause.code === 'EACCES'
            ? 'Run the runner as the user that owns it, or as root.'
            : 'Check environment.data in the spec.',
        cause,
      },
    );
  });
  const pid = await serverPid(data);
  const written = await readFile(join(data, 'postmaster.opts'), 'utf8').catch(() => '');
  const options = readStartOptions(written);
  const program =
    pid === null ? options.program : await readlink(`/proc/${pid}/exe`).catch(() => options.program);
  const binaries = program
    ? await binariesIn(dirname(program.replace(/ \(deleted\)$/, '')), 'running before')
    : null;
  if (!binaries) {
    throw new UpgradeError(
      'binaries-lost',
      `The programs that ${pid === null ? 'ran' : 'run'} ${data} are not there any more${program ? ` (${program})` : ''}.`,
      {
        phase: 'inspect',
        hint: 'They are the way back: restore them, or start the cluster once with programs that stay.',
        docs: 'embedded.md#binaries',
      },
    );
  }
  const real = await realpath(data);
  const spelled = startedWith(written);
  return {
    // In the words of the last start: the server reports its data directory so, before and after.
    data: spelled && (await realpath(spelled).catch(() => '')) === real ? spelled : real,
    user: await userForOwner(facts.uid),
    major: Number.parseInt(version, 10),
    pid,
    binaries,
    args: options.args,
    oomScoreAdj: pid === null ? null : await oomScoreOf(pid),
    log: pid === null ? null : await logOf(pid),
    stoppedCleanly: await stoppedCleanly(data),
  };
}
