/** Stopping applications before the change and starting them again, whatever happens. */
import type { StepRun, SwitchedOff } from '../environments/environment.ts';
import { messageOf, UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import type { ApplicationSpec } from '../spec/schema.ts';

const prefix = 'application:';

/** Id of the journal's entry for a stopped application. */
export function applicationEntry(name: string): string {
  return `${prefix}${name}`;
}

/** Whether a journal's entry is a stopped application. */
export function isApplication(entry: SwitchedOff): boolean {
  return entry.id.startsWith(prefix);
}

async function call(argv: readonly string[], what: string, signal?: AbortSignal): Promise<void> {
  const [program, ...args] = argv;
  if (program === undefined) return;
  const { code, stderr, stdout } = await run([program, ...args], {
    signal,
    timeout: 600_000,
    shielded: true,
    leavesChildren: true,
  });
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
  applications: readonly ApplicationSpec[],
  step: StepRun,
  until: string | null = null,
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
    await call(stop, `Stopping ${name}`);
    step.note(`${name} stopped`);
  }
}

/**
 * Starts an application and waits until its health URL answers.
 * @param current the applications of today's spec
 * @throws UpgradeError `application`, `application-health`
 */
export async function startApplication(
  entry: SwitchedOff,
  current: readonly ApplicationSpec[],
  progress: (text: string) => void,
): Promise<void> {
  const stopped = entry.detail as ApplicationSpec;
  // The spec of today wins: a command that was wrong when the application was stopped may have been mended since.
  const application = current.find(({ name }) => name === stopped.name) ?? stopped;
  progress(`starting ${application.name}`);
  await call(application.start, `Starting ${application.name}`);
  if (application.health)
    await awaitHealth(application.name, application.health, application['start-timeout']);
}

async function awaitHealth(name: string, url: string, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  let last = 'no answer';
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'manual' });
      await response.body?.cancel();
      if (response.ok) return;
      last = `HTTP ${response.status}`;
    } catch (cause) {
      last = messageOf(cause);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new UpgradeError(
    'application-health',
    `${name} was started, but ${url} did not answer within ${seconds} seconds (${last}).`,
    {
      phase: 'upgrade',
      hint: `Look at the application's own log. The database is up.`,
    },
  );
}
