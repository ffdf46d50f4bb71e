/** A cluster of Debian or Ubuntu packages, here or over ssh. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { UpgradeError } from '../../errors.ts';
import { openScratch } from '../../postgres/scratch-open.ts';
import type { ConnectionSettings } from '../../postgres/settings.ts';
import { compareVersions } from '../../postgres/version.ts';
import { runJob } from '../../process/job.ts';
import { localHost } from '../../process/local-host.ts';
import { isLoopback } from '../../process/loopback.ts';
import { sshHost } from '../../process/ssh-host.ts';
import { areWeRoot, scratchUser } from '../../process/user.ts';
import type { Environment, EnvironmentFacts, EnvironmentKind, EnvironmentTools } from '../environment.ts';
import { hostStore } from '../host-store.ts';
import { applicationScript, installedPreflightScript, tidyScript } from './cluster-scripts.ts';
import { type DebianConfig, debianSchema } from './config.ts';
import { answering, type ClusterRecipe, control, endOfLog, recipeOf } from './control.ts';
import { backupDisk, hostDisks } from './disks.ts';
import { forgetSettings } from './forget.ts';
import { installing, settleInstallation } from './install.ts';
import { type DebianFacts, look, packagesFor, refreshLists, serverVersion } from './look.ts';
import { assertOwnFolder } from './own-folder.ts';
import { packageFacts } from './package-facts.ts';
import { postgresVersion } from './packages.ts';
import { planDebian } from './plan.ts';
import { foreignExtensions, startThere } from './scratch.ts';
import { servingOf } from './serving.ts';
import { debianStep } from './steps.ts';

/** The kind, for the registry. */
export const debian: EnvironmentKind<DebianConfig> = {
  kind: 'debian',
  schema: debianSchema,
  modes: ['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback'],
  open,
  // Another machine is not asked for it: that would need its key.
  history: (config) =>
    config.host === undefined ? hostStore(localHost(config.become ?? null), stateOf(config)) : null,
};

/** Folder on the machine of the cluster: journal, saved packages, jobs. */
function stateOf({ state, version, cluster }: DebianConfig): string {
  return state ?? `/var/lib/postgres-upgrade/${version}-${cluster}`;
}

/** Folder beside the job where the backups of a target are kept. */
function backupsOf(target: string): string {
  const base = areWeRoot()
    ? '/var/backups/postgres-upgrade'
    : join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'postgres-upgrade/backups');
  return join(base, target);
}

