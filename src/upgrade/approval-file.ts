/** Reads plan.json of an approved plan. It may come from anywhere, so nothing in it is believed unchecked. Pure. */
import { messageOf, UpgradeError } from '../errors.ts';
import { type PlanFile, planFileSchema } from '../report/plan-file.ts';
import { digestOf } from './digest.ts';

/** Bytes; a plan with hundreds of applications has a tenth of it. */
export const largestPlanFile = 4 * 1024 * 1024;

/** What stands where a secret was. */
const hidden = '***';

/** The error for a file that is not the approved plan. */
export function badPlanFile(name: string, why: string, cause?: unknown): UpgradeError {
  return new UpgradeError('plan-file', `${name} is not the approved plan: ${why}.`, {
    phase: 'inputs',
    hint: 'Pass plan.json as the run with mode: plan uploaded it, and the plan-digest of the same run.',
    docs: 'plans.md#planjson',
    cause,
  });
}

/**
 * @param name how the file is named in errors
 * @param target the name of the only target of this run
 * @param digest what was approved
 * @throws UpgradeError `plan-file`
 */
export function parsePlanFile(text: string, name: string, target: string, digest: string): PlanFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badPlanFile(name, `it is not JSON (${messageOf(cause)})`, cause);
  }
  const parsed = planFileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badPlanFile(name, `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'wrong'}`);
  }
  const file = parsed.data;
  if (file.target !== target) throw badPlanFile(name, `it is of the target ${file.target}, not of ${target}`);
  const { plan } = file;
  if (plan.digest !== digest)
    throw badPlanFile(
      name,
      `it has the digest ${plan.digest.slice(0, 12)}, and plan-digest is ${digest.slice(0, 12)}`,
    );
  // Secrets are hidden in the file, so what it holds of them cannot give the digest again.
  const complete = !Object.values(plan.decision).some((each) => each.includes(hidden));
  if (complete && digestOf(plan.decision) !== digest)
    throw badPlanFile(name, 'what it holds does not give its digest; it was changed');
  return file;
}
