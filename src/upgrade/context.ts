/** What every run is given from outside: nothing in `upgrade/` reads a clock, a variable or an input by itself. */
import type { Log } from '../process/log.ts';
import type { Secrets } from '../process/secrets.ts';
import type { Mode, UpgradeRecord } from '../report/record.ts';

/** One for all targets of a run. */
export interface RunContext {
  mode: Mode;
  log: Log;
  secrets: Secrets;
  /** Fires when the run should stop; steps that must not be interrupted finish first. */
  signal: AbortSignal;
  /** Variables that `env:NAME` refers to. */
  variables: Readonly<Record<string, string | undefined>>;
  now: () => Date;
  identity: UpgradeRecord['run'];
  /** Version of the action itself. */
  version: string;
  /** Folder of the reports; each target has one inside. */
  outputDirectory: string;
  /** Text of the files that specs name, by their path from the root of the repository. */
  files: ReadonlyMap<string, string>;
  /** Digest that was approved; empty for none. */
  planDigest: string;
}

/** How a run is named to others: in the lock, in the journal. */
export function runName(context: RunContext): string {
  const { identity } = context;
  return identity
    ? `run ${identity.runId}.${identity.attempt} by ${identity.actor}`
    : `process ${process.pid}`;
}

/** Where the run speaks to people, as the communication log names it. */
export function channel(context: RunContext): string {
  return context.identity ? 'log and summary of the workflow run' : 'terminal';
}

/** Day of the run as YYYY-MM-DD, UTC. */
export function today(context: RunContext): string {
  return context.now().toISOString().slice(0, 10);
}
