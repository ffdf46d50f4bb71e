/**
 * The journal of a run: written ahead of every step, so that a later job can put right what a killed one left.
 * It holds only what cannot be read back from the world, and the facts that a comparison needs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LineStore, SwitchedOff } from '../environments/environment.ts';
import { messageOf, UpgradeError } from '../errors.ts';
import type { BackupRecord, Mode, PlanRecord, Result } from '../report/record.ts';
import type { ExtensionBefore, ExtensionUpdate } from '../report/record-extensions.ts';
import type { Rehearsed } from '../report/record-rehearsal.ts';
import type { Snapshot } from '../report/snapshot.ts';

/** Id of the entry while indexes are being rebuilt: until it is gone, some have the one order, some the other. */
export const mixedOrder = 'collations';

/** The first line, and one more for every process that goes on. */
export interface Begin {
  kind: 'begin';
  at: string;
  run: string;
  host: string;
  pid: number;
  mode: Mode;
  from: string;
  wanted: string;
  /** Name in the spec: two machines may keep their journals under the same path. */
  target?: string;
  /** Of the plan that was begun. */
  digest?: string;
  /** What that digest covers: a resumed run is held to it, as far as it does not change with the upgrade itself. */
  decision?: PlanRecord['decision'];
  /** What tells this process from a later one with the same number; empty where the system does not say. */
  birth?: string;
}

/** One line. */
export type JournalEntry =
  | Begin
  | { kind: 'snapshot'; at: string; snapshot: Snapshot }
  | { kind: 'step'; at: string; id: string; state: 'started' | 'done' | 'paused' | 'failed' | 'undone' }
  | { kind: 'switched-off'; at: string; entry: SwitchedOff }
  | { kind: 'put-back'; at: string; id: string }
  | { kind: 'backup'; at: string; backup: BackupRecord }
  | { kind: 'rebuild'; at: string; database: string; index: string; state: 'started' | 'failed' }
  | { kind: 'unwell'; at: string; applications: string[] }
  | { kind: 'extensions'; at: string; extensions: ExtensionBefore[] }
  | { kind: 'extension-update'; at: string; update: ExtensionUpdate; state: 'started' | 'over' }
  | { kind: 'rehearsed'; at: string; rehearsed: Rehearsed }
  | { kind: 'end'; at: string; result: Result };

/** What a journal says, read from its lines. Pure. */
export interface JournalState {
  begin: Begin | null;
  /** Whether an upgrade was begun in this journal: an unfinished one and its way back share it. */
  holdsUpgrade: boolean;
  /** How the run ended; null while it runs, and where it was killed. */
  ended: Result | null;
  /** Taken right before the first step that breaks clients; what the target is compared with afterwards. */
  snapshot: Snapshot | null;
  /** The last backup that was taken for this upgrade. */
  backup: BackupRecord | null;
  steps: Map<string, 'started' | 'done' | 'paused' | 'failed' | 'undone'>;
  /** Switched off and not put back, oldest first. */
  outstanding: SwitchedOff[];
  /** Indexes that were, or may have been, rebuilt by a library that sorts otherwise than the older version's. */
  rebuilt: { database: string; index: string }[];
  /** Applications that did not answer before anything was changed. */
  unwell: string[];
  /** The extensions that the spec names, right before the first change; null where nobody looked. */
  extensions: ExtensionBefore[] | null;
  /** Updates of extensions that were made, or may have been, oldest first; `over` once failed or taken back. */
  extensionUpdates: (ExtensionUpdate & { state: 'started' | 'over' })[];
  /** In the journal of a rehearsal: how it went. */
  rehearsed: Rehearsed | null;
}

/** Whether a step was begun that may have changed something: a backup changes nothing. */
export function hasBegun({ steps }: Pick<JournalState, 'steps'>): boolean {
  return [...steps.keys()].some((id) => id !== 'backup');
}

/**
 * A resumed run is the same upgrade by another process, and keeps the plan that it began with. As long as only the
 * backup was begun nothing was: then it is the plan of the newest run that counts.
 */
function begunBy(state: JournalState, entry: Begin): Begin {
  const { digest: newest, decision: newestDecision, ...rest } = entry;
  const first = state.begin ?? entry;
  const { digest, decision } =
    !hasBegun(state) && newest !== undefined ? { digest: newest, decision: newestDecision } : first;
  return {
    ...rest,
    from: first.from,
    wanted: first.wanted,
    ...(digest === undefined ? {} : { digest }),
    ...(decision === undefined ? {} : { decision }),
  };
}

/** Replays the lines. */
export function readJournal(lines: readonly string[]): JournalState {
  const state: JournalState = {
    begin: null,
    holdsUpgrade: false,
    ended: null,
    snapshot: null,
    backup: null,
    steps: new Map(),
    outstanding: [],
    rebuilt: [],
    unwell: [],
    extensions: null,
    extensionUpdates: [],
    rehearsed: null,
  };
  for (const line of lines) {
    const entry = JSON.parse(line) as JournalEntry;
    switch (entry.kind) {
      case 'begin':
        state.begin = begunBy(state, entry);
        state.ended = null;
        state.holdsUpgrade ||= entry.mode !== 'rollback';
        break;
      case 'snapshot':
        state.snapshot = entry.snapshot;
        break;
      case 'step':
        state.steps.set(entry.id, entry.state);
        // What was found good is not there any more.
        if (entry.state === 'undone') state.steps.delete('validate');
        break;
      case 'switched-off':
        // A resumed run may switch off again what is off: only the first time tells how it was.
        if (!state.outstanding.some(({ id }) => id === entry.entry.id)) state.outstanding.push(entry.entry);
        break;
      case 'put-back':
        state.outstanding = state.outstanding.filter(({ id }) => id !== entry.id);
        if (entry.id === mixedOrder) state.rebuilt = [];
        break;
      case 'rebuild':
        state.rebuilt = state.rebuilt.filter(
          ({ database, index }) => database !== entry.database || index !== entry.index,
        );
        if (entry.state === 'started') state.rebuilt.push({ database: entry.database, index: entry.index });
        break;
      case 'backup':
        state.backup = entry.backup;
        break;
      case 'unwell':
        state.unwell = entry.applications;
        break;
      case 'extensions':
        state.extensions = entry.extensions;
        break;
      case 'extension-update':
        state.extensionUpdates = state.extensionUpdates.filter((each) => !isSameUpdate(each, entry.update));
        state.extensionUpdates.push({ ...entry.update, state: entry.state });
        break;
      case 'rehearsed':
        state.rehearsed = entry.rehearsed;
        break;
      case 'end':
        state.ended = entry.result;
        break;
    }
  }
  return state;
}

