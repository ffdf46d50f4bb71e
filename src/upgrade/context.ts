/** What every run is given from outside: nothing in `upgrade/` reads a clock, a variable or an input by itself. */
import type { Log } from '../process/log.ts';
import type { Secrets } from '../process/secrets.ts';
import type { PlanFile } from '../report/plan-file.ts';
import type { Gate, Mode, UpgradeRecord } from '../report/record.ts';
import type { ChangeRecord } from '../report/record-change.ts';

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
  /** plan.json of the approved plan, checked, where the input plan-file gave it; null for none. */
  approvedPlan: PlanFile | null;
  /** Which backup is rehearsed (`fresh`, `latest-artifact`, an absolute path); empty for what the spec says. */
  rehearseFrom: string;
  /** Refusals that a person overrides by name. */
  overrides: ReadonlySet<Gate>;
  /** Whether a pull request started the run: what it brings is nobody's yet. */
  onPullRequest: boolean;
  /** Whether a target is opened then whose spec the pull request changes in more than its version. */
  pullRequestChanges: 'version-only' | 'allow';
  /** What the pull request or push that started the run changes, by target; nothing for other events. */
  changes: ReadonlyMap<string, ChangeRecord>;
  /** What only GitHub can tell; null where there is none. */
  outside: Outside | null;
}

/** What GitHub keeps of earlier runs, in this and in other jobs. */
export interface Outside {
  /** plan.json that was uploaded with this digest; null where none is found. */
  approvedPlan(target: string, digest: string): Promise<PlanFile | null>;
  /**
   * The record of the last upgrade, resume or rollback of a target; null for none. Those that found nothing to do, or
   * were refused, are passed over: they would hide the upgrade before them.
   */
  lastRecord(target: string): Promise<UpgradeRecord | null>;
  /**
   * Downloads the newest uploaded dump of a target into `folder`, as it was uploaded.
   * @throws UpgradeError `artifact-missing`, `artifact-download`
   */
  latestDump(target: string, folder: string, signal: AbortSignal): Promise<UploadedDump>;
}

/** A dump as it was uploaded. */
export interface UploadedDump {
  /** Path of the downloaded file. */
  file: string;
  /** For people: the artifact's name and the run that made it. */
  where: string;
  encrypted: boolean;
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

/** Whether a mode leaves the target as it is. */
export function looksOnly(mode: Mode): boolean {
  return mode === 'plan' || mode === 'check' || mode === 'rehearse';
}

/** Day of the run as YYYY-MM-DD, UTC. */
export function today(context: RunContext): string {
  return context.now().toISOString().slice(0, 10);
}
