/** A cluster in a data directory on this machine. */
import { realpathSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UpgradeError } from '../../errors.ts';
import { type Binaries, extensionVersions } from '../../postgres/binaries.ts';
import { connect } from '../../postgres/connection.ts';
import { startScratch } from '../../postgres/scratch.ts';
import { serverPid } from '../../postgres/server.ts';
import { compareVersions, formatVersion, type PgVersion } from '../../postgres/version.ts';
import { lastLines, run } from '../../process/run.ts';
import type {
  Environment,
  EnvironmentFacts,
  EnvironmentKind,
  EnvironmentTools,
  Step,
  SwitchedOff,
} from '../environment.ts';
import { fileStore } from '../file-store.ts';
import { findBinaries } from './binaries.ts';
import { type Cluster, portIn, readCluster } from './cluster.ts';
import { type EmbeddedConfig, embeddedSchema } from './config.ts';
import { planEmbedded } from './plan.ts';
import {
  ensureServing,
  returnTo,
  runningVersion,
  type StartRecipe,
  startByRecipe,
  stopByRecipe,
} from './restart.ts';

const mebibyte = 1024 ** 2;

export const embedded: EnvironmentKind<EmbeddedConfig> = {
  kind: 'embedded',
  schema: embeddedSchema,
  modes: ['plan', 'check', 'upgrade', 'resume', 'rollback'],
  open,
};

