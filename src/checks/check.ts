/** What a check is: a question in SQL (or about the machine), and how its answer is judged. */

import type { PgVersion } from '../postgres/version.ts';
import type { PackageFacts } from './packages.ts';

/**
 * `error` means that the question could not be answered: it counts as unknown, never as passed.
 * `skipped` says why nobody asked; `disabled` that the spec switched it off.
 */
export type CheckStatus = 'passed' | 'info' | 'warning' | 'blocked' | 'error' | 'skipped' | 'disabled';

/** Limits that turn what was seen into a verdict. Bytes are bytes, ages are seconds or transactions. */
export interface Thresholds {
  /** Transactions open longer than this are warned about. Seconds. */
  longTransactionWarning: number;
  /** Transactions open longer than this block: the fast stop would throw their work away. Seconds. */
  longTransactionBlock: number;
  /** Prepared transactions older than this are warned about. Seconds. */
  preparedTransactionWarning: number;
  /** Age of the oldest unfrozen transaction id. Transactions. */
  xidAgeWarning: number;
  xidAgeBlock: number;
  /** WAL that a replication slot holds back. Bytes. */
  slotRetainedWarning: number;
  /** Replay lag of a standby. Bytes. One WAL segment. */
  replayLagBlock: number;
  /** Finished WAL files that wait for the archiver: a fast stop waits for it to try them. Files. */
  archiveBacklogWarning: number;
  archiveBacklogBlock: number;
  /** Sessions that do nothing inside a transaction for longer than this are warned about. Seconds. */
  idleInTransactionWarning: number;
  /** Sessions that wait for a lock for longer than this are warned about. Seconds. */
  lockWaitWarning: number;
  /** pg_wal is warned about above this many times max_wal_size. */
  walDirWarning: number;
  /** WAL since the last checkpoint from which a stop is told to be slow. Bytes. */
  checkpointDistanceInfo: number;
  /** Share of max_connections in use, 0 to 1. */
  connectionsWarning: number;
  /** Share of a sequence's range that is used up, 0 to 1. */
  sequenceWarning: number;
  sequenceBlock: number;
  /** Indexes that another C library or ICU would put out of order are told of from this size on. Bytes. */
  collationIndexesInfo: number;
  /** More large objects than this in a database are told of. Objects. */
  largeObjectsWarning: number;
  /** Share of the lock table that a dump may fill, 0 to 1. */
  locksBlock: number;
  /** Tables that were never analyzed are told of above this many rows. Rows. */
  neverAnalyzedInfo: number;
  /** A version whose fixes end sooner than this is warned about. Days. */
  endOfLifeWarning: number;
  /** A statement is told of when its mean latency grew by this factor ... */
  latencyFactor: number;
  /** ... and is above this after the upgrade, in milliseconds ... */
  latencyMilliseconds: number;
  /** ... over at least this many calls on both sides. */
  latencyCalls: number;
}

/** Values that ship; each is explained in docs/checks.md. */
export const defaultThresholds: Thresholds = {
  longTransactionWarning: 60,
  longTransactionBlock: 600,
  preparedTransactionWarning: 300,
  xidAgeWarning: 1_000_000_000,
  xidAgeBlock: 1_800_000_000,
  slotRetainedWarning: 1024 ** 3,
  replayLagBlock: 16 * 1024 ** 2,
  archiveBacklogWarning: 10,
  archiveBacklogBlock: 1000,
  idleInTransactionWarning: 60,
  lockWaitWarning: 5,
  walDirWarning: 2,
  checkpointDistanceInfo: 1024 ** 3,
  connectionsWarning: 0.9,
  sequenceWarning: 0.8,
  sequenceBlock: 0.95,
  collationIndexesInfo: 1024 ** 3,
  largeObjectsWarning: 100_000,
  locksBlock: 0.8,
  neverAnalyzedInfo: 10_000,
  endOfLifeWarning: 180,
  latencyFactor: 2,
  latencyMilliseconds: 20,
  latencyCalls: 50,
};

/** Free space where something will be written. */
export interface DiskFact {
  /** What is written there: `backup`, `data directory`... */
  purpose: string;
  path: string;
  freeBytes: number;
  neededBytes: number;
  /** Which filesystem it is (its device number), where known: needs on the same one are added up. */
  filesystem?: string;
}

/** What a check may look at besides its own rows. All of it was read before. */
export interface CheckContext {
  when: 'before' | 'after';
  running: PgVersion;
  wanted: PgVersion;
  thresholds: Thresholds;
  /** Filesystems that the run writes to; empty after the upgrade. */
  disks: readonly DiskFact[];
  /** Versions of each extension that the wanted server's files offer; null where nobody could look. */
  wantedExtensions: ReadonlyMap<string, readonly string[]> | null;
  /**
   * What the wanted version's programs say against the configuration, line by line; empty where they take it, null
   * where nobody asked them.
   */
  configErrors: readonly string[] | null;
  /** What a package manager says; missing where the target has none, and after the upgrade. */
  packages?: PackageFacts;
  release: ReleaseContext;
  /** How the version changes, as the plan names it (`dump-restore`); missing where nobody knows yet. */
  route?: string;
}

/** What checks may know of releases. Days are YYYY-MM-DD. */
interface ReleaseContext {
  today: string;
  /** Last day with fixes of the wanted major; null where it is not known. */
  endOfLife: string | null;
  /** Releases on the way whose notes a person must read, without those that the spec says were read. */
  mustRead: readonly { version: string; why: string; link: string }[];
}

/** One row of a check's answer. */
export type Row = Record<string, unknown>;

/** What a check concluded. `seen` is for people: one line an object, hostile text allowed, escaped where it is shown. */
export interface Verdict {
  /** `skipped` where the server cannot know the answer; `seen` then says why. */
  status: 'passed' | 'info' | 'warning' | 'blocked' | 'skipped';
  seen: string[];
}

/** One question and its judge. */
export interface Check {
  /** Stable; used in the spec, the record and the documentation's anchors. */
  id: string;
  title: string;
  /** `machine`: no SQL, judged from the context. `database`: asked in every database that accepts connections. */
  scope: 'machine' | 'cluster' | 'database';
  /** Asked only then; both times where it is missing. */
  when?: 'before' | 'after';
  /** Asked only where running and wanted major differ; else it is not among the results at all. */
  upgrade?: 'major';
  /** Asked only where the target has that; else it is not among the results at all. */
  needs?: 'packages';
  /** Oldest server major on which `sql` runs. */
  minMajor: number;
  /** Newest server major that can have the fault; a newer one is not asked, and has no result. */
  maxMajor?: number;
  /** Predefined role without which the server hides rows instead of refusing: unknown must not pass as none. */
  role?: 'pg_read_all_stats' | 'pg_read_all_settings';
  /** What gives another user than a superuser the right to ask, with USER for its name; pg_monitor where missing. */
  grant?: string;
  /** One statement, read only, every name qualified; null for scope `machine`. */
  sql: string | null;
  /** What to do when it fires, in a sentence. */
  fix: string;
  /**
   * Pure. Rows of a database check carry the database's name in `database`.
   * @throws where a row lacks what it must have: the result is then `error`
   */
  judge(rows: readonly Row[], context: CheckContext): Verdict;
}

/** A check's result as it stands in the record. */
export interface CheckResult {
  id: string;
  title: string;
  when: 'before' | 'after';
  status: CheckStatus;
  seen: string[];
  fix: string | null;
  docs: string;
}
