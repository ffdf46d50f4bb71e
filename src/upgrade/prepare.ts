/** What every mode does first: look at the target, make the plan, ask the checks. Changes nothing. */
import type { EnvironmentFacts } from '../environments/environment.ts';
import { Cancelled, errorsOf, UpgradeError, UpgradeErrors } from '../errors.ts';
import { describe } from '../postgres/settings.ts';
import { compareVersions, formatVersion, type PgVersion } from '../postgres/version.ts';
import { releaseRecord } from '../releases/between.ts';
import { formatDuration } from '../report/format.ts';
import type { PlanRecord, UpgradeRecord } from '../report/record.ts';
import { adviceLine } from './advice-words.ts';
import { assertApproved } from './approval.ts';
import { askAdvice } from './ask-advice.ts';
import { checkBefore } from './check-before.ts';
import { connectTo } from './connect.ts';
import { looksOnly, today } from './context.ts';
import { expectedDowntime } from './downtime.ts';
import { tellGates } from './gates.ts';
import { makePlan } from './plan.ts';
import { lastRehearsal } from './rehearsed.ts';
import { distributionOf } from './risk.ts';
import { snapshotOf } from './snapshots.ts';
import type { Run } from './target.ts';
import { unfinishedUpgrade } from './unfinished.ts';

/** Looks at a target that must serve. @throws UpgradeError `server-down` */
export async function inspectServing(run: Run): Promise<EnvironmentFacts> {
  run.context.log.progress(`${run.spec.name}: looking at the target`);
  const facts = await run.environment.inspect();
  if (!facts.serving) {
    throw new UpgradeError(
      'server-down',
      `Nothing serves ${describe(run.settings)}: the server is stopped.`,
      {
        phase: 'inspect',
        hint: 'Start it and run again. Mode upgrade starts a cleanly stopped server on its present version first.',
      },
    );
  }
  return facts;
}

/** Makes the plan from `from` to the wanted version and puts it into the record. */
export async function planFor(run: Run, facts: EnvironmentFacts, from: PgVersion): Promise<PlanRecord> {
  const { recorder, spec, wanted, environment, context } = run;
  const { record } = recorder;
  const identifier = await systemIdentifier(run);
  const release = releaseRecord(from, wanted, today(context));
  const read = release.mustRead.filter(({ version }) => spec['notes-read'].includes(version));
  record.release = { ...release, mustRead: release.mustRead.filter((each) => !read.includes(each)) };
  record.advice = await askAdvice(run, from, wanted);
  const made = makePlan(
    spec,
    { ...facts, running: from },
    wanted,
    identifier,
    environment.planRoute,
    record.advice,
    record.release,
    distributionOf(record.change),
  );
  record.rehearsed = await lastRehearsal(run, made.from, made.wanted);
  const { rehearsed } = record;
  const last = rehearsed?.passed && rehearsed.expectedDowntimeMs !== null ? null : await lastUpgrade(run);
  const plan = { ...made, downtime: expectedDowntime(made, { rehearsed, last }) };
  recorder.record.plan = plan;
  recorder.record.target.systemIdentifier = identifier;
  recorder.record.versions.from = formatVersion(from);
  recorder.save();
  context.log.info(
    `${spec.name}: PostgreSQL ${plan.from} → ${plan.wanted} by ${plan.route}, plan ${plan.digest.slice(0, 12)}`,
  );
  if (plan.from === plan.wanted) return plan;
  for (const [index, step] of plan.steps.entries())
    context.log.info(`  ${index + 1}. ${step.title}${step.breaks ? ` (${step.breaks})` : ''}`);
  const { expectedMs, basis } = plan.downtime;
  context.log.info(
    `  risk ${plan.risk.class}; expected downtime ${expectedMs === null ? 'not known' : formatDuration(expectedMs)} (${basis})`,
  );
  tellAdvice(run);
  return plan;
}

/** What the last upgrade measured is worth a look where somebody decides; not reading it costs nothing but the number. */
async function lastUpgrade({ context, spec }: Run): Promise<UpgradeRecord | null> {
  if (!looksOnly(context.mode)) return null;
  return (await context.outside?.lastRecord(spec.name).catch(() => null)) ?? null;
}

/** Advice that applies is a warning, except where the action carries it out; what nobody can see is in the report. */
function tellAdvice(run: Run): void {
  const { context, recorder, spec, target } = run;
  for (const advice of recorder.record.advice) {
    if (advice.state === 'applies' && advice.by === 'action') context.log.info(`  ${adviceLine(advice)}`);
    if (advice.by === 'action' || !['applies', 'error', 'skipped'].includes(advice.state)) continue;
    context.log.annotate({
      level: 'warning',
      title: `${spec.name}: ${adviceLine(advice)}`,
      message: [
        ...advice.objects
          .slice(0, 5)
          .map(({ database, name }) => (database === null ? name : `${database}: ${name}`)),
        ...advice.seen.slice(0, 3),
        advice.todo,
        advice.link,
      ].join('\n'),
      place: target.place,
    });
  }
}

async function systemIdentifier(run: Run): Promise<string | null> {
  await using connection = await connectTo(run);
  const [row] = await connection.query<{ id: string }>(
    'SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()',
  );
  return row?.id ?? null;
}

/**
 * Modes `plan` and `check`.
 * @returns `nothing-to-do` where the wanted version runs already
 * @throws UpgradeError `unfinished`, `rollback-unfinished`, and what keeps an upgrade from beginning
 */
export async function lookOnly(run: Run): Promise<'nothing-to-do' | 'ready'> {
  const facts = await inspectServing(run).catch((cause: unknown) => {
    const unfinished = cause instanceof Cancelled ? null : unfinishedUpgrade(run, null);
    throw unfinished ? new UpgradeErrors([unfinished, ...errorsOf(cause)]) : cause;
  });
  run.recorder.record.versions.from = formatVersion(facts.running);
  const unfinished = unfinishedUpgrade(run, facts.running);
  if (run.context.mode === 'check') return await lookAtEverything(run, facts, unfinished);
  if (unfinished) throw unfinished;
  const plan = await planFor(run, facts, facts.running);
  if (plan.from === plan.wanted) return 'nothing-to-do';
  await assertApproved(run, plan);
  await tellGates(run);
  await checkBefore(run, facts.running);
  return 'ready';
}

/** Mode `check`: what keeps a plan from being made does not keep anybody from looking at the rest. */
async function lookAtEverything(
  run: Run,
  facts: EnvironmentFacts,
  unfinished: UpgradeError | null,
): Promise<'nothing-to-do' | 'ready'> {
  const failures: UpgradeError[] = unfinished ? [unfinished] : [];
  const collect = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((cause: unknown) => {
      if (cause instanceof Cancelled) throw cause;
      failures.push(...errorsOf(cause));
    });
  };
  // In the middle of an upgrade a plan would be one of something that is neither the one nor the other.
  if (!unfinished) {
    await collect(async () => await assertApproved(run, await planFor(run, facts, facts.running)));
    await collect(() => tellGates(run));
  }
  await collect(async () => run.environment.wantedExtensions(run.wanted));
  const { health } = run.recorder.record;
  await Promise.all([
    collect(async () => {
      health.before = await snapshotOf(run);
    }),
    collect(() => checkBefore(run, facts.running)),
  ]);
  run.recorder.save();
  if (failures.length > 0) throw new UpgradeErrors(failures);
  return compareVersions(facts.running, run.wanted) === 0 ? 'nothing-to-do' : 'ready';
}
