/**
 * Everything about an extension in one database that somebody may have made, granted or set: what would be lost if it
 * were dropped and created again. Compared before and after within one transaction.
 */
import type { Connection } from '../postgres/connection.ts';

/**
 * Reached as DROP reaches them: from the extension along pg_depend, whatever the kind of dependency. Objects of others
 * are not among them by then: DROP without CASCADE has refused. Internal triggers and TOAST tables have numbers for names.
 */
const reached = `
WITH RECURSIVE reached AS (
  SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid AS classid, $1::pg_catalog.oid AS objid, 0 AS objsubid
  UNION
  SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d
  JOIN reached AS r ON d.refclassid = r.classid AND d.refobjid = r.objid AND (r.objsubid = 0 OR d.refobjsubid = r.objsubid)
), object AS (
  SELECT DISTINCT r.classid, r.objid, r.classid::pg_catalog.regclass::pg_catalog.text AS class, r.objsubid,
         i.type || ' ' || i.identity AS name
  FROM reached AS r CROSS JOIN LATERAL pg_catalog.pg_identify_object(r.classid, r.objid, r.objsubid) AS i
  WHERE i.identity IS NOT NULL AND i.schema IS DISTINCT FROM 'pg_toast'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                    WHERE r.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = r.objid AND t.tgisinternal)
)`;