function open(config: DebianConfig, tools: EnvironmentTools): Environment {
  const state = stateOf(config);
  const become = config.become ?? null;
  const host =
    config.host === undefined
      ? localHost(become)
      : sshHost({
          host: config.host,
          port: config.ssh.port,
          key: config.ssh.key && tools.secret(config.ssh.key),
          knownHosts: config.ssh['known-hosts'] && tools.secret(config.ssh['known-hosts']),
          become,
          log: tools.log,
        });
  let reached: Promise<ConnectionSettings> | null = null;
  const settings = (): Promise<ConnectionSettings> => {
    reached ??= reachServer(tools.connection);
    return reached;
  };
  /** An address of the machine itself means that machine, not ours. */
  const reachServer = async (connection: ConnectionSettings): Promise<ConnectionSettings> =>
    host.remote && isLoopback(connection.host)
      ? { ...connection, ...(await host.reach(connection.host, connection.port)) }
      : connection;

  const debianTools = {
    host,
    config,
    state,
    jobs: `${state}/jobs`,
    settings,
    progress: (text: string) => tools.log.progress(`${tools.target}: ${text}`),
    startTimeout: 300_000,
    now: () => new Date(),
    seen: () => seen(),
  };

  /** The package lists are read once a run: what is installed is what was fetched by then. */
  let lists: DebianFacts | null = null;
  const seen = async (): Promise<DebianFacts> => {
    const facts = await look(host, config, state, lists);
    lists ??= facts;
    return facts;
  };

  /** Package lists are asked for once where they do not have the wanted version. */
  let refreshed = false;
  const lookFresh = async (): Promise<DebianFacts> => {
    const facts = await seen();
    const missing = packagesFor(facts, tools.wanted, tools.wanted, config).some(
      ({ version }) => version === null,
    );
    const installed = postgresVersion(serverVersion(facts, config.version) ?? '');
    if (!missing || refreshed || (installed && compareVersions(installed, tools.wanted) === 0)) return facts;
    refreshed = true;
    debianTools.progress(`refreshing the package lists of ${host.name}`);
    await refreshLists(host);
    lists = null;
    return await seen();
  };

  const inspect = async (): Promise<EnvironmentFacts> => {
    const own = await lookFresh();
    const { cluster, supervisor } = own;
    const version = serverVersion(own, config.version);
    const programs = version === null ? null : postgresVersion(version);
    if (version === null || programs === null) {
      throw new UpgradeError(
        'debian-tools',
        `${host.name} has no package postgresql-${config.version}, though it has the cluster ${config.version}/${config.cluster}.`,
        { phase: 'inspect', hint: 'Only clusters whose programs come from packages can be upgraded here.' },
      );
    }
    const found = cluster.running ? await answering(await settings()) : null;
    if (found) assertSame(found.data, cluster.data);
    return {
      running: found?.version ?? programs,
      serving: found !== null,
      details: [
        ['machine', config.host ?? 'this machine'],
        ['system', own.system],
        ['cluster', `${config.version}/${config.cluster}`],
        ['port', String(cluster.port)],
        ['data directory', cluster.data],
        ['configuration', cluster.configuration],
        [
          'supervisor',
          supervisor === 'systemd'
            ? `systemd, unit postgresql@${config.version}-${config.cluster}.service`
            : 'pg_ctlcluster',
        ],
        ['packages', own.installed.map((each) => `${each.name} ${each.version}`).join(', ')],
        ...(own.others.length > 0
          ? [
              [
                'other clusters',
                own.others.map((each) => `${each.version}/${each.cluster}`).join(', '),
              ] as const,
            ]
          : []),
      ],
      own,
    };
  };

  const assertSame = (data: string, expected: string): void => {
    if (data === '' || data === expected) return;
    throw new UpgradeError(
      'wrong-server',
      `The connection leads to the data directory ${data}, and the cluster ${config.version}/${config.cluster} is in ${expected}.`,
      {
        phase: 'inspect',
        hint: 'Check host and port of the connection against the cluster (pg_lsclusters).',
      },
    );
  };

  /**
   * Whether the backup is proved on the machine of the cluster: where it uses extensions whose files that machine alone is
   * known to have. Asked once: it decides where room is needed.
   */
  let foreign: Promise<string[]> | null = null;
  const provesThere = async (): Promise<boolean> => {
    if (!host.remote) return false;
    foreign ??= settings().then((at) => foreignExtensions(host, at, config.version));
    return (await foreign).length > 0;
  };

  const ownRecipe = async (): Promise<ClusterRecipe> => {
    const { cluster, supervisor } = await seen();
    return recipeOf(host, cluster, supervisor);
  };

  const { ensureServing, stoppedCleanly, serveAgain } = servingOf(debianTools);

  return {
    inspect,
    endpoint: settings,
    planRoute: (facts, wanted) => planDebian(config, facts.own as DebianFacts, facts, wanted),
    home: {
      journal: hostStore(host, state),
      rehearsals: hostStore(host, `${state}/rehearsals`),
      backups: backupsOf(tools.target),
    },

    async claim(who) {
      await assertOwnFolder(host, state);
      const holder = await host.hold(`${state}/run.lock`, who);
      if (holder === null) return;
      throw new UpgradeError('locked', `Another run is at work on this target: ${holder}.`, {
        phase: 'connect',
        hint: 'Wait until it has ended. Its lock goes with its process: nothing has to be cleaned up.',
      });
    },

    async wake(step) {
      const recipe = await ownRecipe();
      if (!(await stoppedCleanly(recipe))) {
        throw new UpgradeError(
          'unclean-stop',
          `The cluster ${config.version}/${config.cluster} is stopped, and it was not stopped cleanly.`,
          {
            phase: 'inspect',
            hint: `Start it with its present version and read its log before an upgrade: pg_ctlcluster ${config.version} ${config.cluster} start.`,
          },
        );
      }
      await step.switchOff({
        id: 'woken',
        what: 'the cluster was found stopped and was started',
        detail: recipe,
      });
      await ensureServing(recipe);
    },

    async revive() {
      await ensureServing(await ownRecipe());
    },

    step: (id, facts, wanted) => debianStep(debianTools, id, facts, wanted),

    async putBack(entry, step) {
      if (entry.id === installing) {
        const saved = async (): Promise<DebianFacts['saved']> => (await seen()).saved;
        return await settleInstallation(host, state, entry, saved, step);
      }
      const recipe = entry.detail as ClusterRecipe;
      if (entry.id !== 'woken') return await serveAgain(recipe, step);
      const { code, output } = await control(debianTools, recipe, 'stop');
      // 2: it did not run (pg_ctlcluster(1)).
      if (code === 0 || code === 2) return;
      throw new UpgradeError('server-stop', `The cluster could not be stopped: exit code ${code}.`, {
        hint: output.trim().split('\n').slice(-3).join('\n'),
      });
    },

    async disks(databaseBytes, backupFolder) {
      const { cluster } = await seen();
      const copyThere = (await provesThere()) ? databaseBytes : null;
      return [
        await backupDisk(backupFolder, databaseBytes),
        ...(await hostDisks(host, state, cluster, copyThere)),
      ];
    },

    async packages(wanted) {
      const facts = await inspect();
      const seen = facts.own as DebianFacts;
      return packageFacts(host, config, seen, state, facts.running, wanted);
    },

    // Only its own files know, and they are not here before the packages are fetched.
    wantedExtensions: async () => null,

    async configErrors(wanted) {
      const facts = await seen();
      const installed = postgresVersion(serverVersion(facts, config.version) ?? '');
      if (!installed || compareVersions(installed, wanted) !== 0) return null;
      const { code, stderr } = await host.script(installedPreflightScript, [
        String(config.version),
        facts.cluster.data,
        facts.cluster.configuration,
      ]);
      return code === 0 ? [] : stderr.trim().split('\n').slice(-3);
    },

    async serverLog(bytes) {
      const { cluster } = await seen();
      const found = await endOfLog(host, cluster, 0, bytes);
      if (!found || found.size <= bytes) return found;
      return { ...found, text: found.text.slice(found.text.indexOf('\n') + 1) };
    },

    async forgetSettings(names) {
      const { cluster } = await seen();
      await forgetSettings(host, cluster.data, names);
    },

    async command([program, ...args], timeout) {
      const end = await runJob(
        host,
        {
          folder: `${state}/jobs`,
          name: 'application',
          script: applicationScript,
          args: [program, ...args],
          timeout,
        },
        { progress: debianTools.progress },
      );
      return { code: end.code, stdout: end.output, stderr: '' };
    },

    reach: (address, port) => host.reach(address, port),

    ...(host.remote
      ? {
          way: {
            opened: () => host.opened(),
            reopen: async () => void (await host.run(['true'])),
          },
        }
      : {}),

    async tidy(keepDays, now) {
      const { saved } = await seen().catch(() => ({ saved: null }));
      const old = saved !== null && Date.parse(saved.at) + keepDays * 86_400_000 < now.getTime();
      await host.script(tidyScript, [state, old ? 'all' : 'rest']).catch(() => {});
    },

    async scratch(wanted, options, abort) {
      if (!options.choice && (await provesThere())) {
        const { own } = await inspect();
        const installed = postgresVersion(serverVersion(own as DebianFacts, config.version) ?? '') ?? wanted;
        return startThere(host, installed, options, abort);
      }
      // Either version proves that the backup can be restored; only a rehearsal asks for exactly one.
      const choice = options.choice ?? { kind: 'auto', image: 'postgres', nearest: true };
      return openScratch(wanted, choice, options, {
        pattern: undefined,
        user: await scratchUser(),
        signal: abort,
        progress: debianTools.progress,
      });
    },

    close: () => host.close(),
  };
}
