/** The steps of a cluster of packages: packages, checkpoint, install, restart; and their way back. */
import { UpgradeError } from '../../errors.ts';
import { compareVersions, formatVersion, type PgVersion } from '../../postgres/version.ts';
import { lastLines } from '../../process/run.ts';
import { writeCheckpoint } from '../checkpoint.ts';
import type { EnvironmentFacts, Step, StepRun } from '../environment.ts';
import { installedPreflightScript, preflightScript } from './cluster-scripts.ts';
import type { DebianConfig } from './config.ts';
import {
  answering,
  assertServing,
  awaitServer,
  type ClusterRecipe,
  type Control,
  control,
  endOfLog,
  recipeOf,
} from './control.ts';
import { fetchPackages, savedFor } from './fetch.ts';
import { areInstalled, installSaved } from './install.ts';
import { type DebianFacts, packagesFor, serverVersion } from './look.ts';
import { postgresVersion, serverPackage } from './packages.ts';
import { isFor, type Saved } from './saved.ts';

/** What the steps work with. */
export interface DebianTools extends Control {
  config: DebianConfig;
  state: string;
  now: () => Date;
  /** What there is on the machine now. */
  seen: () => Promise<DebianFacts>;
}

/** Milliseconds. */
const day = 86_400_000;

/** The doing half of a step of this kind. */
export function debianStep(tools: DebianTools, id: string, facts: EnvironmentFacts, wanted: PgVersion): Step {
  const { seen } = tools;
  switch (id) {
    case 'packages':
      return packagesStep(tools, facts.running, wanted, seen);
    case 'checkpoint':
      return {
        isDone: async () => false,
        async run() {
          await writeCheckpoint(await tools.settings());
          return { state: 'done' };
        },
      };
    case 'install':
      return installStep(tools, facts.running, wanted, seen);
    case 'restart':
      return restartStep(tools, facts.running, wanted, seen);
    default:
      throw new Error(`debian has no step ${id}`);
  }
}

function packagesStep(
  tools: DebianTools,
  from: PgVersion,
  wanted: PgVersion,
  seen: () => Promise<DebianFacts>,
): Step {
  const { host, config, state } = tools;
  return {
    async isDone() {
      const facts = await seen();
      const saved = await savedFor(host, state, facts.saved, from, wanted);
      if (!saved) return false;
      // The lists may offer another build by now; what is installed already is what was fetched.
      if (areInstalled(facts, saved.new)) return true;
      // What an upgrade long ago saved would expire with that one, and this one's way back with it.
      if (Date.parse(saved.at) + day < tools.now().getTime()) return false;
      // Where the lists have moved on, the saved files are all that there is.
      const chosen = packagesFor(facts, from, wanted, config);
      return chosen.every(
        ({ name, version }) =>
          version === null ||
          [...saved.new, ...facts.installed].some((each) => each.name === name && each.version === version),
      );
    },
    async run(step) {
      const facts = await seen();
      step.progress('fetching packages');
      const saved = await fetchPackages(
        host,
        config,
        facts,
        state,
        { from, to: wanted, now: tools.now() },
        step,
      );
      await preflight(tools, facts, saved, wanted);
      step.note(`${Object.keys(saved.files).length} package files are kept in ${state}/saved`);
      return { state: 'done' };
    },
  };
}

/** Reads the configuration with the new programs before anything is stopped. @throws UpgradeError `config-refused` */
async function preflight(
  { host, config, state }: DebianTools,
  { cluster }: DebianFacts,
  saved: Saved,
  wanted: PgVersion,
): Promise<void> {
  const server = serverPackage(wanted.major);
  const file = Object.keys(saved.files).find((name) => name.startsWith(`new/${server}_`));
  if (!file) return;
  const { code, stderr } = await host.script(
    preflightScript,
    [`${state}/saved/${file}`, String(config.version), cluster.data, cluster.configuration],
    { timeout: 120_000 },
  );
  if (code === 0) return;
  throw new UpgradeError('config-refused', `PostgreSQL ${formatVersion(wanted)} refuses the configuration.`, {
    phase: 'upgrade',
    hint: `${lastLines(stderr, 3)}\nThe old server was not stopped. Mend the setting, then run again.`,
    docs: 'debian.md#packages',
  });
}

