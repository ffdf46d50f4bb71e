/** Earlier rehearsals of a target, as its rehearsal journal remembers them. */
import type { UpgradeRecord } from '../report/record.ts';
import type { RehearsalRecord, Rehearsed } from '../report/record-rehearsal.ts';
import { readJournal } from './journal.ts';
import type { Run } from './target.ts';

/** What is remembered of a rehearsal. Pure. */
export function rehearsedOf(record: UpgradeRecord, rehearsal: RehearsalRecord, now: Date): Rehearsed {
  const failed = rehearsal.stages.find(({ state }) => state === 'failed');
  return {
    at: now.toISOString(),
    passed: rehearsal.passed,
    from: rehearsal.backup?.server ?? record.versions.from ?? '',
    wanted: record.versions.wanted,
    exact: rehearsal.exact,
    run: record.run?.url ?? record.host,
    expectedDowntimeMs: rehearsal.measures.expectedDowntimeMs,
    restoreMs: rehearsal.measures.restoreMs,
    failure: failed ? (`${failed.title}: ${failed.output.at(-1) ?? ''}`.split('\n')[0] ?? null) : null,
  };
}

/** The newest finished rehearsal from `from` to `wanted` (versions as texts); null where there is none. */
export async function lastRehearsal(run: Run, from: string, wanted: string): Promise<Rehearsed | null> {
  for (const lines of await run.environment.home.rehearsals.readArchives()) {
    const { rehearsed } = readJournal(lines);
    if (rehearsed && rehearsed.from === from && rehearsed.wanted === wanted) return rehearsed;
  }
  return null;
}
