/** Runs the whole catalogue against a target and puts the results into the record. */
import { allChecks } from '../checks/catalogue.ts';
import { type CheckContext, type CheckResult, defaultThresholds, type Thresholds } from '../checks/check.ts';
import { runChecks } from '../checks/run.ts';
import { Cancelled, UpgradeError } from '../errors.ts';
import { type Database, listDatabases } from '../postgres/databases.ts';
import type { PgVersion } from '../postgres/version.ts';
import { endOfLife } from '../releases/releases.ts';
import { rehearsalGoesOn } from '../report/refusals.ts';
import { type TargetSpec, thresholdKeys } from '../spec/schema.ts';
import { backupFolder } from './backup-step.ts';
import { connectTo } from './connect.ts';
import { looksOnly, today } from './context.ts';
import type { Run } from './target.ts';

/**
 * Asks all of them; results are in the record when it returns.
 * @param only which checks by id; all by default
 */
export async function askChecks(
  run: Run,
  when: 'before' | 'after',
  running: PgVersion,
  wanted: PgVersion,
  only: (id: string) => boolean = () => true,
): Promise<CheckResult[]> {
  const { environment, context, recorder, settings } = run;
  const databases = await databasesOf(run);
  const bytes = databases.reduce((total, database) => total + database.bytes, 0);
  const checkContext: CheckContext = {
    when,
    running,
    wanted,
    ...(recorder.record.plan ? { route: recorder.record.plan.route } : {}),
    thresholds: thresholdsOf(run.spec),
    disks: when === 'before' ? await environment.disks(bytes, backupFolder(run)) : [],
    ...(await askPrograms(run, running, wanted)),
    ...(await askPackages(run, when, wanted)),
    release: {
      today: today(context),
      endOfLife: endOfLife(wanted.major),
      mustRead: recorder.record.release?.mustRead ?? [],
    },
  };
  // An upgrade reads the configuration with the new programs in a step of its own.
  const asked = allChecks.filter(
    ({ id }) => only(id) && (id !== 'config-preflight' || looksOnly(context.mode)),
  );
  const results = await runChecks(asked, checkContext, {
    connect: (database) => connectTo(run, database),
    databases: databases.map(({ name }) => name),
    mainDatabase: settings.database,
    signal: context.signal,
    disabled: new Set(run.spec.checks.disable),
    onProgress: (text) => context.log.progress(`${run.spec.name}: ${text}`),
  });
  recorder.record.checks.push(...results);
  recorder.save();
  return results;
}

/** The limits that ship, with those of the spec over them. Pure. */
export function thresholdsOf({ checks }: TargetSpec): Thresholds {
  const own = [...thresholdKeys].flatMap(([key, name]) => {
    const value = checks.thresholds[key];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...defaultThresholds, ...Object.fromEntries(own) };
}

/**
 * What only the wanted version's programs know. An upgrade reads the configuration with them in a step of its own;
 * mode check has told by then that there are none, mode rehearse tells it later; both go on without them.
 */
async function askPrograms(
  run: Run,
  running: PgVersion,
  wanted: PgVersion,
): Promise<Pick<CheckContext, 'wantedExtensions' | 'configErrors'>> {
  const { environment, context } = run;
  const reads = looksOnly(context.mode) && running.major === wanted.major;
  try {
    return {
      wantedExtensions: await environment.wantedExtensions(wanted),
      configErrors: reads ? ((await environment.configErrors?.(wanted)) ?? null) : null,
    };
  } catch (cause) {
    const goesOn = context.mode === 'check' || context.mode === 'rehearse';
    if (!goesOn || !(cause instanceof UpgradeError) || cause instanceof Cancelled) throw cause;
    if (context.mode === 'rehearse') run.recorder.issue(cause, rehearsalGoesOn);
    return { wantedExtensions: null, configErrors: null };
  }
}

/** What a package manager would do; nothing after the change, and nothing where there is none. */
async function askPackages(
  { environment }: Run,
  when: 'before' | 'after',
  wanted: PgVersion,
): Promise<Pick<CheckContext, 'packages'>> {
  const packages = when === 'before' ? await environment.packages?.(wanted) : undefined;
  return packages ? { packages } : {};
}

async function databasesOf(run: Run): Promise<Database[]> {
  await using connection = await connectTo(run);
  return await listDatabases(connection);
}
