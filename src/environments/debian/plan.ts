/** Which steps take a cluster of packages to the wanted version. Pure. */
import { UpgradeError } from '../../errors.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';
import { plannedCheckpoint } from '../checkpoint.ts';
import type { EnvironmentFacts, Route } from '../environment.ts';
import type { DebianConfig } from './config.ts';
import { before, type DebianFacts, packagesFor } from './look.ts';

/** @throws UpgradeError `route-major`: a new major is another cluster, which this version does not make */
export function planDebian(
  config: DebianConfig,
  seen: DebianFacts,
  facts: EnvironmentFacts,
  wanted: PgVersion,
): Route {
  const from = formatVersion(facts.running);
  const to = formatVersion(wanted);
  const { version, cluster } = config;
  if (facts.running.major !== wanted.major) {
    throw new UpgradeError(
      'route-major',
      `${from} to ${to} is a major upgrade, and this version of the action changes only the minor version of packages.`,
      {
        phase: 'plan',
        hint: `Stay on a ${facts.running.major}.x version here. A rehearsal (mode: rehearse) shows what ${wanted.major} would do to your data; pg_upgradecluster is the way to get there by hand.`,
        docs: 'debian.md#limits',
      },
    );
  }
  const packages = packagesFor(seen, facts.running, wanted, config);
  const names = new Set(packages.map(({ name }) => name));
  const arguments_ = packages.map(
    ({ name, version: exact }) => `${name}=${exact ?? `${to}, which is not offered`}`,
  );
  const old = before(seen, facts.running, wanted)
    .filter(({ name }) => names.has(name))
    .map(({ name, version: exact }) => `${name}=${exact}`);
  const restart =
    seen.supervisor === 'systemd'
      ? `systemctl restart postgresql@${version}-${cluster}.service`
      : `pg_ctlcluster --skip-systemctl-redirect --mode fast ${version} ${cluster} restart -- -t 600`;
  const neighbours = seen.others.filter((each) => each.version === version && each.running);
  return {
    name: 'minor-in-place',
    notes: [
      'The data directory stays as it is: minor versions of one major read the same files.',
      ...(neighbours.length > 0
        ? [
            `Other clusters use the same packages: ${neighbours.map((each) => `${each.version}/${each.cluster}`).join(', ')}. They go on with ${from} until somebody restarts them.`,
          ]
        : []),
      `A proof of the backup restores into a server of ${to}, or of the nearest minor version that the machine of the job has. Where the databases use extensions of other packages, it restores into a throw-away server on the machine of the cluster, which has their files.`,
    ],
    steps: [
      'backup',
      {
        id: 'packages',
        title: 'Fetch the packages, and save the present ones',
        does: [
          `apt-get install --download-only ${arguments_.join(' ')}`,
          `keep ${old.join(' ')} as files, until the backup expires: they are the way back`,
          `postgres -C shared_buffers with the programs of ${to}: parses the whole configuration, starts nothing`,
        ],
        undo: null,
        breaks: null,
        risks: [
          'A package may not be had any more, neither new nor old: then the upgrade ends here, and nothing was changed.',
          `${to} may refuse the configuration: then the upgrade ends here, and ${from} was not stopped.`,
        ],
        interruptible: true,
      },
      'stop-applications',
      'read-only',
      'drain',
      plannedCheckpoint,
      {
        id: 'install',
        title: `Install ${to} while ${from} goes on`,
        does: [
          'policy-rc.d refuses every stop and start of PostgreSQL by packages, until the installation has ended',
          `apt-get install --no-remove --allow-downgrades of exactly these files: ${arguments_.join(' ')}`,
        ],
        undo: `install the saved files again: ${old.join(' ')}`,
        breaks: null,
        risks: [
          'The installation may fail in the middle: then the saved packages are installed again.',
          `Until the restart ${from} runs with the files of ${to} beside it: a library that a session loads first now is the new one.`,
          'It is not ended with the run: where the connection or the run is lost it goes on by itself, and the next run finds it.',
        ],
        interruptible: false,
      },
      {
        id: 'restart',
        title: `Restart on ${to}`,
        does: [
          'CHECKPOINT',
          restart,
          'wait for a real query, then compare version, data directory and program',
        ],
        undo: `install the saved files again and restart: ${from} on the same data directory`,
        breaks: 'every session ends; new ones are refused until the new server answers',
        risks: [
          'Transactions that are open at the stop are rolled back.',
          'The stop waits for a last checkpoint, and for archiver and standbys to take the last WAL: clients wait as long.',
          `${to} may not start: then the packages of ${from} are installed again, and it is started on the same data.`,
          `If ${from} does not start either, nothing serves: the run ends as failed and says what to do.`,
          'The server begins with cold caches: queries are slower until they are warm.',
        ],
        interruptible: false,
      },
      'configure',
      'collations',
      'extensions',
      'validate',
      'read-write',
      'start-applications',
      'watch',
      'advice',
    ],
  };
}
