/** A Docker daemon of the tests' own (`scripts/docker-host`), and an image of PostgreSQL 15.18 in it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { installPackage } from '../../src/postgres/install.ts';
import { freePort } from '../../src/postgres/server.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { until } from '../support/targets.ts';

const script = join(import.meta.dirname, '../../scripts/docker-host');

/** Folder of its programs. */
async function programs(): Promise<string> {
  const { stdout } = await promisify(execFile)(script, ['fetch']);
  return stdout.trim();
}

/** Asks the real Docker, and says what it left on standard output. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args, { maxBuffer: 16 * 1024 ** 2 });
  return stdout.trim();
}

/** Lines of an answer; none where it is empty. */
export async function listed(...args: string[]): Promise<string[]> {
  return (await docker(...args)).split('\n').filter((line) => line !== '');
}

/** Names of the containers that there are, running or not. */
export const containers = (): Promise<string[]> => listed('ps', '--all', '--format', '{{.Names}}');

export interface Host extends AsyncDisposable {
  /** For DOCKER_HOST. */
  address: string;
  /** For the front of PATH. */
  bin: string;
}

/** Starts the daemon. @throws Error with what it said where it does not start */
export async function startHost(): Promise<Host> {
  const bin = join(await programs(), 'tools/usr/bin');
  const serving = spawn(script, ['serve'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  createInterface(serving.stderr).on('line', (line) => said.push(line));
  const ended = once(serving, 'exit');
  const address = await Promise.race([
    once(createInterface(serving.stdout), 'line').then(([line]) => String(line)),
    ended.then(() => null),
  ]);
  if (address === null) throw new Error(`scripts/docker-host: ${said.join('\n')}`);
  return {
    address,
    bin,
    async [Symbol.asyncDispose]() {
      serving.stdin.end();
      const timer = setTimeout(() => serving.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Makes `postgres:15.18` of npm's programs; quick where it is there already. */
export async function buildImage(): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'image-'));
  try {
    await cp(join(import.meta.dirname, 'image'), context, { recursive: true });
    const native = await installPackage(parseVersion('15.18'), () => {});
    const from = { image: join(await programs(), 'image'), native };
    for (const [name, folder] of Object.entries(from))
      await cp(folder, join(context, name), { recursive: true, verbatimSymlinks: true });
    // No network, not even for a build.
    const args = ['--network', 'none', '--quiet', '--build-arg', 'VERSION=15.18', '--tag', 'postgres:15.18'];
    await docker('build', ...args, context);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** An image made of `postgres:15.18` by a few lines of a Dockerfile. */
export async function buildFrom(tag: string, lines: string): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'image-'));
  await writeFile(join(context, 'Dockerfile'), `FROM postgres:15.18\n${lines}\n`);
  await docker('build', '--network', 'none', '--quiet', '--tag', tag, context);
  await rm(context, { recursive: true });
}

export interface Registry extends AsyncDisposable {
  /** In front of an image's name: a host and a port. Docker takes one on loopback without TLS. */
  name: string;
}

/** A real registry with nothing in it, on loopback. */
export async function startRegistry(): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'));
  const name = `127.0.0.1:${await freePort()}`;
  const config = `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${folder}/data } }
http: { addr: "${name}" }
`;
  await writeFile(join(folder, 'config.yml'), config);
  const serving: ChildProcess = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: 'ignore',
  });
  const ended = once(serving, 'exit');
  await until(
    () =>
      fetch(`http://${name}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    (ok) => ok,
  );
  return {
    name,
    async [Symbol.asyncDispose]() {
      serving.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What of a daemon would outlast it on this machine: mounts, control groups. */
export async function leftOvers(): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const { stdout } = await promisify(execFile)('find', [
    '/sys/fs/cgroup',
    '-name',
    'postgres-upgrade-action',
  ]);
  return [
    ...mounts.filter((line) => /postgres-upgrade-action|overlay2|docker/.test(line)),
    ...stdout.split('\n').filter((line) => line !== ''),
  ];
}
