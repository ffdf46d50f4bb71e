/** Where the server programs of a version come from: the spec's folder, Debian's folders, npm. */
import { UpgradeError } from '../../errors.ts';
import { type Binaries, binariesIn } from '../../postgres/binaries.ts';
import { compareVersions, formatVersion, type PgVersion } from '../../postgres/version.ts';
import { installPackage } from './install.ts';

/** Puts the version into `{version}` (15.18) and `{major}` (15) of a pattern. */
export function expandPattern(pattern: string, version: PgVersion): string {
  return pattern.replaceAll('{version}', formatVersion(version)).replaceAll('{major}', String(version.major));
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
    const found = await binariesIn(native, 'npm package');
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
