/**
 * The small interface behind which every kind of environment lives.
 *
 * `docs/architecture.md` lays the five procedures on it, step by step. What the engine needs from an
 * environment is: what is there (`inspect`), which steps change the version (`planRoute`, pure), how each of
 * them is done (`step`), how to reach PostgreSQL (`endpoint`), where to prove a backup (`scratch`), a place
 * that outlives the job (`home`), and how to put back what was switched off (`putBack`).
 */
import type { z } from 'zod';
import type { DiskFact } from '../checks/check.ts';
import type { PackageFacts } from '../checks/packages.ts';
import type { ScratchOptions, ScratchServer } from '../postgres/scratch.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { ProgramAnswer } from '../process/host.ts';
import type { Log } from '../process/log.ts';
import type { Mode, PlannedStep } from '../report/record.ts';

/** How the version changes; `docs/architecture.md` tells which kind takes which. */
export type RouteName = 'minor-in-place' | 'rolling' | 'operator' | 'dump-restore';

/** What inspection read; never written to. Everything that is kind-specific stays in `details`. */
export interface EnvironmentFacts {
  /** Version that serves clients now; a stopped server's last version. */
  running: PgVersion;
  /** False for a server that was found stopped. */
  serving: boolean;
  /** Shown in plan and record: name and value. Nothing volatile (no process id, no size). */
  details: ReadonlyArray<readonly [string, string]>;
  /** What only the kind itself reads, in its own planner. */
  own?: unknown;
}

/**
 * Steps that the engine owns and an environment only places in its order. `configure` and `collations` belong right
 * behind the step that starts the new version, `extensions` behind them, `advice` at the very end: it never takes the
 * upgrade back. `read-only` and `drain` stand behind `stop-applications`, `read-write` and `start-applications` behind
 * `validate`, `watch` behind those.
 */
export type CommonStep =
  | 'backup'
  | 'stop-applications'
  | 'read-only'
  | 'drain'
  | 'configure'
  | 'collations'
  | 'extensions'
  | 'validate'
  | 'read-write'
  | 'start-applications'
  | 'watch'
  | 'advice';

/** One way from the running to the wanted version. */
export interface Route {
  name: RouteName;
  /** In order: the environment's own steps, and the names of common ones where they belong. */
  steps: ReadonlyArray<PlannedStep | CommonStep>;
  notes: readonly string[];
}

/** What a step did not do alone: it stops for a person. */
export type StepOutcome =
  | { state: 'done' }
  | {
      state: 'paused';
      /** What the person should look at. */
      look: string[];
    };

/** Something that a run switched off (or added) and must put back. Written to the journal before it is done. */
export interface SwitchedOff {
  id: string;
  /** For people: "application storefront is stopped". */
  what: string;
  /** What `putBack` needs, in any later job; never a secret. */
  detail: unknown;
  /**
   * Id of a step. Once a step that breaks clients has begun, this must stay off until that one is done or everything
   * was undone: an application must not find an empty database because a run died between switching and restoring.
   */
  until?: string;
}

/** What a running step is handed. */
export interface StepRun {
  signal: AbortSignal;
  progress(text: string): void;
  /** One line of the step's output in the record. */
  note(line: string): void;
  /** Writes to the journal first; the caller switches off afterwards. */
  switchOff(entry: SwitchedOff): Promise<void>;
  /** Tells that it is back as it was. */
  isBack(id: string): Promise<void>;
  /** Folder of the backup that this upgrade took, also where an earlier run of it did; null before there is one. */
  backupFolder: string | null;
}

/** One change. A step that is done already is not run again, whoever did it. */
export interface Step {
  isDone(): Promise<boolean>;
  run(run: StepRun): Promise<StepOutcome>;
  undo?(run: StepRun): Promise<void>;
}

/** A place for a few lines that a later job, perhaps on another machine, can read. */
export interface LineStore {
  /** For people: where the lines are. */
  where: string;
  read(): Promise<string[]>;
  /** Durable when it returns. */
  append(line: string): Promise<void>;
  /** Moves the lines away under a name; names sort by time. */
  archive(name: string): Promise<void>;
  /** Forgets the lines: they tell of nothing that a later job needs. */
  discard(): Promise<void>;
  /** The lines of every archive, newest first. */
  readArchives(): Promise<string[][]>;
  /** Removes all archives but the newest. */
  prune(keep: number): Promise<void>;
}

