/** Where the server programs of a version come from: the spec's folder, Debian's folders, npm. */
import { existsSync } from 'node:fs';
import { UpgradeError } from '../errors.ts';
import { type Binaries, binariesIn } from './binaries.ts';
import { installPackage } from './install.ts';
import { compareVersions, formatVersion, type PgVersion } from './version.ts';

/** `source` of programs from npm. */
export const npmSource = 'npm package';

/** Puts the version into `{version}` (15.18) and `{major}` (15) of a pattern. */
export function expandPattern(pattern: string, version: PgVersion): string {
  return pattern.replaceAll('{version}', formatVersion(version)).replaceAll('{major}', String(version.major));
}

/**
 * Folders of installed programs that can hold `version`, or another minor of it where the pattern has `{version}`.
 * @param pattern as for findBinaries
 */
export function installedFolders(
  version: PgVersion,
  pattern: string | undefined,
): { folder: string; source: string }[] {
  const folders: { folder: string; source: string }[] = [];
  if (pattern) {
    const source = 'environment.binaries';
    const own = expandPattern(pattern, version);
    folders.push({ folder: own, source });
    // No major has had as many minors: five years with four planned releases each, and a few more.
    for (let minor = 0; minor < 60; minor += 1) {
      const folder = expandPattern(pattern, { ...version, minor });
      if (folder !== own && existsSync(folder)) folders.push({ folder, source });
    }
  }
  return [...folders, { folder: `/usr/lib/postgresql/${version.major}/bin`, source: 'Debian package' }];
}

/**
 * Finds the programs of exactly `version`.
 * @param pattern the spec's `binaries`: a folder, or a pattern with `{version}` or `{major}`
 * @throws UpgradeError `binaries-unavailable` with every place that was looked at
 */
export async function findBinaries(
  version: PgVersion,
  pattern: string | undefined,
  progress: (text: string) => void,
  signal?: AbortSignal,
): Promise<Binaries> {
  const looked: string[] = [];
  const folders: [string, string][] = [];
  if (pattern) folders.push([expandPattern(pattern, version), 'environment.binaries']);
  folders.push([`/usr/lib/postgresql/${version.major}/bin`, 'Debian package']);
  for (const [folder, source] of folders) {
    const found = await binariesIn(folder, source);
    if (found && compareVersions(found.version, version) === 0) return found;
    looked.push(`${folder} (${found ? formatVersion(found.version) : 'no server programs'})`);
  }
  try {
    const native = await installPackage(version, progress, signal);
    const found = await binariesIn(native, npmSource);
    if (found && compareVersions(found.version, version) === 0) return found;
    looked.push(`${native} (${found ? formatVersion(found.version) : 'does not start'})`);
  } catch (cause) {
    if (!(cause instanceof UpgradeError) || cause.code !== 'binaries-unavailable') throw cause;
    looked.push('npm package (none for this version)');
  }
  throw new UpgradeError(
    'binaries-unavailable',
    `There are no server programs of PostgreSQL ${formatVersion(version)} on this machine.`,
    {
      hint: `Looked at: ${looked.join('; ')}. Install them and name their folder in environment.binaries ({version} and {major} are filled in).`,
      docs: 'embedded.md#binaries',
    },
  );
}
