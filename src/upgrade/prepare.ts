/** What every mode does first: look at the target, make the plan, ask the checks. Changes nothing. */
import { verdictOf } from '../checks/run.ts';
import type { EnvironmentFacts } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { describe } from '../postgres/settings.ts';
import { formatVersion, type PgVersion, parseVersion } from '../postgres/version.ts';
import type { PlanRecord } from '../report/record.ts';
import { askChecks } from './ask-checks.ts';
import { makePlan } from './plan.ts';
import { connectTo, type Run } from './target.ts';

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
  const identifier = await systemIdentifier(run);
  const plan = makePlan(spec, { ...facts, running: from }, wanted, identifier, environment.planRoute);
  recorder.record.plan = plan;
  recorder.record.target.systemIdentifier = identifier;
  recorder.record.versions.from = formatVersion(from);
  recorder.save();
  context.log.info(
    `${spec.name}: PostgreSQL ${plan.from} → ${plan.wanted} by ${plan.route}, plan ${plan.digest.slice(0, 12)}`,
  );
  for (const [index, step] of plan.steps.entries())
    context.log.info(`  ${index + 1}. ${step.title}${step.breaks ? ` (${step.breaks})` : ''}`);
  return plan;
}

async function systemIdentifier(run: Run): Promise<string | null> {
  await using connection = await connectTo(run);
  const [row] = await connection.query<{ id: string }>(
    'SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()',
  );
  return row?.id ?? null;
}

/** Refuses a plan that is not the one somebody approved. @throws UpgradeError `plan-drift` */
export function assertApproved(run: Run, plan: PlanRecord): void {
  const approved = run.context.planDigest;
  if (approved === '' || approved === plan.digest) return;
  throw new UpgradeError(
    'plan-drift',
    `The plan is not the one that was approved: it is ${plan.digest.slice(0, 12)}, approved was ${approved.slice(0, 12)}.`,
    {
      phase: 'plan',
      hint: 'Something that matters changed since: the running version, the spec, or the target itself. Run mode: plan again and approve that.',
    },
  );
}

/** Asks every check. @throws UpgradeError `blocked` with what blocks */
export async function checkBefore(run: Run, running: PgVersion): Promise<void> {
  const { context, spec } = run;
  const results = await askChecks(run, 'before', running, run.wanted);
  const { blocking, warnings } = verdictOf(results);
  context.log.info(
    `${spec.name}: ${results.length} checks, ${blocking.length} block, ${warnings.length} warn`,
  );
  for (const { title, seen } of warnings) {
    context.log.annotate({
      level: 'warning',
      title: `${spec.name}: ${title}`,
      message: seen.slice(0, 5).join('\n'),
      place: run.target.place,
    });
  }
  if (blocking.length === 0) return;
  throw new UpgradeError(
    'blocked',
    `${blocking.length === 1 ? 'A check blocks' : `${blocking.length} checks block`} the upgrade: ${blocking.map(({ title }) => title).join('; ')}.`,
    {
      phase: 'check',
      hint: blocking
        .map(({ title, seen, fix }) => `${title}: ${seen.slice(0, 3).join('; ')}. ${fix ?? ''}`)
        .join('\n'),
      docs: blocking[0]?.docs ?? 'checks.md',
      place: run.target.place,
    },
  );
}

/** Modes `plan` and `check`: no more than this. */
export async function lookOnly(run: Run): Promise<'nothing-to-do' | 'ready'> {
  const facts = await inspectServing(run);
  run.recorder.record.versions.from = formatVersion(facts.running);
  const plan = await planFor(run, facts, facts.running);
  const nothing = plan.from === plan.wanted;
  if (nothing && run.context.mode === 'plan') return 'nothing-to-do';
  assertApproved(run, plan);
  await checkBefore(run, parseVersion(plan.from));
  return nothing ? 'nothing-to-do' : 'ready';
}
