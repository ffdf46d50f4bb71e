/** Making sure that a cluster serves, whatever a dead run has left: by what is installed, else by what was before. */
import type { StepRun } from '../environment.ts';
import { answering, awaitServer, type ClusterRecipe, control, serverProcess } from './control.ts';
import { areInstalled, installSaved, settleJobs } from './install.ts';
import { type DebianTools, heldOf } from './steps.ts';

/** What `debian.ts` takes from here. */
export interface Serving {
  /** Starts the cluster where it does not run, and waits until it answers. @throws UpgradeError `server-start` */
  ensureServing(recipe: ClusterRecipe): Promise<void>;
  /** Whether the data directory was left by a clean stop: only then may another version start on it. */
  stoppedCleanly(recipe: ClusterRecipe): Promise<boolean>;
  /** As `ensureServing`; where the new version does not start, the packages from before are installed again first. */
  serveAgain(recipe: ClusterRecipe, step: StepRun): Promise<void>;
}

/** For one cluster. */
export function servingOf(tools: DebianTools): Serving {
  const { host, config, state } = tools;
  const answers = async (): Promise<boolean> =>
    (await answering(await tools.settings()).catch(() => null)) !== null;

  const ensureServing = async (recipe: ClusterRecipe): Promise<void> => {
    if (await answers()) return;
    // A restart that a dead run began may be between its stop and its start.
    await settleJobs(host, tools.jobs, tools.progress);
    if (await answers()) return;
    if ((await serverProcess(host, recipe.data)) !== null) {
      try {
        await awaitServer(tools, recipe, { code: 0, output: '' });
        return;
      } catch (cause) {
        // It was on its way down, not up.
        if ((await serverProcess(host, recipe.data)) !== null) throw cause;
      }
    }
    await awaitServer(tools, recipe, await control(tools, recipe, 'start'));
  };

  const stoppedCleanly = async ({ data }: ClusterRecipe): Promise<boolean> => {
    if ((await serverProcess(host, data)) !== null) return false;
    const { stdout } = await host.run([
      `/usr/lib/postgresql/${config.version}/bin/pg_controldata`,
      '--pgdata',
      data,
    ]);
    return /^Database cluster state:\s+shut down( in recovery)?$/m.test(stdout);
  };

  const serveAgain = async (recipe: ClusterRecipe, step: StepRun): Promise<void> => {
    try {
      return await ensureServing(recipe);
    } catch (cause) {
      const facts = await tools.seen();
      const { saved } = facts;
      if (saved === null || !areInstalled(facts, saved.new) || !(await stoppedCleanly(recipe))) throw cause;
      tools.progress(`${saved.to} does not start: back to ${saved.from}`);
      await installSaved(host, state, saved, 'old', await heldOf(tools, saved), step);
      await ensureServing(recipe);
      step.note(
        `${saved.to} did not start: the packages of ${saved.from} were installed again, and it serves`,
      );
    }
  };

  return { ensureServing, stoppedCleanly, serveAgain };
}
