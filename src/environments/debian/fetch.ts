/** Fetching the packages of an upgrade, and saving those that are installed: nothing else is changed by it. */
import { Cancelled, UpgradeError } from '../../errors.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';
import type { Host } from '../../process/host.ts';
import { runJob } from '../../process/job.ts';
import { lastLines } from '../../process/run.ts';
import type { StepRun } from '../environment.ts';
import type { DebianConfig } from './config.ts';
import { before, type DebianFacts, packagesFor } from './look.ts';
import { checkSavedScript, fetchScript, keepScript, simulateScript } from './package-scripts.ts';
import { type Chosen, exactly, readSimulation } from './packages.ts';
import { isFor, readSums, type Saved, sumLines } from './saved.ts';

/** The exact packages of an upgrade. @throws UpgradeError `packages-missing` where the lists do not have the version */
export function chosenPackages(
  config: DebianConfig,
  seen: DebianFacts,
  running: PgVersion,
  wanted: PgVersion,
): Chosen[] {
  const packages = packagesFor(seen, running, wanted, config);
  const missing = packages.filter(({ version }) => version === null).map(({ name }) => name);
  if (missing.length > 0) {
    throw new UpgradeError(
      'packages-missing',
      `The package lists do not have ${formatVersion(wanted)} of ${missing.join(', ')}.`,
      {
        phase: 'upgrade',
        hint: `On offer: ${missing.map((name) => `${name} ${(seen.offers.get(name) ?? ['nothing']).join(', ')}`).join('; ')}. Look at the machine's sources (security and updates belong to them), or set the version in the spec to one that is offered.`,
      },
    );
  }
  return packages.flatMap(({ name, version }) => (version === null ? [] : [{ name, version }]));
}

/** Whether the saved files are there for this very change, and whole. */
export async function savedFor(
  host: Host,
  state: string,
  saved: Saved | null,
  from: PgVersion,
  to: PgVersion,
): Promise<Saved | null> {
  if (!isFor(saved, formatVersion(from), formatVersion(to))) return null;
  return (await filesWhole(host, state, saved, 'old')) && (await filesWhole(host, state, saved, 'new'))
    ? saved
    : null;
}

/** Whether every file of one folder is what was saved. */
export async function filesWhole(
  host: Host,
  state: string,
  saved: Saved,
  folder: 'old' | 'new',
): Promise<boolean> {
  const lines = sumLines(saved, folder);
  if (lines === '') return false;
  const { code } = await host.script(checkSavedScript, [state], { input: lines, timeout: 120_000 });
  return code === 0;
}

/** @throws UpgradeError `packages-missing`, `packages-surprise`, `packages-fetch` */
export async function fetchPackages(
  host: Host,
  config: DebianConfig,
  seen: DebianFacts,
  state: string,
  versions: { from: PgVersion; to: PgVersion; now: Date },
  step: Pick<StepRun, 'progress' | 'note' | 'signal'>,
): Promise<Saved> {
  const { from, to, now } = versions;
  const packages = chosenPackages(config, seen, from, to);
  const named = packages.map(exactly);
  const simulated = await host.script(simulateScript, named, { timeout: 120_000 });
  if (simulated.code !== 0) throw refused(simulated.stderr || simulated.stdout);
  const expected = new Set([...packages.map(({ name }) => name), ...config['allow-packages']]);
  const changes = readSimulation(simulated.stdout, expected);
  const surprise = changes.filter((change) => !change.expected);
  if (surprise.length > 0) {
    throw new UpgradeError(
      'packages-surprise',
      `The installation would also change ${surprise.map(({ name, to: end }) => `${name} (${end ?? 'removed'})`).join(', ')}.`,
      {
        phase: 'upgrade',
        hint: 'Nothing was changed. Where that is right, name them in environment.allow-packages; what is removed, remove or keep by hand first.',
        docs: 'debian.md#packages',
      },
    );
  }
  const old = changes.flatMap(({ name, from: version }) => (version === null ? [] : [{ name, version }]));
  const fresh = changes.flatMap(({ name, to: version }) => (version === null ? [] : [{ name, version }]));
  const end = await orCancelled(
    step.signal,
    runJob(
      host,
      {
        folder: `${state}/jobs`,
        name: 'fetch',
        script: fetchScript,
        args: [state, ...named, '--', ...old.map(exactly)],
        timeout: 1_800_000,
      },
      { progress: step.progress },
    ),
  );
  if (end.code !== 0) throw refused(end.output);
  const files = readSums(end.output);
  const saved: Saved = {
    version: 1,
    at: now.toISOString(),
    from: formatVersion(from),
    to: formatVersion(to),
    before: before(seen, from, to),
    old,
    new: fresh,
    files,
  };
  const kept = await host.script(keepScript, [state], { input: JSON.stringify(saved) });
  if (kept.code !== 0) throw refused(kept.stderr);
  for (const { name, from: was, to: is } of changes) step.note(`${name} ${was ?? 'new'} → ${is}`);
  return saved;
}

function refused(output: string): UpgradeError {
  return new UpgradeError(
    'packages-fetch',
    'The packages could not be fetched, or the present ones not saved.',
    {
      phase: 'upgrade',
      hint: `${lastLines(output, 5) || 'apt said nothing.'}\nNothing was changed. Where the present version cannot be had any more: apt-get install dpkg-repack makes a package of what is installed.`,
      docs: 'debian.md#packages',
    },
  );
}

/** What is left to itself: a download goes on, and the next run waits for it. @throws Cancelled */
async function orCancelled<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw new Cancelled();
  let stop = (): void => {};
  const cancelled = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Cancelled());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
