/** plan.json: written beside the report where a plan can be approved, and read where it was. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import type { PlanFile } from '../report/plan-file.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { badPlanFile, largestPlanFile, parsePlanFile } from '../upgrade/approval-file.ts';
import { looksOnly } from '../upgrade/context.ts';
import type { Inputs } from './inputs.ts';

/** The document of a record; null where there is nothing to approve. */
export function planFileOf({ mode, plan, target, started, run }: UpgradeRecord): PlanFile | null {
  if (!looksOnly(mode) || plan === null || plan.from === plan.wanted) return null;
  return {
    version: 1,
    target: target.name,
    made: started,
    run: run?.url ?? null,
    commit: run?.commit ?? null,
    plan,
  };
}

/** Path of a target's plan.json; null where there is none. @param output folder of the reports of all targets */
export function planPath(record: UpgradeRecord, output: string): string | null {
  return planFileOf(record) === null ? null : join(output, record.target.name, 'plan.json');
}

/**
 * The approved plan that the input plan-file names; null for none.
 * @param names of the targets that are to run
 * @throws UpgradeError `plan-file`, and `input` where the inputs cannot be meant together
 */
export async function readApproved(
  { mode, planDigest, planFile }: Pick<Inputs, 'mode' | 'planDigest' | 'planFile'>,
  names: readonly string[],
): Promise<PlanFile | null> {
  // Neither of them looks at an approval.
  if (mode === 'list' || mode === 'rollback') return null;
  const [only] = names;
  if (planDigest !== '' && names.length > 1) {
    throw new UpgradeError(
      'input',
      `The input plan-digest names the plan of one target, and ${names.length} are to run: ${names.join(', ')}.`,
      { phase: 'inputs', hint: 'Give one target in the input targets, or one job for each (a matrix).' },
    );
  }
  if (planFile === '' || only === undefined) return null;
  if (planDigest === '') {
    throw new UpgradeError('input', 'The input plan-file is given without plan-digest.', {
      phase: 'inputs',
      hint: 'The digest is what is approved; the file only tells what changed since. Pass the output plan-digest of the same run.',
    });
  }
  let text: string;
  try {
    if ((await stat(planFile)).size > largestPlanFile)
      throw new Error(`it has more than ${largestPlanFile / 1024 / 1024} MiB`);
    text = await readFile(planFile, 'utf8');
  } catch (cause) {
    throw badPlanFile('plan-file', `it cannot be read: ${messageOf(cause)}`, cause);
  }
  return parsePlanFile(text, 'plan-file', only, planDigest);
}