function open(config: EmbeddedConfig, tools: EnvironmentTools): Environment {
  const { connection, log, signal } = tools;
  const state = config.state ?? `${config.data.replace(/\/+$/, '')}.upgrade`;
  const found = new Map<string, Promise<Binaries>>();
  const binariesOf = (version: PgVersion): Promise<Binaries> => {
    const key = formatVersion(version);
    const known =
      found.get(key) ?? findBinaries(version, config.binaries, (text) => log.progress(text), signal);
    found.set(key, known);
    return known;
  };

  const recipeOf = (cluster: Cluster): StartRecipe => ({
    data: realpathSync(config.data),
    bin: cluster.binaries.bin,
    version: formatVersion(cluster.binaries.version),
    args: portIn(cluster.args) === null ? [...cluster.args, '-p', String(config.port)] : cluster.args,
    log: cluster.log ?? join(state, 'server.log'),
  });

  /**
   * The programs of the version that runs, which are the way back. A package upgrade replaces them in place while the
   * server goes on with the old ones in memory: then they must come from somewhere else.
   */
  const programsOfRunning = async (cluster: Cluster, running: PgVersion): Promise<Binaries> => {
    if (compareVersions(cluster.binaries.version, running) === 0) return cluster.binaries;
    return binariesOf(running).catch((cause: unknown) => {
      throw new UpgradeError(
        'binaries-replaced',
        `The server runs ${formatVersion(running)}, but its programs in ${cluster.binaries.bin} are ${formatVersion(cluster.binaries.version)} by now: there is no way back to ${formatVersion(running)}.`,
        {
          phase: 'inspect',
          hint: `Put programs of ${formatVersion(running)} into a folder that environment.binaries finds.`,
          docs: 'embedded.md#binaries',
          cause,
        },
      );
    });
  };

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
    await using client = await connect(connection, { name: 'postgres-upgrade inspect' });
    const [row] = await client.query<{ data: string; port: string }>(
      "SELECT pg_catalog.current_setting('data_directory') AS data, pg_catalog.current_setting('port') AS port",
    );
    // A server started through a symbolic link reports the link.
    if (row && realpathSync(config.data) !== resolved(row.data)) {
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

  const preflight = (wanted: PgVersion): Step => ({
    isDone: async () => false,
    async run(step) {
      const cluster = await readCluster(config.data);
      const binaries = await binariesOf(wanted);
      const { code, stderr } = await run(
        [
          join(binaries.bin, 'postgres'),
          '-D',
          config.data,
          ...recipeOf(cluster).args,
          '-C',
          'shared_buffers',
        ],
        { env: binaries.env, user: cluster.user, signal: step.signal, timeout: 60_000 },
      );
      step.note(`${join(binaries.bin, 'postgres')} (${binaries.source})`);
      if (code !== 0) {
        throw new UpgradeError(
          'config-refused',
          `PostgreSQL ${formatVersion(wanted)} refuses the configuration.`,
          {
            phase: 'upgrade',
            hint: `${lastLines(stderr, 3)}\nThe old server was not stopped. Mend the setting, then run again.`,
            docs: 'embedded.md#preflight',
          },
        );
      }
      return { state: 'done' };
    },
  });

  const checkpoint: Step = {
    isDone: async () => false,
    async run() {
      await writeCheckpoint();
      return { state: 'done' };
    },
  };

  const writeCheckpoint = async (): Promise<void> => {
    await using client = await connect(connection, {
      name: 'postgres-upgrade checkpoint',
      statementTimeout: 0,
    });
    await client.script('CHECKPOINT');
  };

  const restart = (facts: EnvironmentFacts, wanted: PgVersion): Step => ({
    isDone: async () =>
      (await serverPid(config.data)) !== null &&
      compareVersions(await runningVersion(connection), wanted) === 0,
    async run(step) {
      const cluster = await readCluster(config.data);
      const programs = await programsOfRunning(cluster, await runningVersion(connection));
      const old = { ...recipeOf(cluster), bin: programs.bin, version: formatVersion(programs.version) };
      const binaries = await binariesOf(wanted);
      await step.switchOff({
        id: 'server',
        what: `the server ${old.version} is stopped for the restart`,
        detail: old,
      });
      await writeCheckpoint();
      const stopped = Date.now();
      await stopByRecipe(old);
      step.note(`${old.version} stopped in ${Date.now() - stopped} ms`);
      const started = Date.now();
      await startByRecipe({ ...old, bin: binaries.bin, version: formatVersion(wanted) }, connection);
      step.note(
        `${formatVersion(wanted)} answered after ${Date.now() - started} ms, started from ${binaries.bin}`,
      );
      await step.isBack('server');
      await step.isBack('woken');
      return { state: 'done' };
    },
    async undo(step) {
      const old = await oldRecipe(facts);
      await returnTo(old, connection);
      step.note(`${old.version} serves again, started from ${old.bin}`);
      await step.isBack('server');
    },
  });

  /** The journal knows how the old server was started, also in a later job. */
  const oldRecipe = async (facts: EnvironmentFacts): Promise<StartRecipe> => {
    for (const lines of [await store.read(), ...(await store.readArchives())]) {
      for (const line of lines.toReversed()) {
        const entry = JSON.parse(line) as { kind: string; entry?: SwitchedOff };
        if (entry.kind === 'switched-off' && entry.entry?.id === 'server')
          return entry.entry.detail as StartRecipe;
      }
    }
    return { ...recipeOf(await readCluster(config.data)), version: formatVersion(facts.running) };
  };

  const store = fileStore(state);
  return {
    inspect,
    endpoint: async () => connection,
    planRoute: planEmbedded,
    home: { journal: store, backups: join(state, 'backups') },

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

    step(id, facts, wanted) {
      if (id === 'preflight') return preflight(wanted);
      if (id === 'checkpoint') return checkpoint;
      if (id === 'restart') return restart(facts, wanted);
      throw new Error(`embedded has no step ${id}`);
    },

    async putBack(entry, step) {
      const recipe = entry.detail as StartRecipe;
      if (entry.id === 'woken') await stopByRecipe(recipe);
      else await ensureServing(recipe, connection, step.progress);
    },

    async disks(databaseBytes, backupFolder) {
      const free = async (path: string): Promise<number> => {
        const { bavail, bsize } = await statfs(path);
        return bavail * bsize;
      };
      let existing = backupFolder;
      while ((await statfs(existing).catch(() => null)) === null) existing = dirname(existing);
      return [
        // Measured: a dump at gzip level 1 is about a third of the database; the restored copy is about as large as it.
        {
          purpose: 'backup and its proof',
          path: backupFolder,
          freeBytes: await free(existing),
          neededBytes: Math.ceil(databaseBytes * 1.8) + 128 * mebibyte,
        },
        {
          purpose: 'data directory',
          path: config.data,
          freeBytes: await free(config.data),
          neededBytes: 256 * mebibyte,
        },
      ];
    },

    async wantedExtensions(wanted) {
      return extensionVersions(await binariesOf(wanted));
    },

    async scratch(wanted, options, abort) {
      const cluster = await readCluster(config.data);
      return startScratch(await binariesOf(wanted), options, cluster.user, abort);
    },

    async close() {},
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
