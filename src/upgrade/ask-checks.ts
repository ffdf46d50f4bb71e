/** Runs the whole catalogue against a target and puts the results into the record. */
import { allChecks } from '../checks/catalogue.ts';
import { type CheckContext, type CheckResult, defaultThresholds } from '../checks/check.ts';
import { runChecks } from '../checks/run.ts';
import { type Database, listDatabases } from '../postgres/databases.ts';
import type { PgVersion } from '../postgres/version.ts';
import { backupFolder } from './backup-step.ts';
import { connectTo, type Run } from './target.ts';

/** Asks all of them; results are in the record when it returns. */
export async function askChecks(
  run: Run,
  when: 'before' | 'after',
  running: PgVersion,
  wanted: PgVersion,
): Promise<CheckResult[]> {
  const { environment, context, recorder, settings } = run;
  const databases = await databasesOf(run);
  const bytes = databases.reduce((total, database) => total + database.bytes, 0);
  const checkContext: CheckContext = {
    when,
    running,
    wanted,
    thresholds: defaultThresholds,
    disks: when === 'before' ? await environment.disks(bytes, backupFolder(run)) : [],
    wantedExtensions: await environment.wantedExtensions(wanted),
    configErrors: null,
    release: { today: context.now().toISOString().slice(0, 10), endOfLife: null, mustRead: [] },
  };
  const results = await runChecks(allChecks, checkContext, {
    connect: (database) => connectTo(run, database),
    databases: databases.map(({ name }) => name),
    mainDatabase: settings.database,
    signal: context.signal,
    onProgress: (text) => context.log.progress(`${run.spec.name}: ${text}`),
  });
  recorder.record.checks.push(...results);
  recorder.save();
  return results;
}

async function databasesOf(run: Run): Promise<Database[]> {
  await using connection = await connectTo(run);
  return await listDatabases(connection);
}