/** One opened target. Everything but the planner may fail with an UpgradeError. */
export interface Environment {
  inspect(): Promise<EnvironmentFacts>;
  /** Settings for a connection; an environment may open a tunnel for it. */
  endpoint(): Promise<ConnectionSettings>;
  /** Starts a target that was found stopped, so that it can be inspected and backed up. */
  wake?(run: StepRun): Promise<void>;
  /**
   * Makes sure that something serves, by the programs that served last: waits for a server that is coming or going, and
   * starts one that is gone, also after a crash. For the way back, which needs a clean stop.
   */
  revive?(run: StepRun): Promise<void>;
  /** Pure: no clock, no network. @throws UpgradeError where no route leads there */
  planRoute(facts: EnvironmentFacts, wanted: PgVersion): Route;
  /** The doing half of a planned step. */
  step(id: string, facts: EnvironmentFacts, wanted: PgVersion): Step;
  putBack(entry: SwitchedOff, run: StepRun): Promise<void>;
  /** Free and needed space where the run will write. */
  disks(databaseBytes: number, backupFolder: string): Promise<DiskFact[]>;
  /** Extension versions that the wanted server's files offer; null where that cannot be known. */
  wantedExtensions(wanted: PgVersion): Promise<ReadonlyMap<string, readonly string[]> | null>;
  /**
   * What the wanted version's own programs say against the configuration, line by line; empty where they take it. Reads
   * only. Missing, or null, where they cannot be asked.
   */
  configErrors?(wanted: PgVersion): Promise<readonly string[] | null>;
  /** End of the server's log, where it is a file that this job can read; null where it is not. */
  serverLog?(bytes: number): Promise<{ source: string; text: string; size: number } | null>;
  /** Takes settings out of what ALTER SYSTEM wrote, while nothing serves; missing where that cannot be done. */
  forgetSettings?(names: readonly string[]): Promise<void>;
  /** What a package manager would do, and what stands in its way; missing where there is none. Reads only. */
  packages?(wanted: PgVersion): Promise<PackageFacts>;
  /**
   * Runs a command of an application where its environment runs its own, with the same rights; beside the job where
   * this is missing. Not interrupted by a signal.
   */
  command?(argv: readonly [string, ...string[]], timeout: number): Promise<ProgramAnswer>;
  /**
   * An address by which this job reaches a TCP port as the target's machine sees it (`localhost` there is not ours);
   * the same address where the target is on this machine. Open until `close`.
   */
  reach?(host: string, port: number): Promise<{ host: string; port: number }>;
  /**
   * The way to the target's machine, where there is one that can break: how often it was opened so far, and a look that
   * opens it again where it is broken. Whoever lost a session meanwhile knows that the server need not have ended it.
   */
  way?: { opened(): number; reopen(): Promise<void> };
  /**
   * Makes this run the only one at work on the target, also while no server can hold a lock; let go by `close`, and by
   * the end of the process. @throws UpgradeError `locked`
   */
  claim?(who: string): Promise<void>;
  /** Removes what nobody needs after this run; what the way back needs stays for `keepDays`. Never throws. */
  tidy?(keepDays: number, now: Date): Promise<void>;
  /**
   * Names of facts that this route changes on purpose (a new major has another system identifier); all others must
   * be as before. None where it is missing.
   */
  changedFacts?(route: string): readonly string[];
  /** Step of a route until which applications must stay off once clients are broken; null for as soon as possible. */
  applicationsOffUntil?(route: string): string | null;
  scratch(wanted: PgVersion, options: ScratchOptions, signal: AbortSignal): Promise<ScratchServer>;
  /** Rehearsals have a journal of their own: they must not be taken for an upgrade. */
  home: { journal: LineStore; rehearsals: LineStore; backups: string };
  close(): Promise<void>;
}

/** What an environment is opened with. */
export interface EnvironmentTools {
  /** Name of the target in the spec: what an environment creates can be named after it and found again. */
  target: string;
  log: Log;
  signal: AbortSignal;
  connection: ConnectionSettings;
  /** The version that the spec asks for. */
  wanted: PgVersion;
  /** The value behind `env:NAME`, hidden from now on. @throws UpgradeError `secret-missing` */
  secret(reference: string): string;
}

/** One kind of environment, as the registry lists it. */
export interface EnvironmentKind<Config = never> {
  kind: string;
  /** Of the spec's `environment`, including its `kind`. */
  schema: z.ZodType<Config>;
  /** What it can really do; anything else is refused by name. */
  modes: readonly Mode[];
  open(config: Config, tools: EnvironmentTools): Environment;
  /**
   * The journal (`home.journal`) of a target that is not opened: what its earlier runs came to. Needs no secret and no
   * connection. Missing where it cannot be read without one.
   */
  history?(config: Config): LineStore | null;
}
