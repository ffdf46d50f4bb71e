/** Installing package files, forward and back: one job that keeps PostgreSQL from being stopped or started meanwhile. */
import { UpgradeError } from '../../errors.ts';
import type { Host } from '../../process/host.ts';
import { awaitJobs, type JobEnd, runJob } from '../../process/job.ts';
import { lastLines } from '../../process/run.ts';
import type { StepRun, SwitchedOff } from '../environment.ts';
import { filesWhole } from './fetch.ts';
import type { DebianFacts } from './look.ts';
import { installScript, repairScript } from './package-scripts.ts';
import type { Chosen } from './packages.ts';
import type { Saved } from './saved.ts';

/** Id of the journal's entry while packages are being installed. */
export const installing = 'installation';

/** Half an hour: dpkg may have to wait for a slow disk, and nobody may end it half way. */
const patience = 1_800_000;

/** What an installation needs to be put right in any later job. */
interface InstallDetail {
  /** Packages whose hold has to be there afterwards. */
  held: string[];
}

/** Whether exactly these versions are installed. Pure. */
export function areInstalled(seen: Pick<DebianFacts, 'installed'>, packages: readonly Chosen[]): boolean {
  return packages.every(({ name, version }) =>
    seen.installed.some((each) => each.name === name && each.version === version),
  );
}

/**
 * Installs every saved file of one side. Clusters stay as they are.
 * @throws UpgradeError `packages-changed` where the files are not what was saved, `packages-install`
 */
export async function installSaved(
  host: Host,
  state: string,
  saved: Saved,
  folder: 'old' | 'new',
  held: readonly string[],
  step: StepRun,
): Promise<void> {
  if (!(await filesWhole(host, state, saved, folder))) {
    throw new UpgradeError(
      'packages-changed',
      `The package files in ${state}/saved/${folder} are not what was saved there.`,
      {
        phase: folder === 'old' ? 'rollback' : 'upgrade',
        hint:
          folder === 'old'
            ? `Install these by hand: apt-get install --allow-downgrades ${saved.old.map(({ name, version }) => `${name}=${version}`).join(' ')}.`
            : 'Nothing was installed. Run again: they are fetched anew.',
      },
    );
  }
  const detail: InstallDetail = { held: [...held] };
  await step.switchOff({
    id: installing,
    what: 'packages are being installed, and may not restart PostgreSQL (policy-rc.d)',
    detail,
  });
  const end = await runFiles(host, state, folder, held, step);
  if (end.code === 0) return await step.isBack(installing);
  throw new UpgradeError('packages-install', `apt-get ended with exit code ${end.code}.`, {
    phase: folder === 'old' ? 'rollback' : 'upgrade',
    hint: lastLines(end.output, 6) || 'It printed nothing.',
    docs: 'debian.md#when-apt-fails',
  });
}

/** Installs the files of one side. */
function runFiles(
  host: Host,
  state: string,
  folder: 'old' | 'new',
  held: readonly string[],
  step: StepRun,
): Promise<JobEnd> {
  return runJob(
    host,
    {
      folder: `${state}/jobs`,
      name: folder === 'old' ? 'install-old' : 'install-new',
      script: installScript,
      args: [`${state}/saved/${folder}`, `${state}/empty`, held.join(' ')],
      timeout: patience,
    },
    { progress: step.progress, onLine: (line) => dpkgLine(line, step) },
  );
}

/** Waits until no work of an earlier run is left; one that was killed meanwhile has ended, too. */
export async function settleJobs(
  host: Host,
  folder: string,
  progress: (text: string) => void,
): Promise<void> {
  await awaitJobs(host, folder, patience, { progress }).catch((cause: unknown) => {
    if (!(cause instanceof UpgradeError && cause.code === 'job-lost')) throw cause;
  });
}

/** Of dpkg's lines, those that tell how far it is. */
function dpkgLine(line: string, step: StepRun): void {
  if (/^(Unpacking|Setting up) /.test(line)) step.progress(line.trim());
}

/**
 * Puts right what an installation left whose end nobody saw: waits for it, opens the policy, finishes dpkg's work. Where
 * dpkg cannot finish it, the packages from before are installed again.
 * @param lookAtSaved what is saved, asked once nothing is at work any more
 * @throws UpgradeError `packages-broken`
 */
export async function settleInstallation(
  host: Host,
  state: string,
  entry: SwitchedOff,
  lookAtSaved: () => Promise<Saved | null>,
  step: StepRun,
): Promise<void> {
  const { held } = entry.detail as InstallDetail;
  await settleJobs(host, `${state}/jobs`, step.progress);
  const end = await runJob(
    host,
    {
      folder: `${state}/jobs`,
      name: 'repair',
      script: repairScript,
      args: [held.join(' ')],
      timeout: patience,
    },
    { progress: step.progress },
  );
  if (end.code === 0) return;
  const saved = await lookAtSaved();
  if (saved !== null && (await filesWhole(host, state, saved, 'old'))) {
    const back = await runFiles(host, state, 'old', held, step);
    if (back.code === 0)
      return step.note(`dpkg could not finish the installation: the packages of ${saved.from} are back`);
  }
  throw new UpgradeError('packages-broken', 'dpkg has packages that are half installed.', {
    phase: 'rollback',
    hint: `${lastLines(end.output, 4)}\nThe server was not touched by it. The packages from before could not be installed again either: look at dpkg --audit there, mend it, then run again.`,
    docs: 'debian.md#when-apt-fails',
  });
}