/** Each value that is a default must say so: what is not there cannot be missed. */
const details = `
SELECT name, '' AS detail FROM object
UNION ALL
SELECT o.name, 'owner ' || coalesce((SELECT pg_catalog.quote_ident(a.rolname) FROM pg_catalog.pg_shdepend AS s
    JOIN pg_catalog.pg_authid AS a ON a.oid = s.refobjid
    WHERE s.deptype = 'o' AND s.classid = o.classid AND s.objid = o.objid AND s.objsubid = 0
      AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())), 'of the cluster')
  FROM object AS o WHERE o.objsubid = 0
UNION ALL
SELECT o.name, 'comment ' || d.description || CASE WHEN d.objsubid = 0 THEN '' ELSE ' on column ' || d.objsubid END
  FROM object AS o JOIN pg_catalog.pg_description AS d ON d.classoid = o.classid AND d.objoid = o.objid
  WHERE o.objsubid = 0 AND o.class <> 'pg_extension'
UNION ALL
SELECT o.name, 'label ' || l.provider || ' ' || l.label || ' ' || l.objsubid
  FROM object AS o JOIN pg_catalog.pg_seclabel AS l ON l.classoid = o.classid AND l.objoid = o.objid WHERE o.objsubid = 0
UNION ALL
SELECT o.name, 'privileges ' || coalesce(c.relacl::pg_catalog.text, 'as by default') || ' settings '
    || coalesce(c.reloptions::pg_catalog.text, 'as by default') || ' ' || c.relreplident::pg_catalog.text || c.relpersistence::pg_catalog.text
    || c.relrowsecurity::pg_catalog.text || c.relforcerowsecurity::pg_catalog.text
    || (SELECT coalesce(pg_catalog.string_agg(t.spcname, ''), '') FROM pg_catalog.pg_tablespace AS t WHERE t.oid = c.reltablespace)
  FROM object AS o JOIN pg_catalog.pg_class AS c ON o.class = 'pg_class' AND c.oid = o.objid WHERE o.objsubid = 0
UNION ALL
SELECT o.name, 'last value ' || coalesce(pg_catalog.pg_sequence_last_value(c.oid)::pg_catalog.text, 'none')
  FROM object AS o JOIN pg_catalog.pg_class AS c ON o.class = 'pg_class' AND c.oid = o.objid
  WHERE o.objsubid = 0 AND c.relkind = 'S'
UNION ALL
SELECT o.name, 'column ' || pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attstorage::pg_catalog.text
    || ' statistics ' || coalesce(a.attstattarget, -1) || ' privileges ' || coalesce(a.attacl::pg_catalog.text, 'as by default')
    || ' settings ' || coalesce(a.attoptions::pg_catalog.text, 'as by default')
  FROM object AS o JOIN pg_catalog.pg_class AS c ON o.class = 'pg_class' AND c.oid = o.objid
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE o.objsubid = 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT o.name, 'privileges ' || coalesce(p.proacl::pg_catalog.text, 'as by default') || ' settings '
    || coalesce(p.proconfig::pg_catalog.text, 'as by default')
  FROM object AS o JOIN pg_catalog.pg_proc AS p ON o.class = 'pg_proc' AND p.oid = o.objid
UNION ALL
SELECT o.name, 'privileges ' || coalesce(t.typacl::pg_catalog.text, 'as by default')
  FROM object AS o JOIN pg_catalog.pg_type AS t ON o.class = 'pg_type' AND t.oid = o.objid
UNION ALL
SELECT o.name, 'privileges ' || coalesce(n.nspacl::pg_catalog.text, 'as by default')
  FROM object AS o JOIN pg_catalog.pg_namespace AS n ON o.class = 'pg_namespace' AND n.oid = o.objid
UNION ALL
SELECT o.name, 'privileges ' || coalesce(l.lanacl::pg_catalog.text, 'as by default')
  FROM object AS o JOIN pg_catalog.pg_language AS l ON o.class = 'pg_language' AND l.oid = o.objid
UNION ALL
SELECT o.name, 'privileges ' || coalesce(f.fdwacl::pg_catalog.text, 'as by default') || ' options ' || coalesce(f.fdwoptions::pg_catalog.text, 'none')
  FROM object AS o JOIN pg_catalog.pg_foreign_data_wrapper AS f ON o.class = 'pg_foreign_data_wrapper' AND f.oid = o.objid
UNION ALL
SELECT o.name, 'privileges ' || coalesce(s.srvacl::pg_catalog.text, 'as by default') || ' options ' || coalesce(s.srvoptions::pg_catalog.text, 'none')
  FROM object AS o JOIN pg_catalog.pg_foreign_server AS s ON o.class = 'pg_foreign_server' AND s.oid = o.objid
UNION ALL
SELECT o.name, 'index ' || pg_catalog.pg_get_indexdef(x.indexrelid)
  FROM object AS o JOIN pg_catalog.pg_index AS x ON o.class = 'pg_class' AND x.indexrelid = o.objid WHERE o.objsubid = 0
UNION ALL
SELECT o.name, 'constraint ' || pg_catalog.pg_get_constraintdef(k.oid)
  FROM object AS o JOIN pg_catalog.pg_constraint AS k ON o.class = 'pg_constraint' AND k.oid = o.objid
UNION ALL
SELECT o.name, 'trigger ' || pg_catalog.pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::pg_catalog.text
  FROM object AS o JOIN pg_catalog.pg_trigger AS t ON o.class = 'pg_trigger' AND t.oid = o.objid
UNION ALL
SELECT o.name, 'rule ' || pg_catalog.pg_get_ruledef(r.oid) || ' ' || r.ev_enabled::pg_catalog.text
  FROM object AS o JOIN pg_catalog.pg_rewrite AS r ON o.class = 'pg_rewrite' AND r.oid = o.objid
UNION ALL
SELECT o.name, 'default ' || coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
  FROM object AS o JOIN pg_catalog.pg_attrdef AS d ON o.class = 'pg_attrdef' AND d.oid = o.objid
UNION ALL
SELECT o.name, 'policy ' || p.polcmd::pg_catalog.text || p.polpermissive::pg_catalog.text || ' '
    || coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
    || ' ' || (SELECT pg_catalog.string_agg(r::pg_catalog.text, ',') FROM pg_catalog.unnest(p.polroles) AS r)
  FROM object AS o JOIN pg_catalog.pg_policy AS p ON o.class = 'pg_policy' AND p.oid = o.objid
UNION ALL
SELECT o.name, 'statistics ' || pg_catalog.pg_get_statisticsobjdef(s.oid)
  FROM object AS o JOIN pg_catalog.pg_statistic_ext AS s ON o.class = 'pg_statistic_ext' AND s.oid = o.objid`;

/** One line for each thing; the same lines mean that nothing of it differs. @param oid of the extension */
export async function inventoryOf(connection: Connection, oid: string): Promise<Set<string>> {
  const rows = await connection.query<{ name: string; detail: string }>(`${reached}${details}`, [oid]);
  return new Set(rows.map(({ name, detail }) => (detail === '' ? name : `${name}: ${detail}`)));
}

/** What was there before and is not any more. Pure. */
export function lostBetween(before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
  return [...before].filter((line) => !after.has(line)).sort();
}
