/** Everything that may stop an upgrade before it begins: the checks, and the user's own SQL. */
import { verdictOf } from '../checks/run.ts';
import { UpgradeError } from '../errors.ts';
import type { PgVersion } from '../postgres/version.ts';
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
  const names = [...blocking.map(({ title }) => title), ...queries.map(namedQuery)];
  if (names.length === 0) return;
  throw new UpgradeError(
    'blocked',
    `${names.length === 1 ? 'A check blocks' : `${names.length} checks block`} the upgrade: ${names.join('; ')}.`,
    {
      phase: 'check',
      hint: [
        ...blocking.map(({ title, seen, fix }) => `${title}: ${seen.slice(0, 3).join('; ')}. ${fix ?? ''}`),
        ...queries.map((query) => `${namedQuery(query)}: ${query.why ?? ''}`),
      ].join('\n'),
      docs: blocking[0]?.docs ?? 'health.md',
      place: run.target.place,
    },
  );
}
