/** What is asked in every database. Catalogs only; nothing here opens, and so locks, a table. */
import { mark } from './sql-cluster.ts';

const user = (schema: string): string => `${schema} !~ '^pg_' AND ${schema} <> 'information_schema'`;

const relkinds = `CASE relkind WHEN 'r' THEN 'tables' WHEN 'p' THEN 'partitioned tables' WHEN 'i' THEN 'indexes'
  WHEN 'I' THEN 'partitioned indexes' WHEN 'S' THEN 'sequences' WHEN 'v' THEN 'views' WHEN 'm' THEN 'materialized views'
  WHEN 'f' THEN 'foreign tables' WHEN 'c' THEN 'composite types' ELSE 'other relations' END`;

/** Schema 0 stands for what lives in none. Types of tables and of arrays follow from others. */
const counts = `
  SELECT relnamespace AS schema, ${relkinds} AS kind, pg_catalog.count(*) AS n FROM pg_catalog.pg_class
    WHERE relpersistence <> 't' AND relkind <> 't' GROUP BY 1, 2
  UNION ALL SELECT pronamespace, CASE prokind WHEN 'p' THEN 'procedures' WHEN 'a' THEN 'aggregates' WHEN 'w' THEN 'window functions' ELSE 'functions' END,
    pg_catalog.count(*) FROM pg_catalog.pg_proc GROUP BY 1, 2
  UNION ALL SELECT typnamespace, CASE typtype WHEN 'e' THEN 'enums' WHEN 'd' THEN 'domains' WHEN 'r' THEN 'ranges' WHEN 'm' THEN 'multiranges' ELSE 'base types' END,
    pg_catalog.count(*) FROM pg_catalog.pg_type WHERE typtype <> 'c' AND NOT (typelem <> 0 AND typlen = -1) GROUP BY 1, 2
  UNION ALL SELECT c.relnamespace, CASE t.tgenabled WHEN 'D' THEN 'disabled triggers' ELSE 'triggers' END, pg_catalog.count(*)
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal GROUP BY 1, 2
  UNION ALL SELECT c.relnamespace, 'policies', pg_catalog.count(*)
    FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid GROUP BY 1
  UNION ALL SELECT c.relnamespace, 'rules', pg_catalog.count(*)
    FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN' GROUP BY 1
  UNION ALL SELECT stxnamespace, 'statistics objects', pg_catalog.count(*) FROM pg_catalog.pg_statistic_ext GROUP BY 1
  UNION ALL SELECT connamespace, CASE contype WHEN 'c' THEN 'check constraints' WHEN 'f' THEN 'foreign keys' WHEN 'p' THEN 'primary keys'
    WHEN 'u' THEN 'unique constraints' WHEN 'x' THEN 'exclusion constraints' WHEN 'n' THEN 'not-null constraints' ELSE 'other constraints' END,
    pg_catalog.count(*) FROM pg_catalog.pg_constraint WHERE contype <> 't' GROUP BY 1, 2
  UNION ALL SELECT 0, 'schemas', pg_catalog.count(*) FROM pg_catalog.pg_namespace WHERE ${user('nspname')}
  UNION ALL SELECT 0, 'event triggers', pg_catalog.count(*) FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT 0, 'publications', pg_catalog.count(*) FROM pg_catalog.pg_publication
  UNION ALL SELECT 0, 'foreign servers', pg_catalog.count(*) FROM pg_catalog.pg_foreign_server`;

/** Counted by oid first: names are looked up for a few hundred rows, not for every object. $1: rows by name. */
export const objectsSql = `${mark}
WITH named AS (
  SELECT CASE WHEN k.schema = 0 THEN '(no schema)' ELSE n.nspname::pg_catalog.text END AS schema, k.kind, k.n
  FROM (${counts}) AS k LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = k.schema
  WHERE k.schema = 0 OR (n.nspname IS NOT NULL AND ${user('n.nspname')})
), ranked AS (
  SELECT schema, kind, n, pg_catalog.row_number() OVER (ORDER BY schema COLLATE "C", kind COLLATE "C") AS r FROM named
)
SELECT CASE WHEN r <= $1::pg_catalog.int4 THEN schema ELSE '(other schemas)' END AS schema, kind, pg_catalog.sum(n)::pg_catalog.float8 AS count
FROM ranked WHERE n > 0 GROUP BY 1, 2 ORDER BY 1, 2`;

const named = (schema: string, name: string): string =>
  `pg_catalog.quote_ident(${schema}) || '.' || pg_catalog.quote_ident(${name})`;

