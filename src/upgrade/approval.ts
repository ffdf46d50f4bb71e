/** Whether a plan is the one that somebody approved; where it is not, what changed since. */
import { messageOf, UpgradeError } from '../errors.ts';
import { hideIn } from '../process/secrets.ts';
import { formatCount } from '../report/format.ts';
import type { PlanFile } from '../report/plan-file.ts';
import type { PlanRecord } from '../report/record.ts';
import { drift } from './drift.ts';
import type { Run } from './target.ts';

/** Sentences in the message itself; the hint has all of them. */
const inMessage = 3;

/**
 * Refuses a plan that is not the one somebody approved.
 * @param begun digest of the plan that an unfinished run began with: a resumed run carries out that one, since by now
 *   the target looks different
 * @throws UpgradeError `plan-drift`
 */
export async function assertApproved(run: Run, plan: PlanRecord, begun?: string): Promise<void> {
  const digest = run.context.planDigest;
  if (digest === '' || digest === (begun ?? plan.digest)) return;
  const short = (text: string): string => text.slice(0, 12);
  if (begun !== undefined) {
    throw new UpgradeError(
      'plan-drift',
      `The unfinished run began with the plan ${short(begun)}, and ${short(digest)} was approved.`,
      {
        phase: 'plan',
        hint: `Finish what was begun: pass plan-digest ${begun}, or none. Or go back with mode: rollback.`,
        docs: 'plans.md#drift',
      },
    );
  }
  const { changes, unread } = await compare(run, plan, digest);
  const more = changes.length - inMessage;
  const said =
    changes.length === 0
      ? unread
      : `Changed since: ${changes.slice(0, inMessage).join('; ')}${more > 0 ? `; and ${formatCount(more)} more` : ''}.`;
  throw new UpgradeError(
    'plan-drift',
    `The plan is not the one that was approved: it is ${short(plan.digest)}, approved was ${short(digest)}. ${said}`,
    {
      phase: 'plan',
      hint: [
        ...(more > 0 ? changes.map((change) => `Changed: ${change}`) : []),
        'Run mode: plan again and approve that, or bring back what was approved.',
      ].join('\n'),
      docs: 'plans.md#drift',
    },
  );
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
