/** Advice about what lies below tables: TOAST, row chains, files. */
import type { Advice } from './advice.ts';
import { usersSchema } from './advice-sql.ts';

const shared = { timing: 'after', scope: 'database', remedy: null, rebuiltByRestore: true } as const;

/**
 * Indexes of the TOAST tables that hold data, as VACUUM or the statistics saw it: their size would open each, and wait
 * for whoever locks one. The action leaves them: it takes a lock on the TOAST table.
 */
const toastIndexes = `
SELECT pg_catalog.format('%I.%I', s.nspname, i.relname) AS object,
       pg_catalog.format('REINDEX INDEX %I.%I;', s.nspname, i.relname) AS fix, false AS safe,
       pg_catalog.format('long values of %I.%I', n.nspname, t.relname) AS detail
FROM pg_catalog.pg_class AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class AS o ON o.oid = t.reltoastrelid
JOIN pg_catalog.pg_index AS x ON x.indrelid = o.oid
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS s ON s.oid = i.relnamespace
WHERE t.reltoastrelid <> 0 AND t.relpersistence <> 't' AND ${usersSchema}
  AND (o.relpages > 0 OR pg_catalog.pg_stat_get_tuples_inserted(o.oid) > 0)
ORDER BY 4`;

/** Entries that a rebuild lost. */
export const toastRebuilt: Advice = {
  ...shared,
  id: 'toast-reindex-concurrently',
  title: 'TOAST indexes that were rebuilt CONCURRENTLY may be damaged',
  why: 'In older releases REINDEX CONCURRENTLY of a TOAST table could damage its index. Reading a long value then fails with "missing chunk number".',
  todo: 'Rebuild (without CONCURRENTLY) the TOAST index of each table that had REINDEX CONCURRENTLY or such an error.',
  certainty: 'cannot-be-seen',
  sql: toastIndexes,
};

/** Entries that a session did not make. */
export const toastStale: Advice = {
  ...shared,
  id: 'toast-index-stale-pg-index',
  title: 'TOAST indexes that were rebuilt CONCURRENTLY may lack entries',
  why: 'In older releases a session could go on with an outdated list of indexes while a TOAST index was rebuilt CONCURRENTLY. Reading fails with "missing chunk number"; the data itself is there.',
  todo: 'Rebuild (without CONCURRENTLY) the TOAST index of each table that had REINDEX CONCURRENTLY or such an error.',
  certainty: 'cannot-be-seen',
  sql: toastIndexes,
};

/** Redirected line pointers. */
export const hotChains: Advice = {
  ...shared,
  id: 'hot-chain-redirect-corruption',
  title: 'Row chains of a table may be damaged, with very low probability',
  why: 'Pruning in 14.0 and 14.1 could leave a chain of row versions that points to a wrong row. It was hardly ever seen, and the catalog does not show it.',
  todo: 'Nothing by default; run amcheck (verify_heapam, bt_index_check) where results seem odd.',
  certainty: 'cannot-be-seen',
  sql: null,
};

/** Folders of this database: in the default tablespace, and in those of this major's. */
const folders = `
  SELECT pg_catalog.format('base/%s', d.oid) AS folder
  FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
  UNION ALL
  SELECT pg_catalog.format('pg_tblspc/%s/%s/%s', s.oid, p.name, d.oid)
  FROM pg_catalog.pg_database AS d, pg_catalog.pg_tablespace AS s,
       pg_catalog.pg_ls_dir(pg_catalog.format('pg_tblspc/%s', s.oid), true, false) AS p(name)
  WHERE d.datname = pg_catalog.current_database() AND s.spcname NOT IN ('pg_default', 'pg_global')
    AND p.name ~ pg_catalog.format('^PG_%s_',
          pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000)`;

/** Each folder is listed once: two listings of a live one need not agree. */
export const orphanSegments: Advice = {
  ...shared,
  id: 'orphan-segments-15-0',
  title: 'Files of dropped tables may have been left after a crash of 15.0',
  why: 'After a crash, 15.0 could leave the further segments (1234.1) of a dropped table whose first file (1234) is gone. They take space and can disturb a new table of the same number.',
  todo: 'Look at the files that are listed; when sure, stop the server and remove them.',
  certainty: 'exact',
  sql: `
WITH files AS MATERIALIZED (
  SELECT f.folder, l.name FROM (${folders}) AS f, pg_catalog.pg_ls_dir(f.folder, true, false) AS l(name)
  WHERE l.name ~ '^[0-9]+([.][0-9]+)?$'
)
SELECT pg_catalog.format('%s/%s', f.folder, f.name) AS object, NULL::pg_catalog.text AS fix, false AS safe,
       'in the data directory'::pg_catalog.text AS detail
FROM files AS f
WHERE f.name ~ '[.]' AND NOT EXISTS (SELECT FROM files AS b
  WHERE b.folder = f.folder AND b.name = pg_catalog.split_part(f.name, '.', 1))
ORDER BY 1`,
};