/** Every list of privileges with the name of what it belongs to. `sub`: number of a column. */
const privileges = `
  SELECT c.relkind::pg_catalog.text || ' ' || ${named('n.nspname', 'c.relname')} AS name, c.relacl AS acl, 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, 0 AS sub
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL AND c.relpersistence <> 't'
  UNION ALL SELECT 'column ' || ${named('n.nspname', 'c.relname')} || '.' || pg_catalog.quote_ident(a.attname), a.attacl, 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum
    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relpersistence <> 't'
  UNION ALL SELECT 'routine ' || ${named('n.nspname', 'p.proname')} || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', p.proacl, 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, 0
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace WHERE p.proacl IS NOT NULL
  UNION ALL SELECT 'schema ' || n.nspname, n.nspacl, 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, 0 FROM pg_catalog.pg_namespace AS n WHERE n.nspacl IS NOT NULL
  UNION ALL SELECT 'database', d.datacl, 'pg_catalog.pg_database'::pg_catalog.regclass, d.oid, 0 FROM pg_catalog.pg_database AS d
    WHERE d.datacl IS NOT NULL AND d.datname = pg_catalog.current_database()
  UNION ALL SELECT 'type ' || ${named('n.nspname', 't.typname')}, t.typacl, 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, 0
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typacl IS NOT NULL
  UNION ALL SELECT 'language ' || l.lanname, l.lanacl, 'pg_catalog.pg_language'::pg_catalog.regclass, l.oid, 0 FROM pg_catalog.pg_language AS l WHERE l.lanacl IS NOT NULL
  UNION ALL SELECT 'wrapper ' || w.fdwname, w.fdwacl, 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid, 0 FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE w.fdwacl IS NOT NULL
  UNION ALL SELECT 'server ' || s.srvname, s.srvacl, 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, s.oid, 0 FROM pg_catalog.pg_foreign_server AS s WHERE s.srvacl IS NOT NULL
  UNION ALL SELECT 'default ' || pg_catalog.pg_get_userbyid(d.defaclrole) || ' ' || coalesce(n.nspname, '') || ' ' || d.defaclobjtype::pg_catalog.text, d.defaclacl, 'pg_catalog.pg_default_acl'::pg_catalog.regclass, d.oid, 0
    FROM pg_catalog.pg_default_acl AS d LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace`;

/**
 * By names, not oids, and sorted: a restore may grant in another order. What initdb or an extension granted and
 * nobody changed is left out, since it changes with the major.
 */
export const grantsSql = `${mark}
SELECT pg_catalog.count(*)::pg_catalog.float8 AS objects, pg_catalog.md5(coalesce(pg_catalog.string_agg(g.hash, '' ORDER BY g.hash COLLATE "C"), '')) AS hash
FROM (
  SELECT pg_catalog.md5(p.name || ' ' || coalesce((SELECT pg_catalog.string_agg(a::pg_catalog.text, ',' ORDER BY a::pg_catalog.text COLLATE "C")
    FROM pg_catalog.unnest(p.acl) AS a), '')) AS hash
  FROM (${privileges}) AS p
  LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = p.class AND i.objoid = p.oid AND i.objsubid = p.sub
  WHERE i.initprivs IS DISTINCT FROM p.acl
) AS g`;

/** The database's extensions with their versions, and their schemas as quoted names. */
export const extensionsSql = `${mark} SELECT e.extname AS name, e.extversion AS version, pg_catalog.quote_ident(n.nspname) AS schema
FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace ORDER BY e.extname COLLATE "C" LIMIT 500`;

/** An index that is being built is not broken; neither is a constraint that is not enforced by intent (from 18 on). */
export const invalidSql = `${mark} SELECT
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS x WHERE NOT (x.indisvalid AND x.indisready AND x.indislive)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = x.indexrelid
                    AND p.datname = pg_catalog.current_database()))::pg_catalog.float8 AS indexes,
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint AS c WHERE NOT c.convalidated
    AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false')::pg_catalog.float8 AS constraints`;

/** The size of the database in bytes, all files included. */
export const databaseSizeSql = `${mark} SELECT pg_catalog.pg_database_size(pg_catalog.current_database())::pg_catalog.float8 AS bytes`;

/**
 * From relpages: pg_relation_size() is exact, but opens every table and so waits for whoever locks one. Rows: DELETE
 * and TRUNCATE show in the statistics at once; these are lost by a crash, reltuples is not. Indexes are added up for
 * the largest tables only: for all of them that would cost as much as everything else. Oids from 16384 on are not
 * initdb's (transam.h, FirstNormalObjectId). $1: how many tables.
 */
export const tablesSql = `${mark}
WITH sized AS MATERIALIZED (
  SELECT c.oid, c.relname, n.nspname, (c.relpages + coalesce(t.relpages, 0))::pg_catalog.float8 AS pages,
         greatest(c.reltuples, coalesce(pg_catalog.pg_stat_get_live_tuples(c.oid), 0), 0)::pg_catalog.float8 AS rows
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid AND t.relkind = 't'
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND ${user('n.nspname')}
), largest AS (
  SELECT s.nspname, s.relname, s.rows,
         (s.pages + coalesce((SELECT pg_catalog.sum(i.relpages) FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
                              WHERE x.indrelid = s.oid), 0)) * pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
  FROM (SELECT * FROM sized ORDER BY pages DESC, rows DESC, relname COLLATE "C", nspname COLLATE "C" LIMIT $1::pg_catalog.int4) AS s
)
SELECT ${named('nspname', 'relname')} AS name, 1::pg_catalog.float8 AS count, bytes, rows FROM largest
UNION ALL
SELECT NULL, s.count - l.count, greatest(p.bytes - l.bytes, 0), s.rows - l.rows
FROM (SELECT pg_catalog.count(*)::pg_catalog.float8 AS count, coalesce(pg_catalog.sum(rows), 0) AS rows FROM sized) AS s,
     (SELECT pg_catalog.count(*)::pg_catalog.float8 AS count, coalesce(pg_catalog.sum(bytes), 0) AS bytes, coalesce(pg_catalog.sum(rows), 0) AS rows FROM largest) AS l,
     (SELECT coalesce(pg_catalog.sum(c.relpages), 0) * pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
      FROM pg_catalog.pg_class AS c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm', 't', 'i') AND c.relpersistence <> 't') AS p
WHERE s.count > l.count
ORDER BY 3 DESC, 1`;
