/** Whether a plan is the one that somebody approved; where it is not, what changed since. */
import { messageOf, UpgradeError } from '../errors.ts';
import { hideIn } from '../process/secrets.ts';
import { formatCount } from '../report/format.ts';
import type { PlanFile } from '../report/plan-file.ts';
import type { PlanRecord } from '../report/record.ts';
import { type Decision, drift } from './drift.ts';
import type { Begin } from './journal.ts';
import type { Run } from './target.ts';

/** Sentences in the message itself; the hint has all of them. */
const inMessage = 3;

/**
 * Refuses a plan that is not the one somebody approved.
 * @param begun what the journal says of the plan that an unfinished run began with and has begun to carry out; null
 *   where nothing was changed yet: then the plan of now counts
 * @throws UpgradeError `plan-drift`
 */
export async function assertApproved(
  run: Run,
  plan: PlanRecord,
  begun: Pick<Begin, 'digest' | 'decision'> | null = null,
): Promise<void> {
  const digest = run.context.planDigest;
  if (digest === '') return;
  if (begun?.digest !== undefined) return assertBegun(run, plan, { ...begun, digest: begun.digest });
  if (digest === plan.digest) return;
  const { changes, unread } = await compare(run, plan, digest);
  throw refusal(
    `The plan is not the one that was approved: it is ${short(plan.digest)}, approved was ${short(digest)}.`,
    changes,
    unread,
    'Run mode: plan again and approve that, or bring back what was approved.',
  );
}

/**
 * An unfinished run is finished as it was approved, or not at all. Its plan cannot be made again, since the target
 * looks different by now: what does not change with the upgrade itself must be as it was.
 */
function assertBegun(
  { context }: Run,
  plan: PlanRecord,
  { digest, decision }: Pick<Begin, 'decision'> & { digest: string },
): void {
  const back = 'Or go back with mode: rollback.';
  if (context.planDigest !== digest) {
    throw refusal(
      `The unfinished run began with the plan ${short(digest)}, and ${short(context.planDigest)} was approved.`,
      [],
      '',
      `What was begun is finished as it was begun: under the approval of ${digest}. ${back}`,
    );
  }
  if (decision === undefined) {
    throw refusal(
      `The unfinished run began with the plan ${short(digest)}, but its journal does not hold that plan.`,
      [],
      'So nobody can say whether it would be finished as it was approved.',
      'Finish it with the version of the action that began it. Or go back with mode: rollback.',
    );
  }
  const titles = new Map(plan.steps.map(({ id, title }) => [id, title]));
  const changes = drift(lasting(decision), lasting(plan.decision), titles).map(context.secrets.hide);
  if (changes.length === 0) return;
  throw refusal(
    'The unfinished run would not be finished as it was approved.',
    changes,
    '',
    `Bring back what was approved, then run mode: resume again. ${back}`,
  );
}

/** Steps that are made from the release advice that applies: once it is carried out they are others. */
const moving: readonly string[] = ['configure', 'advice'];

/** What is the same before, during and after the upgrade that it describes. */
function lasting(decision: Decision): Decision {
  const gone = Object.entries(decision).flatMap(([path, value]) => {
    const step = /^(steps\[\d+\])\.id$/.exec(path)?.[1];
    return step !== undefined && moving.some((id) => JSON.stringify(id) === value) ? [`${step}.`] : [];
  });
  const moves = ['details', 'advice.applies', ...gone];
  return Object.fromEntries(
    Object.entries(decision).filter(([path]) => !moves.some((begin) => path.startsWith(begin))),
  );
}

const short = (digest: string): string => digest.slice(0, 12);

function refusal(what: string, changes: readonly string[], unread: string, hint: string): UpgradeError {
  const more = changes.length - inMessage;
  const said =
    changes.length === 0
      ? unread
      : `Changed since: ${changes.slice(0, inMessage).join('; ')}${more > 0 ? `; and ${formatCount(more)} more` : ''}.`;
  return new UpgradeError('plan-drift', `${what} ${said}`.trim(), {
    phase: 'plan',
    hint: [...(more > 0 ? changes.map((change) => `Changed: ${change}`) : []), hint].join('\n'),
    docs: 'plans.md#drift',
  });
}

interface Comparison {
  changes: string[];
  /** Why nothing could be named. */
  unread: string;
}

async function compare(run: Run, plan: PlanRecord, digest: string): Promise<Comparison> {
  const unnamed = (why: string): Comparison => ({
    changes: [],
    unread: `What was approved could not be read, so nobody can say here what changed: ${why}.`,
  });
  let found: PlanFile | null;
  try {
    found = await approvedPlan(run, digest);
  } catch (cause) {
    return unnamed(messageOf(cause).replace(/[.\s]+$/, ''));
  }
  if (!found)
    return unnamed('the input plan-file is empty, and no artifact plan.json with this digest was found');
  // The file was written with secrets hidden: both sides are compared as they may be seen.
  const now = hideIn(plan.decision, run.context.secrets);
  const titles = new Map([...found.plan.steps, ...plan.steps].map(({ id, title }) => [id, title]));
  const changes = drift(found.plan.decision, now, titles).map(run.context.secrets.hide);
  return changes.length > 0
    ? { changes, unread: '' }
    : {
        changes: ['a value that is a secret, or that another version of the action reads otherwise'],
        unread: '',
      };
}

/** The approved plan: as a file, else as GitHub keeps it; null where there is none. */
async function approvedPlan({ context, spec }: Run, digest: string): Promise<PlanFile | null> {
  if (context.approvedPlan) return context.approvedPlan;
  return (await context.outside?.approvedPlan(spec.name, digest)) ?? null;
}
