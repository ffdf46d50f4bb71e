/** The steps of an embedded cluster: preflight, checkpoint, restart; and where the programs for them come from. */
import { join } from 'node:path';
import { UpgradeError } from '../../errors.ts';
import { type Binaries, binariesIn } from '../../postgres/binaries.ts';
import { findBinaries } from '../../postgres/find-binaries.ts';
import { serverPid } from '../../postgres/server.ts';
import { compareVersions, formatVersion, type PgVersion } from '../../postgres/version.ts';
import { lastLines, run } from '../../process/run.ts';
import { writeCheckpoint } from '../checkpoint.ts';
import type { EnvironmentFacts, EnvironmentTools, LineStore, Step, SwitchedOff } from '../environment.ts';
import { type Cluster, environmentOf, portIn, readCluster } from './cluster.ts';
import type { EmbeddedConfig } from './config.ts';
import { returnTo, runningVersion, type StartRecipe, startByRecipe, stopByRecipe } from './restart.ts';

/** What `embedded.ts` takes from here. */
export interface EmbeddedSteps {
  /** Server programs of a version, found or downloaded once. */
  binariesOf(version: PgVersion): Promise<Binaries>;
  /** How the cluster was started last. */
  recipeOf(cluster: Cluster): StartRecipe;
  /** What the programs of a version say against the configuration. */
  configErrors(wanted: PgVersion): Promise<string[]>;
  preflight(wanted: PgVersion): Step;
  checkpoint: Step;
  restart(facts: EnvironmentFacts, wanted: PgVersion): Step;
}

/** @param state folder of journal and server log */
export function embeddedSteps(
  config: EmbeddedConfig,
  state: string,
  store: LineStore,
  tools: EnvironmentTools,
): EmbeddedSteps {
  const { connection, log, signal } = tools;
  const found = new Map<string, Promise<Binaries>>();
  const binariesOf = (version: PgVersion): Promise<Binaries> => {
    const key = formatVersion(version);
    const known =
      found.get(key) ?? findBinaries(version, config.binaries, (text) => log.progress(text), signal);
    found.set(key, known);
    return known;
  };

  const recipeOf = (cluster: Cluster): StartRecipe => ({
    data: cluster.data,
    bin: cluster.binaries.bin,
    version: formatVersion(cluster.binaries.version),
    args: portIn(cluster.args) === null ? [...cluster.args, '-p', String(config.port)] : cluster.args,
    log: cluster.log ?? join(state, 'server.log'),
    ...(cluster.oomScoreAdj === null ? {} : { oomScoreAdj: cluster.oomScoreAdj }),
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

  /** What programs say against the cluster's configuration: `-C` parses all of it and starts nothing. */
  const refusals = async (cluster: Cluster, binaries: Binaries, abort: AbortSignal): Promise<string[]> => {
    const { code, stderr } = await run(
      [join(binaries.bin, 'postgres'), '-D', config.data, ...recipeOf(cluster).args, '-C', 'shared_buffers'],
      { env: binaries.env, user: cluster.user, signal: abort, timeout: 60_000 },
    );
    return code === 0 ? [] : (lastLines(stderr, 3) || `postgres -C ended with exit code ${code}`).split('\n');
  };

  const preflight = (wanted: PgVersion): Step => ({
    isDone: async () => false,
    async run(step) {
      const cluster = await readCluster(config.data);
      // Better found here than after the stop.
      await programsOfRunning(cluster, await runningVersion(connection));
      const binaries = await binariesOf(wanted);
      step.note(`${join(binaries.bin, 'postgres')} (${binaries.source})`);
      const errors = await refusals(cluster, binaries, step.signal);
      if (errors.length > 0) {
        throw new UpgradeError(
          'config-refused',
          `PostgreSQL ${formatVersion(wanted)} refuses the configuration.`,
          {
            phase: 'upgrade',
            hint: `${errors.join('\n')}\nThe old server was not stopped. Mend the setting, then run again.`,
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
      await writeCheckpoint(connection);
      return { state: 'done' };
    },
  };

  /** The old server's own variables, which archive commands and libraries may need; never written anywhere. */
  let variables: Record<string, string> = {};

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
      await writeCheckpoint(connection);
      variables = await environmentOf(cluster.pid);
      const stopped = Date.now();
      await stopByRecipe(old);
      step.note(`${old.version} stopped in ${Date.now() - stopped} ms`);
      const started = Date.now();
      await startByRecipe(
        { ...old, bin: binaries.bin, version: formatVersion(wanted) },
        connection,
        variables,
      );
      step.note(
        `${formatVersion(wanted)} answered after ${Date.now() - started} ms, started from ${binaries.bin}`,
      );
      await step.isBack('server');
      await step.isBack('woken');
      return { state: 'done' };
    },
    async undo(step) {
      const old = await oldRecipe(facts);
      const cluster = await readCluster(config.data);
      await assertOldReads(old, cluster, step.signal);
      await step.switchOff({
        id: 'server',
        what: `the server is stopped to go back to ${old.version}`,
        detail: old,
      });
      try {
        if (cluster.pid !== null) variables = await environmentOf(cluster.pid);
        await returnTo(old, connection, variables);
      } catch (cause) {
        // Better the new version than none: what was stopped for the way back is started again.
        if (cluster.pid !== null && (await serverPid(config.data)) === null) {
          await startByRecipe(recipeOf(cluster), connection, variables);
          step.note(
            `${old.version} did not start; ${formatVersion(cluster.binaries.version)} was started again`,
          );
          await step.isBack('server');
        }
        throw cause;
      }
      step.note(`${old.version} serves again, started from ${old.bin}`);
      await step.isBack('server');
      await step.isBack('woken');
    },
  });

  /** A setting of the newer version in the files keeps the older one from starting: better known before the stop. */
  const assertOldReads = async (old: StartRecipe, cluster: Cluster, abort: AbortSignal): Promise<void> => {
    const binaries = cluster.pid === null ? null : await binariesIn(old.bin, 'journal');
    const errors = binaries ? await refusals(cluster, binaries, abort) : [];
    if (errors.length === 0) return;
    throw new UpgradeError(
      'rollback-config',
      `PostgreSQL ${old.version} refuses the configuration as it is now.`,
      {
        phase: 'rollback',
        hint: `${errors.join('\n')}\nNothing was stopped. Take back what the older version does not know, then go back again.`,
        docs: 'embedded.md#preflight',
      },
    );
  };

  /** How the server of the version before the upgrade was started: the journal knows, also in a later job. */
  const oldRecipe = async (facts: EnvironmentFacts): Promise<StartRecipe> => {
    for (const lines of [await store.read(), ...(await store.readArchives())]) {
      for (const line of lines.toReversed()) {
        const entry = JSON.parse(line) as { kind: string; entry?: SwitchedOff };
        if (entry.kind !== 'switched-off' || entry.entry?.id !== 'server') continue;
        const recipe = entry.entry.detail as StartRecipe;
        // An older upgrade's recipe would lead to an older version than the one before this upgrade.
        if (recipe.version === formatVersion(facts.running)) return recipe;
      }
    }
    // Nothing was stopped yet: the old server still runs, whatever its programs are by now.
    return { ...recipeOf(await readCluster(config.data)), version: formatVersion(facts.running) };
  };

  const configErrors = async (wanted: PgVersion): Promise<string[]> =>
    refusals(await readCluster(config.data), await binariesOf(wanted), signal);

  return { binariesOf, recipeOf, configErrors, preflight, checkpoint, restart };
}
