/** Definitions that may not load again because of what they refer to. */
import type { Check } from './check.ts';
import { prefixOf, textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

/** Catalog tables are pinned, which pg_depend does not record: only views of the system are seen. */
export const systemViewDependents: Check = {
  id: 'system-view-dependents',
  title: "No view is built on views of the system or on an extension's",
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
WITH uses AS MATERIALIZED (
  SELECT DISTINCT w.ev_class AS view, d.refobjid AS used
  FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND w.ev_class >= 16384 AND w.ev_class <> d.refobjid
), members AS MATERIALIZED (
  SELECT e.objid FROM pg_catalog.pg_depend AS e
  WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
    AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT u.view::pg_catalog.regclass::pg_catalog.text AS name,
       pg_catalog.string_agg(u.used::pg_catalog.regclass::pg_catalog.text, ', '
         ORDER BY u.used::pg_catalog.regclass::pg_catalog.text) AS used,
       pg_catalog.count(*) OVER () AS total
FROM uses AS u
WHERE (u.used < 16384 OR u.used IN (SELECT m.objid FROM members AS m))
  AND u.view NOT IN (SELECT m.objid FROM members AS m)
GROUP BY u.view ORDER BY 1 LIMIT 20`,
  fix: 'Try their definitions on a server of the wanted version; drop those that fail before the upgrade, and create them anew after it.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')} uses ${textOf(row, 'used')}`);
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Functions whose body is bound when they are made (`prosqlbody`, from 14 on) look nothing up later. */
export const searchPathFragileFunctions: Check = {
  id: 'search-path-fragile-functions',
  title: 'Functions of indexes, constraints and views set their own search_path',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
WITH candidates AS MATERIALIZED (
  SELECT p.oid FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
  WHERE p.oid >= 16384 AND l.lanname NOT IN ('c', 'internal')
    AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS g(setting) WHERE g.setting LIKE 'search_path=%')
    AND pg_catalog.to_jsonb(p) ->> 'prosqlbody' IS NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE e.deptype = 'e' AND e.objid = p.oid
                    AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
), users AS MATERIALIZED (
  SELECT c.oid, d.classid, d.objid FROM candidates AS c
  JOIN pg_catalog.pg_depend AS d ON d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
)
SELECT f.oid::pg_catalog.regprocedure::pg_catalog.text AS name, pg_catalog.count(*) OVER () AS total
FROM (
  SELECT DISTINCT u.oid FROM users AS u
  WHERE u.classid IN ('pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass)
    OR (u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND EXISTS (SELECT FROM pg_catalog.pg_class AS k WHERE k.oid = u.objid AND k.relkind IN ('i', 'I')))
    OR (u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        AND EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w JOIN pg_catalog.pg_class AS k ON k.oid = w.ev_class
                    WHERE w.oid = u.objid AND k.relkind = 'm'))
) AS f ORDER BY 1 LIMIT 20`,
  fix: 'ALTER FUNCTION ... SET search_path = the schemas it needs, or qualify every name in it: a restore runs with an empty path.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}`);
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};
