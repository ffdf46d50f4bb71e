/** Advice about indexes that lack rows because of how they were built or vacuumed; the catalog does not record that. */
import type { Advice } from './advice.ts';
import { indexesWhere, usersSchema } from './advice-sql.ts';

const shared = { timing: 'after', scope: 'database', rebuiltByRestore: true } as const;

/** Prepared transactions. */
export const preparedTransactions: Advice = {
  ...shared,
  id: 'cic-prepared-xacts',
  title: 'Indexes built CONCURRENTLY beside prepared transactions may lack rows',
  why: 'In older releases CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY did not wait for all prepared transactions, so their rows can be missing. The catalog does not say how an index was built.',
  todo: 'Where prepared transactions are used, rebuild the indexes that were built CONCURRENTLY, or prove B-trees good with amcheck (bt_index_check with heapallindexed).',
  certainty: 'cannot-be-seen',
  ...indexesWhere(`pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int4 > 0`),
  remedy: null,
};

/** A race with inserts. */
export const concurrentInserts: Advice = {
  ...shared,
  id: 'cic-insert-race',
  title: 'Indexes built CONCURRENTLY may lack rows of inserts at the same time',
  why: 'In older releases an insert that ran while an index was built CONCURRENTLY could be left out of it. It is rare, and the catalog does not say how an index was built.',
  todo: 'Rebuild the indexes that were built CONCURRENTLY, or prove B-trees good with amcheck (bt_index_check with heapallindexed).',
  certainty: 'cannot-be-seen',
  ...indexesWhere('true'),
  remedy: null,
};

/** 14.0 to 14.3. */
export const concurrently14: Advice = {
  ...shared,
  id: 'cic-missing-rows-14',
  title: 'Indexes that 14.0 to 14.3 built CONCURRENTLY may lack rows',
  why: 'These releases could leave out rows of an index that was created or rebuilt CONCURRENTLY. The catalog does not say how an index was built, nor by which release.',
  todo: 'Rebuild the indexes that were built CONCURRENTLY on 14.0 to 14.3, or prove B-trees good with amcheck (bt_index_check with heapallindexed).',
  certainty: 'cannot-be-seen',
  ...indexesWhere('true'),
  remedy: null,
};

/** Indexes of the table `t` that a parallel vacuum takes for large, or for small. */
function indexes(size: '>=' | '<'): string {
  return `(SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS x WHERE x.indrelid = t.oid
           AND pg_catalog.pg_relation_size(x.indexrelid)
               ${size} pg_catalog.pg_size_bytes(pg_catalog.current_setting('min_parallel_index_scan_size')))`;
}

/** 14.0. */
export const parallelVacuum: Advice = {
  ...shared,
  id: 'parallel-vacuum-missed-indexes',
  title: 'Small indexes of tables that 14.0 vacuumed by hand may point to rows that are gone',
  why: 'A VACUUM command of 14.0 that worked in parallel skipped small indexes. Their entries can point to rows that were removed, so results can be wrong.',
  todo: 'Rebuild the indexes of tables that were vacuumed by hand (not by autovacuum) on 14.0.',
  certainty: 'cannot-be-seen',
  sql: `
SELECT pg_catalog.format('%I.%I', n.nspname, t.relname) AS object,
       pg_catalog.format('REINDEX TABLE CONCURRENTLY %I.%I;', n.nspname, t.relname) AS fix, false AS safe,
       pg_catalog.format('%s VACUUM commands since the statistics were reset',
                         pg_catalog.pg_stat_get_vacuum_count(t.oid)) AS detail
FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE t.relkind IN ('r', 'm') AND t.relpersistence <> 't' AND ${usersSchema}
  AND pg_catalog.pg_stat_get_vacuum_count(t.oid) > 0
  AND ${indexes('>=')} >= 2 AND ${indexes('<')} >= 1
ORDER BY 1`,
  remedy: null,
};
