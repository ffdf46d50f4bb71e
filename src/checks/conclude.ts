/** From the answers of one check to its result. Pure. */
import { messageOf } from '../errors.ts';
import { formatVersion } from '../postgres/version.ts';
import type { Answer } from './ask.ts';
import type { Check, CheckContext, CheckResult, CheckStatus, Row } from './check.ts';
import { isMajor, serverOf } from './majors.ts';
import { bounded } from './words.ts';

/** Who answered: a database, or (empty) the cluster. */
export type Answers = readonly (readonly [database: string, answer: Answer])[];

/** Whether the question makes sense for this upgrade and this server: where not, it has no result either. */
export function belongs(check: Check, context: CheckContext): boolean {
  if (check.upgrade === 'major' && !isMajor(context)) return false;
  if (check.needs === 'packages' && context.packages === undefined) return false;
  if (check.when !== undefined && check.when !== context.when) return false;
  return check.maxMajor === undefined || serverOf(context).major <= check.maxMajor;
}

/** Why a check is not asked here at all; null where it is. */
export function notAsked(check: Check, context: CheckContext): string | null {
  const server = serverOf(context);
  if (check.sql !== null && server.major < check.minMajor) {
    return `needs PostgreSQL ${check.minMajor} or newer, the server is ${formatVersion(server)}`;
  }
  return null;
}

function grantOf(check: Check): string {
  return check.grant ?? 'GRANT pg_monitor TO USER;';
}

const unknown = 'Find out why it cannot be answered, then run again: unknown does not count as fine.';

const severity: Record<CheckStatus, number> = {
  disabled: 0,
  passed: 0,
  info: 1,
  skipped: 2,
  warning: 3,
  error: 4,
  blocked: 5,
};

/** What the answers of one check come to: its verdict on the rows, unless a missing answer weighs more. */
export function conclude(
  check: Check,
  context: CheckContext,
  answers: Answers,
): Pick<CheckResult, 'status' | 'seen' | 'fix'> {
  const rows: Row[] = [];
  const failures: string[] = [];
  const denied: string[] = [];
  for (const [database, answer] of answers) {
    const prefix = database === '' ? '' : `${database}: `;
    if (answer.kind === 'rows')
      for (const row of answer.rows) rows.push(database === '' ? row : { ...row, database });
    else if (answer.kind === 'failed') failures.push(`${prefix}${answer.message}`);
    else denied.push(`${prefix}the user may not see this; needed is: ${grantOf(check)}`);
  }
  const parts: { status: CheckStatus; seen: string[]; fix: string | null }[] = [];
  if (failures.length > 0) {
    parts.push({
      status: 'error',
      seen: bounded(failures),
      fix: unknown,
    });
  }
  if (denied.length > 0) {
    parts.push({ status: 'skipped', seen: bounded(denied), fix: `As a superuser: ${grantOf(check)}` });
  }
  if (check.scope === 'database' && answers.length === 0) {
    parts.push({ status: 'skipped', seen: ['there is no database to ask'], fix: null });
  }
  if (check.scope === 'machine' || answers.some(([, answer]) => answer.kind === 'rows')) {
    try {
      const { status, seen } = check.judge(rows, context);
      parts.push({ status, seen, fix: status === 'passed' || status === 'skipped' ? null : check.fix });
    } catch (cause) {
      parts.push({ status: 'error', seen: [messageOf(cause)], fix: unknown });
    }
  }
  const sorted = parts.toSorted((a, b) => severity[b.status] - severity[a.status]);
  return {
    status: sorted[0]?.status ?? 'error',
    seen: sorted.flatMap(({ seen }) => seen),
    fix: sorted[0]?.fix ?? null,
  };
}
