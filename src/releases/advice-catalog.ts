/** Advice about definitions in the catalogs. */
import type { Advice } from './advice.ts';
import { usersSchema } from './advice-sql.ts';

const shared = { timing: 'after', scope: 'database', rebuiltByRestore: true } as const;

/**
 * Only views that read a relation with privileges on columns. CREATE OR REPLACE without WITH would drop the view's
 * options (security_barrier, for one), so they are written again.
 */
export const viewPrivileges: Advice = {
  ...shared,
  id: 'view-column-privs-recreate',
  title: 'Views over tables with column privileges check too little',
  why: 'Views that older releases stored can lack columns in their list of what to check (CVE-2021-20229): a user with SELECT on one column may read others through a join.',
  todo: 'Create each view again with its own definition, in the order in which they use each other.',
  certainty: 'candidates',
  sql: `
SELECT pg_catalog.format('%I.%I', n.nspname, v.relname) AS object,
       pg_catalog.format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, v.relname,
         ' WITH (' || pg_catalog.array_to_string(v.reloptions, ', ') || ')',
         pg_catalog.pg_get_viewdef(v.oid)) AS fix,
       false AS safe, 'reads a relation with privileges on columns'::pg_catalog.text AS detail
FROM pg_catalog.pg_class AS v
JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace
WHERE v.relkind = 'v' AND v.relpersistence <> 't' AND ${usersSchema}
  AND EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r
              JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.refobjid <> v.oid
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid
              WHERE r.ev_class = v.oid AND a.attnum > 0 AND a.attacl IS NOT NULL)
ORDER BY 1`,
  remedy: null,
};

/** pg_stats_ext_exprs came with 14, and with it the fault. */
export const statsViews: Advice = {
  ...shared,
  id: 'cve-2024-4317-stats-views',
  title: 'Views of extended statistics show values of others (CVE-2024-4317)',
  why: 'A cluster that was made by an older release has views pg_stats_ext and pg_stats_ext_exprs that show statistics to users who may not read the table. A minor upgrade alone does not replace them.',
  todo: 'Run fix-CVE-2024-4317.sql of the new version as a superuser in every database, also in template1 and in template0, which must accept connections meanwhile.',
  certainty: 'exact',
  templates: true,
  sql: `
SELECT pg_catalog.format('pg_catalog.%I', v.relname) AS object, NULL::pg_catalog.text AS fix, false AS safe,
       'fix-CVE-2024-4317.sql, in the share directory of the new version'::pg_catalog.text AS detail
FROM pg_catalog.pg_class AS v
WHERE v.oid IN (pg_catalog.to_regclass('pg_catalog.pg_stats_ext'), pg_catalog.to_regclass('pg_catalog.pg_stats_ext_exprs'))
  AND pg_catalog.to_regclass('pg_catalog.pg_stats_ext_exprs') IS NOT NULL
  AND pg_catalog.strpos(pg_catalog.pg_get_viewdef(v.oid), 'relowner') = 0
ORDER BY 1`,
  remedy: { kind: 'script', file: 'fix-CVE-2024-4317.sql' },
};

/** The two functions have had these numbers since 9.5. */
export const stripNulls: Advice = {
  ...shared,
  id: 'json-strip-nulls-volatility',
  title: 'json_strip_nulls and jsonb_strip_nulls are not marked immutable',
  why: 'A cluster that 18.0 to 18.2 made has them as stable, so they cannot stand in index expressions or generated columns, and a restore of such an index fails.',
  todo: 'Run the UPDATE of pg_proc in every database, also the templates.',
  certainty: 'exact',
  templates: true,
  sql: `
SELECT pg_catalog.format('pg_catalog.%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) AS object,
       pg_catalog.format('UPDATE pg_catalog.pg_proc SET provolatile = ''i'' WHERE oid = %s;', p.oid) AS fix,
       true AS safe, NULL::pg_catalog.text AS detail
FROM pg_catalog.pg_proc AS p WHERE p.oid IN (3261, 3262) AND p.provolatile <> 'i'
ORDER BY p.oid`,
  remedy: { kind: 'statements' },
};
