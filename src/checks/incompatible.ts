/** Objects that a newer major, or pg_upgrade on the way to it, does not take. */
import type { Check } from './check.ts';
import { crosses, pgUpgradeRefuses } from './majors.ts';
import { flagOf, prefixOf, textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

/**
 * The stored number of such a value means nothing in another cluster; a dump writes names. Arrays and domains of the
 * types count, composite types do not. aclitem has another form from 16 on.
 */
export const regTypes: Check = {
  id: 'reg-types',
  title: 'No column holds an identifier of this cluster',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
WITH RECURSIVE banned AS (
  SELECT t.oid, t.typname = 'aclitem' AS acl FROM pg_catalog.pg_type AS t
  WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typname IN ('regcollation', 'regconfig',
    'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure', 'aclitem')
  UNION
  SELECT t.oid, b.acl FROM banned AS b JOIN (
    SELECT d.oid, d.typbasetype AS made_of FROM pg_catalog.pg_type AS d WHERE d.typtype = 'd'
    UNION ALL SELECT a.oid, a.typelem FROM pg_catalog.pg_type AS a WHERE a.typelem <> 0
  ) AS t ON t.made_of = b.oid
), found AS MATERIALIZED (
  SELECT a.attrelid, a.attname, a.atttypid FROM pg_catalog.pg_attribute AS a
  WHERE a.atttypid = ANY (ARRAY(SELECT b.oid FROM banned AS b))
    AND a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT f.attrelid::pg_catalog.regclass::pg_catalog.text AS name, f.attname AS column, b.acl,
       pg_catalog.format_type(f.atttypid, NULL) AS type, pg_catalog.count(*) OVER () AS total
FROM found AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.attrelid
JOIN banned AS b ON b.oid = f.atttypid
WHERE c.relkind IN ('r', 'm', 'p') ORDER BY b.acl, 1, 2 LIMIT 20`,
  fix: 'Dump and restore carries these columns. For pg_upgrade: ALTER TABLE ... ALTER COLUMN ... TYPE text, or drop them.',
  judge(rows, context) {
    const kept = rows.filter((row) => !flagOf(row, 'acl') || crosses(context, 16));
    if (kept.length === 0) return { status: 'passed', seen: [] };
    const lines = kept.map(
      (row) => `${prefixOf(row)}${textOf(row, 'name')}.${textOf(row, 'column')}: ${textOf(row, 'type')}`,
    );
    const total = kept.length === rows.length ? totalOf(rows) : kept.length;
    return { status: pgUpgradeRefuses(context), seen: bounded(lines, total) };
  },
};

/** From 18 on NOT NULL is a constraint, which may say NO INHERIT: then the child is right. */
export const notNullInheritance: Check = {
  id: 'not-null-inheritance',
  title: 'Children are NOT NULL where their parents are',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT i.inhrelid::pg_catalog.regclass::pg_catalog.text AS child, ch.attname AS column,
       i.inhparent::pg_catalog.regclass::pg_catalog.text AS parent, pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = i.inhparent AND pa.attnum > 0 AND pa.attnotnull AND NOT pa.attisdropped
JOIN pg_catalog.pg_attribute AS ch ON ch.attrelid = i.inhrelid AND ch.attname = pa.attname AND NOT ch.attnotnull
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = i.inhparent AND c.contype = 'n'
                  AND c.connoinherit AND pa.attnum = ANY (c.conkey))
ORDER BY 1, 2 LIMIT 20`,
  fix: 'ALTER TABLE child ALTER COLUMN c SET NOT NULL, after a look for rows that are NULL.',
  judge(rows, { wanted }) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map(
      (row) =>
        `${prefixOf(row)}${textOf(row, 'child')}.${textOf(row, 'column')}: NOT NULL in ${textOf(row, 'parent')} only`,
    );
    return { status: wanted.major >= 18 ? 'blocked' : 'warning', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Finds indexes with the classes of btree_gist for inet and cidr, which 19 no longer takes. */
export const inetBtreeGist: Check = {
  id: 'inet-btree-gist',
  title: 'No index uses the inet classes of btree_gist',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT u.indexrelid::pg_catalog.regclass::pg_catalog.text AS name, pg_catalog.count(*) OVER () AS total
FROM (
  SELECT DISTINCT x.indexrelid FROM pg_catalog.pg_index AS x
  CROSS JOIN LATERAL pg_catalog.unnest(x.indclass::pg_catalog.oid[]) AS c(opclass)
  JOIN pg_catalog.pg_opclass AS o ON o.oid = c.opclass
  WHERE x.indexrelid >= 16384 AND o.opcname IN ('gist_inet_ops', 'gist_cidr_ops')
) AS u ORDER BY 1 LIMIT 20`,
  fix: 'Drop these indexes and build them again with the class inet_ops of PostgreSQL itself.',
  judge(rows, { wanted }) {
    if (rows.length === 0 || wanted.major < 19) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}`);
    return { status: 'blocked', seen: bounded(lines, totalOf(rows)) };
  },
};

/** 14 changed the arguments of these functions from anyarray to anycompatiblearray. */
export const arrayFunctionDependents: Check = {
  id: 'array-func-dependents',
  title: 'Nothing is built on array functions that changed in 14',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  maxMajor: 13,
  sql: `
WITH changed AS MATERIALIZED (
  SELECT p.oid FROM pg_catalog.pg_proc AS p
  WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
    AND 'pg_catalog.anyarray'::pg_catalog.regtype = ANY (p.proargtypes::pg_catalog.oid[])
    AND p.proname IN ('array_append', 'array_prepend', 'array_cat', 'array_position', 'array_positions',
                      'array_remove', 'array_replace', 'width_bucket')
)
SELECT n.name, pg_catalog.count(*) OVER () AS total
FROM (
  SELECT 'aggregate ' || a.aggfnoid::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text AS name
  FROM pg_catalog.pg_aggregate AS a
  WHERE a.aggfnoid::pg_catalog.oid >= 16384
    AND (a.aggtransfn::pg_catalog.oid IN (SELECT c.oid FROM changed AS c)
      OR a.aggfinalfn::pg_catalog.oid IN (SELECT c.oid FROM changed AS c))
  UNION ALL
  SELECT 'operator ' || o.oid::pg_catalog.regoperator::pg_catalog.text
  FROM pg_catalog.pg_operator AS o
  WHERE o.oid >= 16384 AND o.oprcode::pg_catalog.oid IN (SELECT c.oid FROM changed AS c)
) AS n ORDER BY 1 LIMIT 20`,
  fix: 'Drop these before the upgrade, and create them again after it with anycompatiblearray and anycompatible.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}`);
    return { status: rows.length > 0 ? 'blocked' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};
