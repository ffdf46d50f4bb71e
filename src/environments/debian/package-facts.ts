/** What stands in the way of an installation: asked of the machine, read into facts for the checks. Reads only. */
import type { PackageFacts } from '../../checks/packages.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';
import type { Host } from '../../process/host.ts';
import { lastLines } from '../../process/run.ts';
import type { DebianConfig } from './config.ts';
import { type DebianFacts, packagesFor } from './look.ts';
import { factsScript, sections } from './look-scripts.ts';
import { simulateScript } from './package-scripts.ts';
import { exactly, readSimulation, serverPackage } from './packages.ts';

/** @param running version that serves now, or served before an upgrade that is half way */
export async function packageFacts(
  host: Host,
  config: DebianConfig,
  seen: DebianFacts,
  state: string,
  running: PgVersion,
  wanted: PgVersion,
): Promise<PackageFacts> {
  const server = serverPackage(wanted.major);
  const { changes, simulation } = await simulate(host, config, seen, running, wanted);
  const present = (changes ?? []).flatMap(({ name, from }) => (from === null ? [] : [`${name}=${from}`]));
  const answer = await host.script(factsScript, [state, server, ...present], { timeout: 120_000 });
  const parts = sections(answer.stdout);
  const lines = (name: string): string[] => (parts.get(name) ?? '').split('\n').filter((line) => line !== '');
  const touched = new Set((changes ?? []).map(({ name }) => name));
  return {
    wanted: formatVersion(wanted),
    server,
    installed: seen.installed.find(({ name }) => name === server)?.version ?? '',
    candidate: seen.candidates.get(server) ?? null,
    offered: seen.offers.get(server) ?? [],
    changes,
    simulation,
    wayBack: lines('back').map((line) => {
      const [name = '', version = '', from = ''] = line.split('|');
      return { name, version, from: wayOf(from) };
    }),
    holds: lines('holds').filter((name) => touched.has(name)),
    liftHolds: config.holds === 'lift',
    locks: lines('locks').map((line) => {
      const [file = '', holder = ''] = line.split('|');
      return { file, holder };
    }),
    broken: lines('audit'),
    unattended: readUnattended(lines('unattended'), server),
    needrestart: lines('needrestart').includes('yes'),
    others: seen.others
      .filter(({ version }) => version === wanted.major)
      .map(({ version, cluster, port, running: runs }) => ({ version, cluster, port, running: runs })),
    policy: lines('layer').includes('yes'),
  };
}

/** What apt would do; null, and why, where it would do nothing of it. */
async function simulate(
  host: Host,
  config: DebianConfig,
  seen: DebianFacts,
  running: PgVersion,
  wanted: PgVersion,
): Promise<Pick<PackageFacts, 'changes' | 'simulation'>> {
  const packages = packagesFor(seen, running, wanted, config);
  const missing = packages.filter(({ version }) => version === null).map(({ name }) => name);
  if (missing.length > 0)
    return {
      changes: null,
      simulation: `the package lists do not have ${formatVersion(wanted)} of ${missing.join(', ')}`,
    };
  const named = packages.flatMap(({ name, version }) =>
    version === null ? [] : [exactly({ name, version })],
  );
  const { code, stdout, stderr } = await host.script(simulateScript, named, { timeout: 120_000 });
  const expected = new Set([...packages.map(({ name }) => name), ...config['allow-packages']]);
  return code === 0
    ? { changes: readSimulation(stdout, expected), simulation: null }
    : { changes: null, simulation: lastLines(stderr, 5) || lastLines(stdout, 5) };
}

function wayOf(text: string): PackageFacts['wayBack'][number]['from'] {
  return text === 'saved' || text === 'cache' || text === 'archive' || text === 'repack' ? text : null;
}

/**
 * Whether unattended-upgrades is installed and switched on, and whether its blacklist keeps it from the server. Patterns
 * are Python's, matched from the beginning of the name (unattended-upgrades, README); one that is none here keeps nothing.
 */
export function readUnattended(lines: readonly string[], server: string): PackageFacts['unattended'] {
  const installed = lines.some((line) => /^[ih]i/.test(line));
  const periodic = lines.some((line) => /^APT::Periodic::Unattended-Upgrade "(?!0"|")/.test(line));
  const patterns = lines.flatMap((line) => {
    const found = /^Unattended-Upgrade::Package-Blacklist:: "(.+)";$/.exec(line)?.[1];
    return found === undefined ? [] : [found];
  });
  const kept = patterns.some((pattern) => {
    try {
      return new RegExp(`^(?:${pattern})`).test(server);
    } catch {
      return false;
    }
  });
  return { enabled: installed && periodic, takes: installed && periodic && !kept };
}
