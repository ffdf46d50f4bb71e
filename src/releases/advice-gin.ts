/** Advice about GIN indexes and their tables. */
import type { Advice } from './advice.ts';
import { indexesWhere, method, usersSchema } from './advice-sql.ts';

const shared = { timing: 'after', scope: 'database', rebuiltByRestore: true } as const;

/** Locks of an unfinished split. */
export const ginSplits: Advice = {
  ...shared,
  id: 'gin-incomplete-split-lock',
  title: 'GIN indexes may be damaged where a page split was interrupted',
  why: 'In older releases finishing an interrupted page split lacked a lock, so concurrent changes could damage the index. It is rare.',
  todo: 'Rebuild a GIN index whose searches seem to return wrong results.',
  certainty: 'candidates',
  ...indexesWhere(method('gin')),
  remedy: null,
};

/** Entries that VACUUM left. */
export const ginVacuum: Advice = {
  ...shared,
  id: 'gin-vacuum-missed-entries',
  title: 'GIN indexes may hold entries of removed rows, or miss rows',
  why: 'Older releases could leave entries of removed rows when a vacuum needed several passes over a GIN index, or met a page split: such an entry later points to another row. After an interrupted page split they could also cut pages off, so that searches miss rows.',
  todo: 'Rebuild a GIN index whose results seem wrong; large tables with many deleted rows are the likeliest. No check of amcheck compares a GIN index with its table.',
  certainty: 'candidates',
  ...indexesWhere(method('gin')),
  remedy: null,
};

/**
 * No page holds a row in less than 28 bytes (a header of 24 with its line pointer), so more rows than that
 * are impossible. A number that is wrong by a smaller factor cannot be told from a right one.
 */
export const ginRows: Advice = {
  ...shared,
  id: 'gin-parallel-reltuples',
  title: 'Tables with GIN indexes have an absurd estimate of rows',
  why: 'When 18.0 to 18.4 built a GIN index in parallel, the estimate of rows in pg_class could become absurd, infinite or NaN. Autovacuum then never works on the table, and it does not heal by itself.',
  todo: 'ANALYZE these tables.',
  certainty: 'exact',
  sql: `
SELECT pg_catalog.format('%I.%I', n.nspname, t.relname) AS object,
       pg_catalog.format('ANALYZE %I.%I;', n.nspname, t.relname) AS fix, true AS safe,
       pg_catalog.format('estimate: %s rows in %s pages', t.reltuples, t.relpages) AS detail
FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE t.relkind IN ('r', 'm') AND t.relpersistence <> 't' AND ${usersSchema}
  AND EXISTS (SELECT FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
              JOIN pg_catalog.pg_am AS m ON m.oid = i.relam WHERE x.indrelid = t.oid AND ${method('gin')})
  AND (t.reltuples < -1 OR t.reltuples = 'NaN'::pg_catalog.float4
       OR t.reltuples > (t.relpages::pg_catalog.float8 + 1)
                        * pg_catalog.current_setting('block_size')::pg_catalog.float8 / 28)
ORDER BY 1`,
  remedy: { kind: 'statements' },
};
