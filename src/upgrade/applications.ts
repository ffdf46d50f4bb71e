/** Stopping applications before the change and starting them again, whatever happens. */
import type { StepRun, SwitchedOff } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import type { ApplicationSpec } from '../spec/schema.ts';
import { type AskedApplication, awaitWell, isAsked, type Place } from './application-health.ts';

const prefix = 'application:';

/** An application that is stopped and started, not only looked at. */
export type StoppedApplication = ApplicationSpec & { stop: string[]; start: string[] };

/** Whether the spec says how it is stopped and started. */
export function isStopped(application: ApplicationSpec): application is StoppedApplication {
  return application.stop !== undefined && application.start !== undefined;
}

/** Id of the journal's entry for a stopped application. */
export function applicationEntry(name: string): string {
  return `${prefix}${name}`;
}

/** Whether a journal's entry is a stopped application. */
export function isApplication(entry: SwitchedOff): boolean {
  return entry.id.startsWith(prefix);
}

async function call(
  argv: readonly string[],
  what: string,
  runsOn: ApplicationSpec['runs-on'],
  place: Place,
): Promise<void> {
  const [program, ...args] = argv;
  if (program === undefined) return;
  const there = runsOn === 'target' ? place.command : undefined;
  const { code, stderr, stdout } = there
    ? await there([program, ...args], 600_000)
    : await run([program, ...args], { timeout: 600_000, shielded: true, leavesChildren: true });
  if (code === 0) return;
  throw new UpgradeError('application', `${what} failed: ${argv.join(' ')} ended with exit code ${code}.`, {
    phase: 'upgrade',
    hint: lastLines(stderr) || lastLines(stdout) || 'It printed nothing.',
  });
}

/**
 * Stops one after the other, each written to the journal first.
 * @param until step until which they must stay off once clients are broken
 * @throws UpgradeError `application`
 */
export async function stopApplications(
  applications: readonly StoppedApplication[],
  step: StepRun,
  until: string | null = null,
  place: Place = {},
): Promise<void> {
  for (const application of applications) {
    const { name, stop } = application;
    await step.switchOff({
      id: applicationEntry(name),
      what: `application ${name} is stopped`,
      detail: application,
      ...(until ? { until } : {}),
    });
    step.progress(`stopping ${name}`);
    await call(stop, `Stopping ${name}`, application['runs-on'], place);
    step.note(`${name} stopped`);
  }
}

/** Seconds that an application which did not answer before the upgrade is waited for: it keeps nobody from anything. */
const unwellPatience = 30;

/**
 * Starts an application and waits until its health URL answers.
 * @param current the applications of today's spec
 * @param unwell names of those that did not answer before the upgrade: they are started, and need not answer now
 * @throws UpgradeError `application`, `application-health`
 */
export async function startApplication(
  entry: SwitchedOff,
  current: readonly ApplicationSpec[],
  progress: (text: string) => void,
  place: Place = {},
  unwell: readonly string[] = [],
): Promise<void> {
  const stopped = entry.detail as StoppedApplication;
  // The spec of today wins: a command that was wrong when the application was stopped may have been mended since.
  const application = current.filter(isStopped).find(({ name }) => name === stopped.name) ?? stopped;
  progress(`starting ${application.name}`);
  await call(application.start, `Starting ${application.name}`, application['runs-on'], place);
  if (isAsked(application)) await awaitHealth(application, 'was started, but', progress, place, unwell);
}

/**
 * Waits until an application that nobody stopped answers.
 * @param unwell names of those that did not answer before the upgrade
 * @throws UpgradeError `application-health`
 */
export async function awaitWatched(
  application: AskedApplication,
  progress: (text: string) => void,
  place: Place,
  unwell: readonly string[],
): Promise<void> {
  await awaitHealth(application, 'was not stopped, but', progress, place, unwell);
}

async function awaitHealth(
  application: AskedApplication,
  what: string,
  progress: (text: string) => void,
  place: Place,
  unwell: readonly string[],
): Promise<void> {
  const { name, health, 'start-timeout': most } = application;
  const before = unwell.includes(name);
  const seconds = before ? Math.min(most, unwellPatience) : most;
  const { well, seen } = await awaitWell(application, seconds, place, { progress });
  if (well) return;
  if (before) {
    progress(`${name} does not answer (${seen}): it did not before the upgrade either`);
    return;
  }
  throw new UpgradeError(
    'application-health',
    `${name} ${what} ${health} did not answer within ${seconds} seconds (${seen}).`,
    {
      phase: 'upgrade',
      hint: `Look at the application's own log. The database is up.`,
      docs: 'applications.md#health',
    },
  );
}
