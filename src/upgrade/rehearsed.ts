/** Earlier rehearsals of a target, as its rehearsal journal remembers them. */

import { messageOf } from '../errors.ts';
import type { UpgradeRecord } from '../report/record.ts';
import type { RehearsalRecord, Rehearsed } from '../report/record-rehearsal.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { digestOf } from './digest.ts';
import { readJournal } from './journal.ts';
import type { Run } from './target.ts';

/**
 * Digest over what a rehearsal is judged by. One that asked less says nothing about this spec: a pull request that takes
 * the smoke queries out must not open the gate for the spec that has them.
 */
export function basisOf({ spec, context }: Pick<Run, 'spec' | 'context'>): string {
  const files = (list: TargetSpec['health']): unknown[] =>
    list.map((entry) => [entry, context.files.get(entry.file) ?? null]);
  return digestOf({
    health: files(spec.health),
    smoke: files(spec.rehearsal.smoke),
    disabled: spec.checks.disable,
    thresholds: spec.checks.thresholds,
    connection: spec.connection,
    environment: spec.environment,
  });
}

/** What an archive remembers; null where it cannot be read. */
function rehearsedIn(lines: readonly string[]): Rehearsed | null {
  try {
    return readJournal(lines).rehearsed;
  } catch {
    return null;
  }
}

/** What is remembered of a rehearsal. Pure. */
export function rehearsedOf(
  record: UpgradeRecord,
  rehearsal: RehearsalRecord,
  basis: string,
  now: Date,
): Rehearsed {
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
    taken: rehearsal.backup?.taken ?? null,
    basis,
    failure: failed ? (`${failed.title}: ${failed.output.at(-1) ?? ''}`.split('\n')[0] ?? null) : null,
  };
}

/**
 * The newest finished rehearsal from `from` to `wanted` (versions as texts); null where there is none.
 * @param basis counts only those that were judged by the same; all by default
 */
export async function lastRehearsal(
  run: Run,
  from: string,
  wanted: string,
  basis?: string,
): Promise<Rehearsed | null> {
  const { rehearsals } = run.environment.home;
  // What nobody can read any more is no rehearsal, and must not keep anybody from an upgrade.
  const archives = await rehearsals.readArchives().catch((cause: unknown) => {
    run.context.log.info(`${rehearsals.where}: earlier rehearsals cannot be read: ${messageOf(cause)}`);
    return [];
  });
  for (const lines of archives) {
    const rehearsed = rehearsedIn(lines);
    if (rehearsed?.from !== from || rehearsed.wanted !== wanted) continue;
    if (basis === undefined || rehearsed.basis === basis) return rehearsed;
  }
  return null;
}