/** Names on hold among those that were saved: apt lifts the hold of what it installs. */
export async function heldOf({ host }: Pick<DebianTools, 'host'>, saved: Saved): Promise<string[]> {
  const { stdout } = await host.run(['apt-mark', 'showhold']);
  const names = new Set([...saved.new, ...saved.old].map(({ name }) => name));
  return stdout.split('\n').filter((name) => names.has(name));
}

/** @throws UpgradeError `packages-lost`: without them there is neither a way forward nor one back */
function assertSaved(saved: Saved | null, from: PgVersion, to: PgVersion, state: string): Saved {
  if (isFor(saved, formatVersion(from), formatVersion(to))) return saved;
  throw new UpgradeError(
    'packages-lost',
    `The packages of ${formatVersion(from)} are not in ${state}/saved any more.`,
    {
      phase: 'rollback',
      hint: `Install ${serverPackage(from.major)} of ${formatVersion(from)} by hand (apt-cache madison ${serverPackage(from.major)}), restart the cluster, then run the action with mode: rollback again.`,
      docs: 'debian.md#going-back',
    },
  );
}

function installStep(
  tools: DebianTools,
  from: PgVersion,
  wanted: PgVersion,
  seen: () => Promise<DebianFacts>,
): Step {
  const { host, state } = tools;
  return {
    async isDone() {
      const facts = await seen();
      return (
        isFor(facts.saved, formatVersion(from), formatVersion(wanted)) && areInstalled(facts, facts.saved.new)
      );
    },
    async run(step) {
      const facts = await seen();
      const saved = assertSaved(facts.saved, from, wanted, state);
      const begun = performance.now();
      await installSaved(host, state, saved, 'new', await heldOf(tools, saved), step);
      const now = await seen();
      if (!areInstalled(now, saved.new)) {
        throw new UpgradeError('packages-install', 'apt-get ended well, but other versions are installed.', {
          phase: 'upgrade',
          hint: `Installed: ${now.installed.map(({ name, version }) => `${name}=${version}`).join(', ')}.`,
        });
      }
      const { version } = await answering(await tools.settings());
      step.note(
        `${saved.new.map(({ name, version: exact }) => `${name} ${exact}`).join(', ')} installed in ${Math.round(performance.now() - begun)} ms`,
      );
      step.note(`${formatVersion(version)} went on serving meanwhile`);
      return { state: 'done' };
    },
    async undo(step) {
      await installOld(tools, from, wanted, seen, step);
    },
  };
}

/** Installs what was installed before; nothing where it is there. The server is not touched. */
async function installOld(
  tools: DebianTools,
  from: PgVersion,
  wanted: PgVersion,
  seen: () => Promise<DebianFacts>,
  step: StepRun,
): Promise<void> {
  const facts = await seen();
  const saved = facts.saved;
  if (isFor(saved, formatVersion(from), formatVersion(wanted)) && areInstalled(facts, saved.old)) {
    const { stdout } = await tools.host.run(['dpkg', '--audit']);
    if (stdout.trim() === '') return;
  } else {
    const installed = postgresVersion(serverVersion(facts, from.major) ?? '');
    // A person may have gone back by hand.
    if (saved === null && installed && compareVersions(installed, from) === 0) return;
  }
  const own = assertSaved(saved, from, wanted, tools.state);
  await installSaved(tools.host, tools.state, own, 'old', await heldOf(tools, own), step);
  step.note(`${own.old.map(({ name, version }) => `${name} ${version}`).join(', ')} installed again`);
}

