/** A cluster in a data directory on this machine. */
import { realpathSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DiskFact } from '../../checks/check.ts';
import { UpgradeError } from '../../errors.ts';
import { extensionVersions } from '../../postgres/binaries.ts';
import { connect } from '../../postgres/connection.ts';
import { startScratch } from '../../postgres/scratch.ts';
import { openScratch } from '../../postgres/scratch-open.ts';
import type { Environment, EnvironmentFacts, EnvironmentKind, EnvironmentTools } from '../environment.ts';
import { fileStore } from '../file-store.ts';
import { portIn, readCluster } from './cluster.ts';
import { type EmbeddedConfig, embeddedSchema } from './config.ts';
import { endOfFile, forgetSettings } from './files.ts';
import { planEmbedded } from './plan.ts';
import { ensureServing, runningVersion, type StartRecipe, startByRecipe, stopByRecipe } from './restart.ts';
import { embeddedSteps } from './steps.ts';

const mebibyte = 1024 ** 2;

/** The kind, for the registry. */
export const embedded: EnvironmentKind<EmbeddedConfig> = {
  kind: 'embedded',
  schema: embeddedSchema,
  modes: ['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback'],
  open,
  history: (config) => fileStore(stateOf(config)),
};

/** Folder of journal, backups and log. */
function stateOf({ data, state }: EmbeddedConfig): string {
  return state ?? `${data.replace(/\/+$/, '')}.upgrade`;
}

function open(config: EmbeddedConfig, tools: EnvironmentTools): Environment {
  const { connection } = tools;
  const state = stateOf(config);
  const store = fileStore(state);
  const tasks = embeddedSteps(config, state, store, tools);
  const { binariesOf, recipeOf } = tasks;

  /** A wrong port would be given to the new server, and to the old one on the way back. */
  const assertPort = (port: number | null): void => {
    if (port === config.port) return;
    throw new UpgradeError(
      'port-mismatch',
      `The cluster in ${config.data} uses port ${port}, and environment.port says ${config.port}.`,
      {
        phase: 'inspect',
        hint: 'Write the port that the cluster really uses.',
      },
    );
  };

  const inspect = async (): Promise<EnvironmentFacts> => {
    const cluster = await readCluster(config.data);
    assertPort(portIn(recipeOf(cluster).args));
    if (cluster.pid !== null) await assertSameServer();
    const running = cluster.pid === null ? cluster.binaries.version : await runningVersion(connection);
    return {
      running,
      serving: cluster.pid !== null,
      details: [
        ['data directory', config.data],
        ['port', String(config.port)],
        ['server programs', cluster.binaries.bin],
        ['operating-system user', cluster.user?.name ?? 'the user of this job'],
      ],
    };
  };

  /** A connection that leads to some other server would back up the one and restart the other. */
  const assertSameServer = async (): Promise<void> => {
    await using client = await connect(connection, { name: 'postgres-upgrade inspect', pinned: true });
    // pg_settings leaves out what a role may not see, where current_setting() would refuse: a role without pg_monitor
    // may look, and only a superuser gets as far as a change.
    const [row] = await client.query<{ data: string | null; port: string }>(
      `SELECT (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory') AS data,
              pg_catalog.current_setting('port') AS port`,
    );
    // A server started through a symbolic link reports the link.
    if (row?.data != null && realpathSync(config.data) !== resolved(row.data)) {
      throw new UpgradeError(
        'wrong-server',
        `The connection leads to the data directory ${row.data}, and the spec says ${config.data}.`,
        {
          phase: 'inspect',
          hint: 'Check host and port of the connection against environment.data and environment.port.',
        },
      );
    }
    // The port may stand in the configuration only, where the arguments do not show it.
    if (row) assertPort(Number(row.port));
  };

  return {
    inspect,
    endpoint: async () => connection,
    planRoute: planEmbedded,
    home: {
      journal: store,
      rehearsals: fileStore(join(state, 'rehearsals')),
      backups: join(state, 'backups'),
    },

    async wake(step) {
      const cluster = await readCluster(config.data);
      if (cluster.pid !== null) return;
      if (!cluster.stoppedCleanly) {
        throw new UpgradeError(
          'unclean-stop',
          `The cluster in ${config.data} is stopped, and it was not stopped cleanly.`,
          {
            phase: 'inspect',
            hint: `Start it with its present version and read its log before an upgrade: ${cluster.binaries.bin}/pg_ctl start -D ${config.data}.`,
          },
        );
      }
      if (await isListening(connection)) {
        throw new UpgradeError(
          'port-taken',
          `Port ${config.port} is taken, though the cluster in ${config.data} does not run.`,
          {
            phase: 'inspect',
            hint: 'Another server uses the port: stop it, or correct environment.port.',
          },
        );
      }
      const recipe = recipeOf(cluster);
      await step.switchOff({
        id: 'woken',
        what: `the server was found stopped and was started on ${recipe.version}`,
        detail: recipe,
      });
      await startByRecipe(recipe, connection);
    },

    async revive(step) {
      const recipe = recipeOf(await readCluster(config.data));
      // The children of a server that was killed outlive it by a moment, and hold its shared memory.
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await ensureServing(recipe, connection, step.progress, 60_000);
        } catch (cause) {
          if (attempt === 5) throw cause;
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
      }
    },

    step(id, facts, wanted) {
      if (id === 'preflight') return tasks.preflight(wanted);
      if (id === 'checkpoint') return tasks.checkpoint;
      if (id === 'restart') return tasks.restart(facts, wanted);
      throw new Error(`embedded has no step ${id}`);
    },

    async putBack(entry, step) {
      const recipe = entry.detail as StartRecipe;
      if (entry.id === 'woken') await stopByRecipe(recipe);
      else await ensureServing(recipe, connection, step.progress);
    },

    async disks(databaseBytes, backupFolder) {
      let existing = backupFolder;
      while ((await statfs(existing).catch(() => null)) === null) existing = dirname(existing);
      return Promise.all([
        // Measured, with up to 512 MiB of WAL: a dump at gzip level 1 is about a third of the database; the restored copy is about as large as it.
        diskFact('backup and its proof', backupFolder, existing, databaseBytes * 1.8 + 768 * mebibyte),
        diskFact('data directory', config.data, config.data, 256 * mebibyte),
      ]);
    },

    async wantedExtensions(wanted) {
      return extensionVersions(await binariesOf(wanted));
    },

    configErrors: tasks.configErrors,

    async serverLog(bytes) {
      const { log } = await readCluster(config.data);
      return log === null ? null : endOfFile(log, bytes);
    },

    forgetSettings: (names) => forgetSettings(config.data, names),

    async scratch(wanted, options, abort) {
      const { user } = await readCluster(config.data);
      if (!options.choice) return startScratch(await binariesOf(wanted), options, user, abort);
      return openScratch(wanted, options.choice, options, {
        pattern: config.binaries,
        user,
        signal: abort,
        progress: (text) => tools.log.progress(text),
      });
    },

    async close() {},
  };
}

async function diskFact(
  purpose: string,
  path: string,
  existing: string,
  neededBytes: number,
): Promise<DiskFact> {
  const { bavail, bsize } = await statfs(existing);
  const { dev } = await stat(existing);
  return {
    purpose,
    path,
    filesystem: String(dev),
    freeBytes: bavail * bsize,
    neededBytes: Math.ceil(neededBytes),
  };
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function isListening(settings: EnvironmentTools['connection']): Promise<boolean> {
  try {
    await (await connect(settings, { timeout: 3000 })).close();
    return true;
  } catch (cause) {
    return !(cause instanceof UpgradeError && cause.code === 'server-down');
  }
}
