/** Everything that may stop an upgrade before it begins: the checks, and the user's own SQL. */
import type { CheckResult } from '../checks/check.ts';
import { verdictOf } from '../checks/run.ts';
import { Cancelled, errorsOf, UpgradeError, UpgradeErrors } from '../errors.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { QueryRecord } from '../report/record.ts';
import { askApplicationsBefore } from './application-before.ts';
import { askChecks } from './ask-checks.ts';
import { askHealth, blockingQueries, namedQuery } from './ask-health.ts';
import { connectTo } from './connect.ts';
import { lookBefore } from './extension-before.ts';
import { lookAtReadOnly } from './read-only-step.ts';
import type { Run } from './target.ts';

/** @throws UpgradeError `blocked` with all that blocks, `extension-missing`, `extension-faulty`; UpgradeErrors for several */
export async function checkBefore(run: Run, running: PgVersion): Promise<void> {
  const { context, spec } = run;
  await askApplicationsBefore(run);
  const results = await askChecks(run, 'before', running, run.wanted);
  const queries = blockingQueries(await askHealth(run, 'before'));
  const { blocking, warnings } = verdictOf(results);
  context.log.info(
    `${spec.name}: ${results.length} checks, ${blocking.length} block, ${warnings.length} warn${queries.length > 0 ? `; ${queries.length} of your own SQL block` : ''}`,
  );
  for (const { title, seen } of warnings) {
    context.log.annotate({
      level: 'warning',
      title: `${spec.name}: ${title}`,
      message: seen.slice(0, 5).join('\n'),
      place: run.target.place,
    });
  }
  const { errors: faulty } = await lookBefore(run);
  const errors = [...faulty, ...(await readOnlyFaults(run))];
  if (blocking.length + queries.length === 0) {
    if (errors.length > 0) throw new UpgradeErrors(errors);
    return;
  }
  const blocked = new UpgradeError('blocked', blockedBy(blocking, queries), {
    phase: 'check',
    hint: [
      ...blocking.map(
        ({ title, seen, fix }) => `${title}: ${sentence(seen.slice(0, 3).join('; '))} ${fix ?? ''}`,
      ),
      ...queries.map((query) => `${namedQuery(query)}: ${query.why ?? ''}`),
    ].join('\n'),
    docs: blocking[0]?.docs ?? 'health.md',
    place: run.target.place,
  });
  throw errors.length > 0 ? new UpgradeErrors([blocked, ...errors]) : blocked;
}

/** "2 checks and 1 statement of your own SQL block the upgrade: ..." Pure. */
export function blockedBy(checks: readonly CheckResult[], queries: readonly QueryRecord[]): string {
  const count = (number: number, one: string, many: string): string[] =>
    number === 0 ? [] : [number === 1 ? `1 ${one}` : `${number} ${many}`];
  const what = [
    ...count(checks.length, 'check', 'checks'),
    ...count(queries.length, 'statement of your own SQL', 'statements of your own SQL'),
  ].join(' and ');
  const names = [...checks.map(({ title }) => `"${title}" does not hold`), ...queries.map(namedQuery)];
  return `${what} ${checks.length + queries.length === 1 ? 'blocks' : 'block'} the upgrade: ${names.join('; ')}.`;
}

/** A text that ends as a sentence does. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What keeps writes from being refused: better known before the backup than after it. */
async function readOnlyFaults(run: Run): Promise<UpgradeError[]> {
  const asked = run.spec['read-only'];
  if (!asked) return [];
  try {
    await using connection = await connectTo(run);
    await lookAtReadOnly(run, connection, asked);
    return [];
  } catch (cause) {
    if (cause instanceof Cancelled) throw cause;
    return errorsOf(cause);
  }
}