function restartStep(
  tools: DebianTools,
  from: PgVersion,
  wanted: PgVersion,
  seen: () => Promise<DebianFacts>,
): Step {
  const recipe = async (): Promise<ClusterRecipe> => {
    const facts = await seen();
    return recipeOf(tools.host, facts.cluster, facts.supervisor);
  };
  return {
    async isDone() {
      const found = await answering(await tools.settings()).catch(() => null);
      return found !== null && compareVersions(found.version, wanted) === 0;
    },
    async run(step) {
      const own = await recipe();
      await step.switchOff({
        id: 'server',
        what: `the server ${formatVersion(from)} is stopped for the restart`,
        detail: own,
      });
      await writeCheckpoint(await tools.settings());
      await restartAndVerify(tools, own, wanted, step);
      await step.isBack('server');
      await step.isBack('woken');
      return { state: 'done' };
    },
    async undo(step) {
      await installOld(tools, from, wanted, seen, step);
      const facts = await seen();
      const found = await answering(await tools.settings()).catch(() => null);
      if (found && compareVersions(found.version, from) === 0) {
        step.note(`${formatVersion(from)} serves already`);
        return await backAgain(step);
      }
      if (found) await assertOldReads(tools, facts, from);
      const own = await recipeOf(tools.host, facts.cluster, facts.supervisor);
      await step.switchOff({
        id: 'server',
        what: `the server is stopped to go back to ${formatVersion(from)}`,
        detail: own,
      });
      try {
        await restartAndVerify(tools, own, from, step);
      } catch (cause) {
        if (found) await newRatherThanNone(tools, own, facts.saved, wanted, step);
        throw cause;
      }
      await backAgain(step);
    },
  };
}

async function backAgain(step: StepRun): Promise<void> {
  await step.isBack('server');
  await step.isBack('woken');
}

/** Better the new version than none: what was stopped for the way back is started again. */
async function newRatherThanNone(
  tools: DebianTools,
  recipe: ClusterRecipe,
  saved: Saved | null,
  wanted: PgVersion,
  step: StepRun,
): Promise<void> {
  if (saved === null || (await answering(await tools.settings()).catch(() => null)) !== null) return;
  await installSaved(tools.host, tools.state, saved, 'new', await heldOf(tools, saved), step);
  await restartAndVerify(tools, recipe, wanted, step);
  step.note(`${formatVersion(wanted)} was installed and started again`);
  await step.isBack('server');
}

async function restartAndVerify(
  tools: DebianTools,
  recipe: ClusterRecipe,
  version: PgVersion,
  step: StepRun,
): Promise<void> {
  const logged = await endOfLog(tools.host, recipe, 0, 0);
  const begun = performance.now();
  const end = await control(tools, recipe, 'restart');
  const found = await awaitServer(tools, recipe, end);
  const process = await assertServing(tools, recipe, found, version);
  step.note(
    `${formatVersion(version)} serves, process ${process.pid} of ${process.program}, ${Math.round(performance.now() - begun)} ms after the command`,
  );
  const since = await endOfLog(tools.host, recipe, logged?.size ?? 0, 64 * 1024);
  if (since) {
    const bad = since.text.split('\n').filter((line) => /\b(FATAL|PANIC|ERROR):/.test(line));
    step.note(
      `${since.source} since the start: ${bad.length === 0 ? 'no line with ERROR, FATAL or PANIC' : `${bad.length} ${bad.length === 1 ? 'line' : 'lines'} with ERROR, FATAL or PANIC, those of refused clients among them; the validation judges what is new`}`,
    );
  }
}

/** A setting of the newer version in the files keeps the older one from starting: better known before the stop. */
async function assertOldReads(tools: DebianTools, { cluster }: DebianFacts, from: PgVersion): Promise<void> {
  const { code, stderr } = await tools.host.script(installedPreflightScript, [
    String(tools.config.version),
    cluster.data,
    cluster.configuration,
  ]);
  if (code === 0) return;
  throw new UpgradeError(
    'rollback-config',
    `PostgreSQL ${formatVersion(from)} refuses the configuration as it is now.`,
    {
      phase: 'rollback',
      hint: `${lastLines(stderr, 3)}\nThe server was not stopped: the newer one goes on, with the packages of ${formatVersion(from)} beside it. Take back what the older version does not know, then go back again.`,
      docs: 'debian.md#going-back',
    },
  );
}