/** Whether two lines tell of the same update. Pure. */
export function isSameUpdate(one: ExtensionUpdate, other: ExtensionUpdate): boolean {
  return (['extension', 'database', 'from', 'to'] as const).every((key) => one[key] === other[key]);
}

/** The journal of one target, open for writing. */
export interface Journal {
  state(): JournalState;
  /** Whether what it holds is this run's to put back: it was begun by this run, or taken over from a dead one. */
  isOurs(): boolean;
  /** Takes over what a dead run left. */
  adopt(): void;
  begin(entry: Omit<Begin, 'kind' | 'at' | 'host' | 'pid' | 'birth'>): Promise<void>;
  snapshot(snapshot: Snapshot): Promise<void>;
  step(id: string, state: 'started' | 'done' | 'paused' | 'failed' | 'undone'): Promise<void>;
  switchedOff(entry: SwitchedOff): Promise<void>;
  putBack(id: string): Promise<void>;
  backup(backup: BackupRecord): Promise<void>;
  /** Applications that do not answer before anything is changed: they are not blamed on the upgrade. */
  unwell(applications: string[]): Promise<void>;
  rehearsed(rehearsed: Rehearsed): Promise<void>;
  extensions(extensions: ExtensionBefore[]): Promise<void>;
  /** Told before an extension is updated, and once that failed or was taken back. */
  extensionUpdate(update: ExtensionUpdate, state: 'started' | 'over'): Promise<void>;
  /** Told before an index is rebuilt, and again where that failed and left it as it was. */
  rebuild(database: string, index: string, state: 'started' | 'failed'): Promise<void>;
  /**
   * Ends the run: `keep` the journal for a later `resume`, `archive` it for a later `rollback`, or `discard` it where
   * nothing was changed.
   */
  end(result: Result, then: 'keep' | 'archive' | 'discard'): Promise<void>;
}

/** @throws UpgradeError `journal-corrupt` */
export async function openJournal(store: LineStore, now: () => Date): Promise<Journal> {
  const lines = await store.read();
  try {
    readJournal(lines);
  } catch (cause) {
    throw new UpgradeError(
      'journal-corrupt',
      `The journal ${store.where} cannot be read: ${messageOf(cause)}.`,
      {
        phase: 'inspect',
        hint: 'Look at its last lines and at the target, then move it away. docs/modes.md says what it holds.',
        cause,
      },
    );
  }
  const write = async (entry: JournalEntry): Promise<void> => {
    const line = JSON.stringify(entry);
    await store.append(line);
    lines.push(line);
  };
  const at = (): string => now().toISOString();
  let ours = false;
  return {
    state: () => readJournal(lines),
    isOurs: () => ours,
    adopt() {
      ours = true;
    },
    async begin(entry) {
      ours = true;
      await write({
        kind: 'begin',
        at: at(),
        host: hostname(),
        pid: process.pid,
        birth: birthOf(process.pid),
        ...entry,
      });
    },
    snapshot: (snapshot) => write({ kind: 'snapshot', at: at(), snapshot }),
    step: (id, state) => write({ kind: 'step', at: at(), id, state }),
    switchedOff: (entry) => write({ kind: 'switched-off', at: at(), entry }),
    putBack: (id) => write({ kind: 'put-back', at: at(), id }),
    backup: (backup) => write({ kind: 'backup', at: at(), backup }),
    unwell: (applications) => write({ kind: 'unwell', at: at(), applications }),
    rehearsed: (rehearsed) => write({ kind: 'rehearsed', at: at(), rehearsed }),
    extensions: (extensions) => write({ kind: 'extensions', at: at(), extensions }),
    extensionUpdate: (update, state) => write({ kind: 'extension-update', at: at(), update, state }),
    rebuild: (database, index, state) => write({ kind: 'rebuild', at: at(), database, index, state }),
    async end(result, then) {
      if (!ours || lines.length === 0) return;
      await write({ kind: 'end', at: at(), result });
      if (then === 'archive') await store.archive(at().replaceAll(/[:.]/g, '-'));
      if (then === 'discard') await store.discard();
    },
  };
}

/**
 * Boot and start time of a process (field 22 of /proc/PID/stat, proc(5)): its number alone may be somebody else's by
 * now. Empty where there is no such process, or a dead one that nobody has waited for.
 */
function birthOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return fields[0] === 'Z' ? '' : `${boot} ${fields[19]}`;
  } catch {
    return '';
  }
}

/** Whether the process that wrote the journal's last `begin` is still at work on this machine. */
export function isAlive(begin: Begin): boolean {
  if (begin.host !== hostname() || begin.pid === process.pid) return false;
  if (begin.birth && existsSync('/proc/self/stat')) return birthOf(begin.pid) === begin.birth;
  try {
    process.kill(begin.pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
