/** What is known of the last upgrade of a target that is not opened: from its journals, and from its last record. */
import { kindOf } from '../environments/registry.ts';
import { messageOf } from '../errors.ts';
import type { Result, UpgradeRecord } from '../report/record.ts';
import type { LoadedTarget } from '../spec/load.ts';
import type { Outside, RunContext } from './context.ts';
import { type JournalEntry, readJournal } from './journal.ts';

/** How one run on a target ended. */
export interface Outcome {
  /** When, in milliseconds since 1970; infinite for a run that has not ended. */
  at: number;
  /** Null where it has not ended. */
  result: Result | null;
  /** Version that it led to; null for none. */
  version: string | null;
}

/** Outcomes of a target, and what kept anybody from looking. */
export interface Evidence {
  outcomes: Outcome[];
  unreadable: string[];
}

/** Runs that found nothing to do, or were refused, say nothing of the version that runs. */
const silent: readonly (Result | null)[] = ['skipped', 'refused'];

/**
 * What a journal's lines tell of a target; null for nothing. Pure.
 * @throws where a line cannot be read
 */
export function journalOutcome(lines: readonly string[], target: string): Outcome | null {
  const { begin, ended } = readJournal(lines);
  // Two machines may keep the journals of two targets under the same path.
  if (!begin || begin.target !== target) return null;
  const last = lines.map((line) => JSON.parse(line) as JournalEntry).findLast(({ kind }) => kind === 'end');
  if (ended === null || ended === 'paused' || !last)
    return { at: Number.POSITIVE_INFINITY, result: ended, version: null };
  if (silent.includes(ended)) return null;
  return { at: Date.parse(last.at), result: ended, version: ended === 'success' ? begin.wanted : null };
}

/** What a record tells of its target; null for nothing. Pure. */
export function recordOutcome(record: UpgradeRecord): Outcome | null {
  const { result, finished, started, versions, mode } = record;
  if (silent.includes(result) || !['upgrade', 'resume', 'rollback'].includes(mode)) return null;
  return {
    at: result === null ? Number.POSITIVE_INFINITY : Date.parse(finished ?? started),
    result,
    version: result === 'success' ? versions.now : null,
  };
}

/** A fleet asks for the same targets again and again, and its own records are uploaded only when the run has ended. */
const asked = new WeakMap<Outside, Map<string, Promise<UpgradeRecord | null>>>();

function lastRecordOf(name: string, outside: Outside): Promise<UpgradeRecord | null> {
  const records = asked.get(outside) ?? new Map<string, Promise<UpgradeRecord | null>>();
  asked.set(outside, records);
  const record = records.get(name) ?? outside.lastRecord(name);
  records.set(name, record);
  return record;
}

/** Looks at both; opens no target, and needs none of its secrets. Never throws. */
export async function evidenceOf(target: LoadedTarget, context: RunContext): Promise<Evidence> {
  const { name, environment } = target.spec;
  const evidence: Evidence = { outcomes: [], unreadable: [] };
  const add = (found: readonly (Outcome | null)[]): void => {
    evidence.outcomes.push(...found.filter((outcome) => outcome !== null));
  };
  const store = kindOf(environment).history?.(environment);
  if (store) {
    try {
      const journals = [await store.read(), ...(await store.readArchives())];
      add(journals.map((lines) => journalOutcome(lines, name)));
    } catch (cause) {
      evidence.unreadable.push(`its journal ${store.where} cannot be read: ${messageOf(cause)}`);
    }
  }
  try {
    const record = context.outside && (await lastRecordOf(name, context.outside));
    if (record) add([recordOutcome(record)]);
  } catch (cause) {
    // A journal tells of every run on its target: where there is one, a token without rights must not stop a fleet.
    if (evidence.outcomes.length === 0)
      evidence.unreadable.push(`its last record cannot be read: ${messageOf(cause)}`);
  }
  return evidence;
}
