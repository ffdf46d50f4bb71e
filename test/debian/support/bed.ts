/** A real Debian 12 with PostgreSQL 15 that has a minor upgrade before it: `scripts/debian-root`, and who lives there. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { until } from '../../support/targets.ts';
import { type BedFiles, writeBedFiles } from './bed-files.ts';

export const script = join(import.meta.dirname, '../../../scripts/debian-root');

export type Supervisor = 'pg_ctlcluster' | 'systemd';

/** What a program in the bed ended with. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Bed extends AsyncDisposable {
  supervisor: Supervisor;
  /** `15.18` and `15.20`, for example: what is installed, and what Debian's archives have. */
  versions: { old: string; new: string };
  /** Versions of the package postgresql-15: `15.18-0+deb12u1`, for example. */
  packages: { old: string; new: string };
  /** Its root folder as this machine sees it, for reading files and planting faults. */
  root: string;
  /** `deploy`, who may do everything with sudo and without a password. */
  ssh: { host: string; port: number; key: string; knownHosts: string };
  /** A superuser with a password, over 127.0.0.1; the database is `shop`. */
  postgres: { port: number; url: string };
  /** `storefront start | stop` as root; not started. Also the unit `storefront` where there is systemd. */
  application: {
    health: string;
    /** File in `root` with a line `number time` for each order that the server acknowledged (table orders). */
    acknowledged: string;
  };
  /** Runs a program as root in there. */
  run(...argv: string[]): Promise<Ran>;
}

/** Environment of what is run in there: a login of root. */
const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** Runs a program, whatever it ends with; `input` is its standard input. */
function ran(argv: readonly string[], input = ''): Promise<Ran> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env: environment, maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, stdout, stderr });
        else if (error?.signal) resolve({ code: 255, stdout, stderr: `${stderr}ended by ${error.signal}` });
        else reject(error);
      },
    );
    // Whoever reads nothing may have closed it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Folder of the cached root: what the set-up of the tests found, or what the script says. */
async function cachedRoot(): Promise<string> {
  return process.env.DEBIAN_ROOT ?? (await promisify(execFile)(script, ['fetch'])).stdout.trim();
}

/** Process id of the bed's init as this machine sees it. @throws Error with what the script said where it ended */
async function bootedInit(serving: ChildProcess, said: readonly string[]): Promise<number> {
  if (!serving.stdout) throw new Error('no standard output');
  const id = await Promise.race([
    once(createInterface(serving.stdout), 'line').then(([line]) => Number(line)),
    once(serving, 'exit').then(() => null),
  ]);
  if (id === null) throw new Error(`scripts/debian-root: ${said.join('\n')}`);
  return id;
}

/** What the superuser is given to do first. */
function sql(files: BedFiles): string {
  return `\\set ON_ERROR_STOP on
CREATE ROLE upgrader SUPERUSER LOGIN PASSWORD '${files.passwords.upgrader}';
CREATE ROLE storefront LOGIN PASSWORD '${files.passwords.storefront}';
CREATE DATABASE shop OWNER storefront;
\\connect shop
SET ROLE storefront;
CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE writes (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
`;
}

/**
 * Boots a fresh Debian. It ends with this process, or when it is disposed of.
 * @throws Error that says what is missing on this machine
 */
export async function startBed({ supervisor }: { supervisor: Supervisor }): Promise<Bed> {
  const cached = await cachedRoot();
  const [oldPackage = '', newPackage = ''] = (await readFile(join(cached, 'packages'), 'utf8'))
    .trim()
    .split(' ');
  const minor = (version: string): string => version.split('-')[0] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'bed-'));
  let serving: ChildProcess | undefined;
  const dispose = async (): Promise<void> => {
    if (serving && serving.exitCode === null && serving.signalCode === null) {
      const ended = once(serving, 'exit');
      serving.stdin?.end();
      const timer = setTimeout(() => serving?.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(timer);
    }
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const password = (): string => randomBytes(18).toString('base64url');
    const files = await writeBedFiles(folder, { upgrader: password(), storefront: password() });
    const { ports } = files;
    const said: string[] = [];
    serving = spawn(script, ['serve', cached, supervisor, folder, `${ports.postgres}`], { stdio: 'pipe' });
    if (serving.stderr) createInterface(serving.stderr).on('line', (line) => said.push(line));
    const init = await bootedInit(serving, said);
    const root = `/proc/${init}/root`;
    const spaces = ['--mount', '--pid', '--uts', '--ipc', ...(supervisor === 'systemd' ? ['--cgroup'] : [])];
    const inside = ['nsenter', '--target', `${init}`, ...spaces, '--'];
    const run = (...argv: string[]): Promise<Ran> => ran([...inside, ...argv]);

    // Until then its root is still this machine's.
    const hostname = (): Promise<string> => readFile(join(root, 'etc/hostname'), 'utf8').catch(() => '');
    await until(hostname, (name) => name === 'bed\n', 10);
    if (supervisor === 'systemd') {
      const state = await until(
        () => run('systemctl', 'is-system-running', '--wait'),
        ({ stdout }) => /^(running|degraded)/.test(stdout),
      );
      if (state.stdout !== 'running\n')
        throw new Error(`systemd is ${state.stdout}${(await run('systemctl', '--failed')).stdout}`);
    } else {
      // pg_ctlcluster goes on looking for seconds after the server has answered first.
      await until(
        () => run('test', '-e', '/run/booted'),
        ({ code }) => code === 0,
      );
    }
    const psql = ['runuser', '-u', 'postgres', '--', 'psql', '-Xqd', 'postgres', '-p', `${ports.postgres}`];
    await until(
      () => run(...psql, '-c', 'SELECT 1'),
      ({ code }) => code === 0,
    );
    const made = await ran([...inside, ...psql], sql(files));
    if (made.code !== 0) throw new Error(`The bed's databases could not be made: ${made.stderr}`);
    await until(
      () => run('bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${ports.ssh}`),
      ({ code }) => code === 0,
    );
    return {
      supervisor,
      versions: { old: minor(oldPackage), new: minor(newPackage) },
      packages: { old: oldPackage, new: newPackage },
      root,
      ssh: { host: 'deploy@127.0.0.1', port: ports.ssh, key: files.key, knownHosts: files.knownHosts },
      postgres: {
        port: ports.postgres,
        url: `postgresql://upgrader:${files.passwords.upgrader}@127.0.0.1:${ports.postgres}/shop`,
      },
      application: {
        health: `http://127.0.0.1:${ports.health}/health`,
        acknowledged: '/var/lib/storefront/acknowledged',
      },
      run,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}
