/** Starting, stopping and making servers with pg_ctl and initdb. */
import { mkdtemp, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import { giveTo, type SystemUser } from '../process/user.ts';
import type { Binaries } from './binaries.ts';

/** How to start a server. */
interface StartOptions {
  binaries: Binaries;
  data: string;
  /** Arguments of `postgres` itself, for example `['-p', '5432']`. */
  args: readonly string[];
  log: string;
  user: SystemUser | null;
  /** Added to the server's environment. */
  variables?: Readonly<Record<string, string>>;
  /** How the kernel ranks the server when memory runs out (/proc/PID/oom_score_adj); ours by default. */
  oomScoreAdj?: number;
  /** Seconds until pg_ctl gives up waiting. */
  wait?: number;
  /** Program and arguments that start pg_ctl in other circumstances, `unshare` for example. */
  prefix?: readonly string[];
}

/** pg_ctl hands its `-o` text to a shell: every argument is quoted for one. */
function shellQuote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

/**
 * Runs something whose children get this rank. GitHub's runner makes its jobs the kernel's first victims when memory
 * runs out (oom_score_adj 500); a database that a job started would inherit that.
 */
async function withOomScore<T>(score: number | undefined, work: () => Promise<T>): Promise<T> {
  if (score === undefined) return work();
  const file = '/proc/self/oom_score_adj';
  const own = await readFile(file, 'utf8').catch(() => null);
  await writeFile(file, String(score)).catch(() => {});
  try {
    return await work();
  } finally {
    if (own !== null) await writeFile(file, own.trim()).catch(() => {});
  }
}

/**
 * Starts a server and returns once it accepts connections.
 * @throws UpgradeError `server-start` with the last lines of the server's log
 */
export async function startServer(options: StartOptions): Promise<void> {
  const { binaries, data, log, user } = options;
  const program = join(binaries.bin, 'pg_ctl');
  const [first = program, ...others] = [...(options.prefix ?? []), program];
  const argv: [string, ...string[]] = [
    first,
    ...others,
    'start',
    '-D',
    data,
    '-w',
    '-t',
    String(options.wait ?? 300),
    '-l',
    log,
    '-o',
    options.args.map(shellQuote).join(' '),
  ];
  const { code, stderr } = await withOomScore(options.oomScoreAdj, () =>
    run(argv, { env: { ...options.variables, ...binaries.env }, user, shielded: true }),
  );
  if (code === 0) return;
  const logged = await readFile(log, 'utf8').catch(() => '');
  throw new UpgradeError('server-start', `PostgreSQL did not start from ${binaries.bin}.`, {
    phase: 'upgrade',
    hint: lastLines(logged, 6) || lastLines(stderr, 6),
  });
}

/**
 * Stops a server: `fast` ends sessions and writes a checkpoint, so that the next start needs no recovery.
 * A server that does not run is fine.
 * @throws UpgradeError `server-stop`
 */
export async function stopServer(
  binaries: Binaries,
  data: string,
  user: SystemUser | null,
  how: 'fast' | 'immediate' = 'fast',
  wait = 600,
): Promise<void> {
  const { code, stderr } = await run(
    [join(binaries.bin, 'pg_ctl'), 'stop', '-D', data, '-m', how, '-w', '-t', String(wait)],
    { env: binaries.env, user, shielded: true },
  );
  if (code === 0 || (await serverPid(data)) === null) return;
  throw new UpgradeError('server-stop', `PostgreSQL did not stop within ${wait} seconds.`, {
    phase: 'upgrade',
    hint: `${lastLines(stderr)}\nIt may be writing its last checkpoint or waiting for its archiver: look at the server log.`,
  });
}

/** The postmaster's process id where it is alive; null otherwise. From the first line of postmaster.pid. */
export async function serverPid(data: string): Promise<number | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  try {
    process.kill(pid, 0);
    // A dead one that nobody has waited for still has its number (proc(5): the state follows the name in brackets).
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (/\) Z /.test(stat)) return null;
    // After a reboot the number may be somebody else's: a postmaster works in its data directory.
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    return cwd === null || cwd === (await realpath(data)) ? pid : null;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM' ? pid : null;
  }
}

/** What a new cluster is like; UTF8 and locale C unless it says otherwise. */
interface InitOptions {
  binaries: Binaries;
  data: string;
  superuser: string;
  encoding?: string;
  locale?: string;
  checksums?: boolean;
  /** Of the superuser: every login then needs it (scram-sha-256). Without it nobody is asked for one. */
  password?: string;
  user: SystemUser | null;
}

/** Makes a new, empty cluster. @throws UpgradeError `initdb` */
export async function initCluster(options: InitOptions): Promise<void> {
  if (options.password === undefined) return initdb(options, ['-A', 'trust']);
  // A password on a command line could be seen by everybody on this machine.
  const file = `${options.data}.password`;
  await rm(file, { force: true });
  try {
    await writeFile(file, `${options.password}\n`, { mode: 0o600, flag: 'wx' });
    await giveTo(options.user, file);
    await initdb(options, ['-A', 'scram-sha-256', `--pwfile=${file}`]);
  } finally {
    await rm(file, { force: true });
  }
}

async function initdb(options: InitOptions, login: readonly string[]): Promise<void> {
  const { binaries, data, user } = options;
  const argv: [string, ...string[]] = [
    join(binaries.bin, 'initdb'),
    '-D',
    data,
    '-U',
    options.superuser,
    ...login,
    '-E',
    options.encoding ?? 'UTF8',
    `--locale=${options.locale ?? 'C'}`,
    '--no-sync',
    '--no-instructions',
  ];
  if (binaries.version.major < 14) argv.pop();
  if (options.checksums) argv.push('--data-checksums');
  const { code, stderr } = await run(argv, { env: binaries.env, user });
  if (code !== 0) {
    // A failing statement is shown with the password in it.
    throw new UpgradeError('initdb', `A cluster could not be made in ${data}.`, {
      hint: lastLines(options.password ? stderr.replaceAll(options.password, '***') : stderr),
    });
  }
}

/** A TCP port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A short-lived folder that the server's user owns; short, because a socket's path may have 107 bytes at most. */
export async function serverFolder(user: SystemUser | null, base = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(base.length > 60 ? '/tmp' : base, 'pgu-'));
  await giveTo(user, folder);
  return folder;
}

/** Appends settings to postgresql.conf. */
export async function configure(data: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await writeFile(join(data, 'postgresql.conf'), `\n${lines.join('\n')}\n`, { flag: 'a' });
}

/** Removes a folder with everything in it; fine where there is none. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
