/** Extensions whose files on the new server offer a newer version: asked after the upgrade, when they can be seen. */
import { askAll } from '../checks/ask.ts';
import { textOf } from '../checks/rows.ts';
import { listDatabaseNames } from '../postgres/databases.ts';
import type { AdviceRecord } from '../report/record-release.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** Only where a path of update scripts leads there: ALTER EXTENSION ... UPDATE would fail otherwise. */
const sql = `
SELECT e.extname AS name, pg_catalog.quote_ident(e.extname) AS object, e.extversion AS installed, a.default_version AS offered
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
WHERE a.default_version <> e.extversion
  AND EXISTS (SELECT FROM pg_catalog.pg_extension_update_paths(e.extname) AS p
              WHERE p.source = e.extversion AND p.target = a.default_version AND p.path IS NOT NULL)
ORDER BY 1`;

/** The advice to update them; null where none is to be updated. */
export async function askExtensionUpdates(run: Run): Promise<AdviceRecord | null> {
  await using main = await connectTo(run);
  const objects: AdviceRecord['objects'] = [];
  const seen: string[] = [];
  for (const name of await listDatabaseNames(main)) {
    const answers = await askAll([{ id: 'updates', sql }], () => connectTo(run, name), {
      signal: run.context.signal,
      statementTimeout: 30_000,
    });
    const answer = answers.get('updates');
    if (answer?.kind === 'failed') seen.push(`${name}: ${answer.message}`);
    if (answer?.kind !== 'rows') continue;
    for (const row of answer.rows) {
      // The spec says which version those must have: a step of their own looks after them.
      if (Object.hasOwn(run.spec.extensions, textOf(row, 'name'))) continue;
      objects.push({
        database: name,
        name: textOf(row, 'object'),
        sql: `ALTER EXTENSION ${textOf(row, 'object')} UPDATE;`,
        detail: `${textOf(row, 'installed')} → ${textOf(row, 'offered')}`,
        state: 'found',
      });
    }
  }
  if (objects.length === 0 && seen.length === 0) return null;
  return {
    id: 'extension-updates',
    title: 'Extensions have a newer version on this server',
    fixedIn: run.spec.postgres,
    why: 'The objects of an extension stay at the version that created them until somebody updates them.',
    todo: 'Update each in its database. It cannot be taken back by going back to the older server.',
    timing: 'after',
    certainty: 'exact',
    state: objects.length > 0 ? 'applies' : 'error',
    by: 'action',
    objects,
    total: objects.length,
    seen,
    link: 'https://www.postgresql.org/docs/current/sql-alterextension.html',
  };
}
