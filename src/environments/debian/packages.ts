/** Reading what dpkg and apt print, and choosing what to install. Pure. */
import type { PackageChange } from '../../checks/packages.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';

/** One installed package. */
export interface Installed {
  name: string;
  version: string;
  /** Source package that it was built from. */
  source: string;
}

/** One package at one version, as apt takes it: `postgresql-15=15.20-0+deb12u1`. */
export interface Chosen {
  name: string;
  version: string;
}

/** Format for `dpkg-query --showformat`, read by `readInstalled`. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders.
export const installedFormat = '${db:Status-Abbrev}|${Package}|${Version}|${source:Package}\\n';

/** Packages that are unpacked, also half configured ones: they are what a later transaction starts from. */
export function readInstalled(text: string): Installed[] {
  return text.split('\n').flatMap((line) => {
    const [status = '', name = '', version = '', source = ''] = line.split('|');
    // Second letter: n not installed, c only its configuration is left (dpkg-query(1)).
    return /^.[^nc]/.test(status) && name !== '' && version !== '' ? [{ name, version, source }] : [];
  });
}

/** PostgreSQL's version in that of a package of it: `15.20` of `15.20-0+deb12u1`, `1:15.20-1.pgdg12+1`. */
export function postgresVersion(packageVersion: string): PgVersion | null {
  const found = /^(?:\d+:)?(\d+)\.(\d+)(?:[-+~].*)?$/.exec(packageVersion);
  return found ? { major: Number(found[1]), minor: Number(found[2]) } : null;
}

/** Versions on offer by package, newest first, from `apt-cache madison` (`name | version | source`). */
export function readMadison(text: string): Map<string, string[]> {
  const offers = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [name = '', version = '', from = ''] = line.split('|').map((field) => field.trim());
    if (name === '' || version === '' || !/ Packages$/.test(from)) continue;
    const list = offers.get(name) ?? [];
    if (!list.includes(version)) list.push(version);
    offers.set(name, list);
  }
  return offers;
}

/** Candidate by package from `apt-cache policy`; packages without one are missing. */
export function readPolicy(text: string): Map<string, string> {
  const candidates = new Map<string, string>();
  let name = '';
  for (const line of text.split('\n')) {
    const head = /^(\S+):$/.exec(line)?.[1];
    if (head !== undefined) name = head;
    const candidate = /^ {2}Candidate: (\d\S*)$/.exec(line)?.[1];
    if (candidate !== undefined) candidates.set(name, candidate);
  }
  return candidates;
}

/** Name of the server's package of a major. */
export function serverPackage(major: number): string {
  return `postgresql-${major}`;
}

/**
 * What takes the installed packages to the wanted version: every installed package of the server's source (server, client,
 * contrib, languages, libraries), and those that the spec names.
 * @param installed what there was before the upgrade
 * @returns the server's package first; its version is null where the package lists do not have the wanted version
 */
export function choosePackages(
  installed: readonly Installed[],
  offers: ReadonlyMap<string, readonly string[]>,
  candidates: ReadonlyMap<string, string>,
  wanted: PgVersion,
  further: Readonly<Record<string, string>>,
): { name: string; version: string | null }[] {
  const server = serverPackage(wanted.major);
  const serverVersion = versionFor(server, offers, candidates, wanted);
  const source = installed.find(({ name }) => name === server)?.source ?? server;
  const rest = installed
    .filter(({ name, source: from }) => from === source && name !== server && !(name in further))
    .map(({ name }) => ({
      name,
      version:
        serverVersion !== null && offers.get(name)?.includes(serverVersion)
          ? serverVersion
          : versionFor(name, offers, candidates, wanted),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    { name: server, version: serverVersion },
    ...rest,
    ...Object.entries(further).map(([name, version]) => ({ name, version })),
  ];
}

/** The candidate where it is the wanted version, else the newest package of it. */
function versionFor(
  name: string,
  offers: ReadonlyMap<string, readonly string[]>,
  candidates: ReadonlyMap<string, string>,
  wanted: PgVersion,
): string | null {
  const isWanted = (version: string): boolean => {
    const found = postgresVersion(version);
    return found !== null && formatVersion(found) === formatVersion(wanted);
  };
  const candidate = candidates.get(name);
  if (candidate !== undefined && isWanted(candidate)) return candidate;
  return offers.get(name)?.find(isWanted) ?? null;
}

/** `postgresql-15=15.20-0+deb12u1`. */
export function exactly({ name, version }: Chosen): string {
  return `${name}=${version}`;
}

/** What `apt-get --simulate` would do, from its lines `Inst name [from] (to origin [arch])` and `Remv name [from]`. */
export function readSimulation(text: string, expected: ReadonlySet<string>): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const line of text.split('\n')) {
    const inst = /^Inst (\S+)(?: \[([^\]]+)\])? \((\S+)/.exec(line);
    if (inst?.[1]) {
      const name = inst[1].replace(/:[a-z0-9-]+$/, '');
      changes.push({ name, from: inst[2] ?? null, to: inst[3] ?? null, expected: expected.has(name) });
    }
    const remv = /^(?:Remv|Purg) (\S+)(?: \[([^\]]+)\])?/.exec(line);
    if (remv?.[1])
      changes.push({
        name: remv[1].replace(/:[a-z0-9-]+$/, ''),
        from: remv[2] ?? null,
        to: null,
        // Nothing may be removed, whoever allows the package to change.
        expected: false,
      });
  }
  return changes;
}
