/** Health snapshots of the target, and what their difference means for the run. */
import { compareSnapshots } from '../health/diff.ts';
import { takeSnapshot } from '../health/snapshot.ts';
import { listDatabaseNames } from '../postgres/databases.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { thresholdsOf } from './ask-checks.ts';
import { connectTo } from './connect.ts';
import { factsOfUpdates } from './extension-update.ts';
import { newSettings } from './needed-settings.ts';
import { heldReadOnly } from './read-only-step.ts';
import type { Run } from './target.ts';

/** Measures the target as it is now. Reads only. @throws Cancelled */
export async function snapshotOf(run: Run, signal: AbortSignal = run.context.signal): Promise<Snapshot> {
  const { context, environment, spec } = run;
  context.log.progress(`${spec.name}: measuring the databases' health`);
  const databases = await (async () => {
    await using connection = await connectTo(run);
    return await listDatabaseNames(connection);
  })();
  return await takeSnapshot({
    connect: (database) => connectTo(run, database),
    databases,
    signal,
    now: context.now,
    readOnlyByUs: heldReadOnly(run.journal.state().outstanding),
    ...(environment.serverLog ? { serverLog: environment.serverLog } : {}),
  });
}

/** Measures again, and puts both snapshots and their difference into the record. */
export async function compareWith(
  run: Run,
  before: Snapshot,
  expected: PgVersion,
  signal: AbortSignal = run.context.signal,
): Promise<FactRecord[]> {
  const { record, save } = run.recorder;
  const after = await snapshotOf(run, signal);
  record.health = { before, after };
  const facts = compareSnapshots(before, after, {
    wantedNum: expected.major * 10_000 + expected.minor,
    changed: [
      ...(run.environment.changedFacts?.(record.plan?.route ?? '') ?? []),
      ...newSettings(record.plan).map((name) => `setting ${name}`),
      ...factsOfUpdates(run.journal.state().extensionUpdates),
    ],
    thresholds: thresholdsOf(run.spec),
  });
  // The checks ask again, object by object, whether anything sorts by another version than the recorded one.
  const rebuilt = record.steps.some(({ id, state }) => id === 'collations' && state === 'done');
  record.facts = facts.map((fact) =>
    rebuilt && fact.verdict === 'unexpected' && /collation .*version mismatch/.test(fact.name)
      ? { ...fact, verdict: 'expected', why: 'what depends on it was rebuilt' }
      : fact,
  );
  save();
  return record.facts;
}
