/** Finds a scratch server of the version that is asked for, and starts it. */
import { UpgradeError } from '../errors.ts';
import type { SystemUser } from '../process/user.ts';
import { binariesIn } from './binaries.ts';
import { dockerFault, imageVersion, localTags, pullImage } from './docker.ts';
import { installedFolders, npmSource } from './find-binaries.ts';
import { installPackage, packagedVersions } from './install.ts';
import { type ScratchChoice, type ScratchOptions, type ScratchServer, startScratch } from './scratch.ts';
import { kindsOf, noVersion, type Offer, rankOffers } from './scratch-choice.ts';
import { startContainer } from './scratch-docker.ts';
import { compareVersions, formatVersion, type PgVersion } from './version.ts';

/** What starting needs besides the version and the options. */
export interface ScratchTools {
  /** The spec's folder of programs, or a pattern. */
  pattern: string | undefined;
  /** User of a server on this machine. */
  user: SystemUser | null;
  signal: AbortSignal;
  progress(text: string): void;
}

/** A server that can be had, and how. */
interface Way extends Offer {
  start(): Promise<ScratchServer>;
}

/** What was looked at, and what can be had. */
interface Found {
  looked: string[];
  ways: Way[];
}

/**
 * Starts the best that can be had. Docker is asked only where nothing else has the exact version.
 * @throws UpgradeError `scratch-version`, `scratch-start`, `binaries-download`, `binaries-integrity`; Cancelled
 */
export async function openScratch(
  wanted: PgVersion,
  choice: ScratchChoice,
  options: ScratchOptions,
  tools: ScratchTools,
): Promise<ScratchServer> {
  const kinds = kindsOf(choice.kind);
  const found: Found = { looked: [], ways: [] };
  if (kinds.includes('binaries')) await lookInstalled(found, wanted, options, tools);
  if (kinds.includes('embedded')) lookPackaged(found, wanted, options, tools);
  let failure: UpgradeError | null = null;
  const tryAll = async (ways: readonly Way[]): Promise<ScratchServer | null> => {
    for (const way of ways) {
      try {
        return await way.start();
      } catch (cause) {
        // A registry that cannot be reached need not be the end where there are other ways.
        if (!(cause instanceof UpgradeError) || cause.code !== 'binaries-download') throw cause;
        failure ??= cause;
        found.looked.push(`${formatVersion(way.version)} from npm (${cause.message.replace(/\.$/, '')})`);
      }
    }
    return null;
  };
  const exact = await tryAll(rankOffers(found.ways, wanted, false));
  if (exact) return exact;
  const before = found.ways.length;
  if (kinds.includes('docker')) await lookDocker(found, wanted, choice, options, tools);
  const late = rankOffers(choice.nearest ? found.ways : found.ways.slice(before), wanted, choice.nearest);
  const started = await tryAll(late);
  if (started) return started;
  // With nothing else to say, the reason why a known package did not come says most.
  if (failure && choice.kind === 'embedded') throw failure;
  throw noVersion({ wanted, nearest: choice.nearest, looked: found.looked, offers: found.ways });
}

async function lookInstalled(
  { looked, ways }: Found,
  wanted: PgVersion,
  options: ScratchOptions,
  { pattern, user, signal }: ScratchTools,
): Promise<void> {
  for (const { folder, source } of installedFolders(wanted, pattern)) {
    const binaries = await binariesIn(folder, source);
    looked.push(`${folder} (${binaries ? formatVersion(binaries.version) : 'no server programs'})`);
    if (binaries)
      ways.push({
        kind: 'binaries',
        version: binaries.version,
        start: () => startScratch(binaries, options, user, signal),
      });
  }
}

function lookPackaged(
  { looked, ways }: Found,
  wanted: PgVersion,
  options: ScratchOptions,
  { user, signal, progress }: ScratchTools,
): void {
  const versions = packagedVersions(wanted.major);
  const newest = versions.at(-1);
  looked.push(
    `packages from npm (${newest ? `${versions.length} versions of ${wanted.major}, the newest ${formatVersion(newest)}` : `none of ${wanted.major}`})`,
  );
  for (const version of versions)
    ways.push({
      kind: 'embedded',
      version,
      async start() {
        const native = await installPackage(version, progress, signal);
        const binaries = await binariesIn(native, npmSource);
        if (binaries && compareVersions(binaries.version, version) === 0)
          return await startScratch(binaries, options, user, signal);
        throw new UpgradeError('scratch-start', `The programs in ${native} do not start.`, {
          phase: 'prove',
          hint: 'Remove that folder: it is made anew. If that does not help, the package is not for this machine.',
        });
      },
    });
}

async function lookDocker(
  { looked, ways }: Found,
  wanted: PgVersion,
  { image, nearest }: ScratchChoice,
  options: ScratchOptions,
  { signal, progress }: ScratchTools,
): Promise<void> {
  const fault = await dockerFault();
  if (fault !== null) {
    looked.push(`Docker (${fault})`);
    return;
  }
  const add = (tag: string, version: PgVersion): void =>
    void ways.push({
      kind: 'docker',
      version,
      start: () => startContainer(`${image}:${tag}`, version, options, signal),
    });
  const pull = async (tag: string): Promise<boolean> => {
    progress(`asking Docker for ${image}:${tag}`);
    const refused = await pullImage(`${image}:${tag}`, signal);
    if (refused !== null) looked.push(`image ${image}:${tag} (${refused})`);
    return refused === null;
  };
  if (await pull(formatVersion(wanted))) return add(formatVersion(wanted), wanted);
  const local = (await localTags(image, signal)).filter(({ major }) => major === wanted.major);
  for (const version of local) {
    looked.push(`image ${image}:${formatVersion(version)} (here)`);
    add(formatVersion(version), version);
  }
  // The tag of the major is its newest minor; which one that is, the image says.
  if (!nearest || !(await pull(String(wanted.major)))) return;
  const version = await imageVersion(`${image}:${wanted.major}`, signal);
  looked.push(
    `image ${image}:${wanted.major} (${version ? formatVersion(version) : 'does not say its version'})`,
  );
  if (version) add(String(wanted.major), version);
}
