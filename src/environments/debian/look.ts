/** Looks at a machine with Debian packages: one script, read into facts. */
import { UpgradeError } from '../../errors.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';
import type { Host } from '../../process/host.ts';
import { type DebianCluster, findCluster, readClusters } from './clusters.ts';
import type { DebianConfig } from './config.ts';
import { lookScript, sections, updateScript } from './look-scripts.ts';
import {
  choosePackages,
  type Installed,
  readInstalled,
  readMadison,
  readPolicy,
  serverPackage,
} from './packages.ts';
import { readSaved, type Saved } from './saved.ts';

/** What starts and stops the cluster. */
export type Supervisor = 'systemd' | 'pg_ctlcluster';

/** What was seen on the machine. */
export interface DebianFacts {
  cluster: DebianCluster;
  /** The other clusters of the machine. */
  others: DebianCluster[];
  supervisor: Supervisor;
  installed: Installed[];
  /** Versions on offer by package, newest first. */
  offers: ReadonlyMap<string, readonly string[]>;
  candidates: ReadonlyMap<string, string>;
  /** Packages saved by an earlier run. */
  saved: Saved | null;
  /** `debian 12`. */
  system: string;
}

/**
 * @param lists what the package lists said before: apt takes most of a second to read them
 * @throws UpgradeError `debian-tools`, `cluster-missing`, `cluster-supervised`, `supervisor`, and what the host throws
 */
export async function look(
  host: Host,
  config: DebianConfig,
  state: string,
  lists: Pick<DebianFacts, 'offers' | 'candidates'> | null = null,
): Promise<DebianFacts> {
  const answer = await host.script(lookScript, [
    String(config.version),
    config.cluster,
    state,
    lists === null ? 'lists' : 'no-lists',
    ...Object.keys(config.packages),
  ]);
  const facts = readFacts(answer.stdout, config, host.name, answer.stderr);
  return lists === null ? facts : { ...facts, offers: lists.offers, candidates: lists.candidates };
}

/** Refreshes the package lists. @throws UpgradeError `apt-update` */
export async function refreshLists(host: Host): Promise<void> {
  const { code, stderr } = await host.script(updateScript, [], { timeout: 300_000 });
  if (code === 0) return;
  throw new UpgradeError('apt-update', `The package lists of ${host.name} could not be refreshed.`, {
    phase: 'inspect',
    hint: `${stderr.trim().split('\n').slice(-3).join('\n')}\nRun apt-get update there and read what it says.`,
  });
}

/** Pure. @param said what the script wrote to standard error */
export function readFacts(text: string, config: DebianConfig, where: string, said = ''): DebianFacts {
  const parts = sections(text);
  if (parts.has('missing')) {
    throw new UpgradeError('debian-tools', `${where} has no pg_lsclusters.`, {
      phase: 'inspect',
      hint: 'This kind of environment is for clusters of Debian or Ubuntu packages (postgresql-common). Check environment.host.',
    });
  }
  if (!parts.has('end')) {
    throw new UpgradeError('debian-tools', `${where} could not be looked at.`, {
      phase: 'inspect',
      hint: said.trim().split('\n').slice(-3).join('\n') || 'The script that looks printed nothing.',
    });
  }
  const clusters = readClusters(parts.get('clusters') ?? '');
  const cluster = findCluster(clusters, config.version, config.cluster, where);
  const [id = '', release = ''] = (parts.get('system') ?? '')
    .split('\n')
    .map((line) => line.replaceAll('"', ''));
  return {
    cluster,
    others: clusters.filter((each) => each !== cluster),
    supervisor: supervisorOf(config, cluster, (parts.get('init') ?? '').split('\n'), where),
    installed: readInstalled(parts.get('installed') ?? ''),
    offers: readMadison(parts.get('madison') ?? ''),
    candidates: readPolicy(parts.get('policy') ?? ''),
    saved: readSaved(parts.get('saved') ?? ''),
    system: `${id} ${release}`.trim(),
  };
}

/** @param init lines: `systemd` where that is process 1, then what it says of the cluster's unit */
function supervisorOf(
  config: DebianConfig,
  cluster: DebianCluster,
  init: readonly string[],
  where: string,
): Supervisor {
  const systemd = init[0] === 'systemd';
  const active = init[1] === 'active';
  const unit = `postgresql@${config.version}-${config.cluster}.service`;
  const refuse = (message: string, hint: string): UpgradeError =>
    new UpgradeError('supervisor', message, { phase: 'inspect', hint });
  if (config.supervisor === 'pg_ctlcluster') {
    if (active)
      throw refuse(
        `${unit} is active on ${where}, and environment.supervisor says pg_ctlcluster.`,
        'Started behind its back, systemd would take the cluster for a failed one: write supervisor: systemd, or auto.',
      );
    return 'pg_ctlcluster';
  }
  if (config.supervisor === 'systemd') {
    if (!systemd)
      throw refuse(
        `systemd does not run on ${where}, and environment.supervisor says systemd.`,
        'Write supervisor: pg_ctlcluster, or auto.',
      );
    if (cluster.running && !active)
      throw refuse(
        `The cluster ${config.version}/${config.cluster} runs on ${where}, but not under ${unit}.`,
        `Restart it once under systemd: pg_ctlcluster ${config.version} ${config.cluster} stop, then systemctl start ${unit}. Or write supervisor: pg_ctlcluster.`,
      );
    return 'systemd';
  }
  return systemd && (active || !cluster.running) ? 'systemd' : 'pg_ctlcluster';
}

/** Everything of PostgreSQL as it was before the change to `wanted`, also where packages are new already. */
export function before(facts: DebianFacts, running: PgVersion, wanted: PgVersion): Installed[] {
  const { saved, installed } = facts;
  const here = saved?.from === formatVersion(running) && saved.to === formatVersion(wanted);
  return here && saved ? saved.before : installed;
}

/** What has to be installed for `wanted`; a version is null where the lists do not have it. */
export function packagesFor(
  facts: DebianFacts,
  running: PgVersion,
  wanted: PgVersion,
  config: DebianConfig,
): { name: string; version: string | null }[] {
  const { offers, candidates } = facts;
  return choosePackages(before(facts, running, wanted), offers, candidates, wanted, config.packages);
}

/** Version of the installed server package, as the package manager writes it; null where it is not there. */
export function serverVersion(facts: DebianFacts, major: number): string | null {
  return facts.installed.find(({ name }) => name === serverPackage(major))?.version ?? null;
}
