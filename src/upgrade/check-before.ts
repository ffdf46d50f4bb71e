/** Everything that may stop an upgrade before it begins: the checks, and the user's own SQL. */
import type { CheckResult } from '../checks/check.ts';
import { verdictOf } from '../checks/run.ts';
import { UpgradeError } from '../errors.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { QueryRecord } from '../report/record.ts';
import { askChecks } from './ask-checks.ts';
import { askHealth, blockingQueries, namedQuery } from './ask-health.ts';
import type { Run } from './target.ts';

/** @throws UpgradeError `blocked` with all that blocks */
export async function checkBefore(run: Run, running: PgVersion): Promise<void> {
  const { context, spec } = run;
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
  if (blocking.length + queries.length === 0) return;
  throw new UpgradeError('blocked', blockedBy(blocking, queries), {
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
