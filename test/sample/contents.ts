/** What a database holds: its objects by kind, its rows by digest. Independent of the loader, on purpose. */
import { type Connection, quoteIdent } from '../../src/postgres/connection.ts';

/** Schemas that are not the sample's. */
const ours = `nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'`;
const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

const kindsSql = `
WITH rel AS (
  SELECT c.*, am.amname FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND ${ours} LEFT JOIN pg_am am ON am.oid = c.relam
  WHERE ${notOfExtension('pg_class', 'c.oid')}
)
SELECT 'table' AS kind, count(*)::int AS count FROM rel WHERE relkind = 'r' AND NOT relispartition
UNION ALL SELECT 'partitioned table', count(*)::int FROM rel WHERE relkind = 'p'
UNION ALL SELECT 'partition', count(*)::int FROM rel WHERE relkind = 'r' AND relispartition
UNION ALL SELECT 'unlogged table', count(*)::int FROM rel WHERE relkind = 'r' AND relpersistence = 'u'
UNION ALL SELECT 'row security', count(*)::int FROM rel WHERE relrowsecurity
UNION ALL SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'sequence' END, count(*)::int
  FROM rel WHERE relkind IN ('v', 'm', 'S') GROUP BY relkind
UNION ALL SELECT amname || ' index', count(*)::int FROM rel
  WHERE relkind IN ('i', 'I') AND NOT relispartition GROUP BY amname
UNION ALL SELECT 'unique index', count(*)::int FROM rel JOIN pg_index i ON i.indexrelid = rel.oid
  WHERE NOT relispartition AND indisunique AND NOT indisprimary
UNION ALL SELECT 'partial index', count(*)::int FROM rel JOIN pg_index i ON i.indexrelid = rel.oid
  WHERE NOT relispartition AND indpred IS NOT NULL
UNION ALL SELECT 'expression index', count(*)::int FROM rel JOIN pg_index i ON i.indexrelid = rel.oid
  WHERE NOT relispartition AND indexprs IS NOT NULL
UNION ALL SELECT CASE contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' ELSE 'exclusion' END
    || ' constraint', count(*)::int FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
  WHERE ${ours} AND conparentid = 0 AND contype IN ('c', 'f', 'p', 'u', 'x') AND ${notOfExtension('pg_constraint', 'k.oid')}
    AND NOT (contype = 'c' AND NOT conislocal) GROUP BY contype
UNION ALL SELECT CASE attidentity WHEN 'a' THEN 'identity always' ELSE 'identity by default' END, count(*)::int FROM rel JOIN pg_attribute a ON attrelid = rel.oid
  WHERE attidentity <> '' GROUP BY attidentity
UNION ALL SELECT 'generated column', count(*)::int FROM rel JOIN pg_attribute a ON attrelid = rel.oid
  WHERE attgenerated = 's' AND NOT relispartition
UNION ALL SELECT 'serial column', count(*)::int FROM rel JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = rel.oid
  WHERE relkind = 'S' AND d.deptype = 'a'
UNION ALL SELECT CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'composite type' END, count(*)::int
  FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
  WHERE ${ours} AND (typtype IN ('e', 'd') OR c.relkind = 'c') AND ${notOfExtension('pg_type', 't.oid')} GROUP BY typtype
UNION ALL SELECT CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, count(*)::int
  FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
  WHERE ${ours} AND ${notOfExtension('pg_proc', 'p.oid')} GROUP BY prokind
UNION ALL SELECT 'trigger', count(*)::int FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy', count(*)::int FROM pg_policy
UNION ALL SELECT 'publication', count(*)::int FROM pg_publication
UNION ALL SELECT 'published table', count(*)::int FROM pg_publication_rel
UNION ALL SELECT 'large object', count(*)::int FROM pg_largeobject_metadata
UNION ALL SELECT 'large object with grants', count(*)::int FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL
UNION ALL SELECT 'extended statistics', count(*)::int FROM pg_statistic_ext
UNION ALL SELECT 'default privileges', count(*)::int FROM pg_default_acl
UNION ALL SELECT 'column grants', count(*)::int FROM rel JOIN pg_attribute a ON attrelid = rel.oid WHERE attacl IS NOT NULL
UNION ALL SELECT 'setting', count(*)::int FROM pg_db_role_setting s, unnest(setconfig)
  WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT 'comment', count(*)::int FROM (
    SELECT objoid FROM pg_description d WHERE objoid >= 16384 AND classoid <> 'pg_extension'::regclass
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
    UNION ALL SELECT objoid FROM pg_shdescription
      WHERE classoid = 'pg_database'::regclass AND objoid = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) c`;

/** Objects of the database by kind; kinds with none are left out. */
export async function kinds(connection: Connection): Promise<Record<string, number>> {
  const rows = await connection.query<{ kind: string; count: number }>(kindsSql);
  const found = rows
    .filter(({ count }) => count > 0)
    .map(({ kind, count }): [string, number] => [kind, count]);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** For every table and materialized view its rows and a digest that does not depend on their order. */
export async function digests(connection: Connection): Promise<Record<string, string>> {
  const tables = await connection.query<{ schema: string; name: string }>(`
    SELECT nspname AS schema, relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'm') AND NOT relispartition AND ${ours} ORDER BY 1, 2`);
  const found: Record<string, string> = {};
  for (const { schema, name } of tables) {
    const from = `${quoteIdent(schema)}.${quoteIdent(name)}`;
    const [row] = await connection.query<{ digest: string }>(
      `SELECT count(*) || ' rows ' || coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0) AS digest FROM ${from} t`,
    );
    found[from] = row?.digest ?? '';
  }
  const [objects] = await connection.query<{ digest: string }>(
    `SELECT md5(string_agg(oid || ' ' || md5(lo_get(oid)), ',' ORDER BY oid)) AS digest FROM pg_largeobject_metadata`,
  );
  return { ...found, 'large objects': objects?.digest ?? '' };
}

/**
 * Who may do what with tables, schemas, columns, functions and large objects, as the catalogs say it.
 * `m` (MAINTAIN) is taken out: PostgreSQL 17 gave it to every owner.
 */
export async function grants(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ entry: string }>(`
    WITH acls AS (
      SELECT relname::text AS name, relacl AS acl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE ${ours} AND ${notOfExtension('pg_class', 'c.oid')}
      UNION ALL SELECT relname || '.' || attname, attacl
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE ${ours}
      UNION ALL SELECT nspname, nspacl FROM pg_namespace WHERE ${ours} AND nspname <> 'public'
      UNION ALL SELECT proname, proacl FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE ${ours} AND ${notOfExtension('pg_proc', 'p.oid')}
      UNION ALL SELECT typname, typacl FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE ${ours}
      UNION ALL SELECT 'large object ' || oid, lomacl FROM pg_largeobject_metadata
      UNION ALL SELECT datname, datacl FROM pg_database WHERE datname = current_database()
    )
    SELECT name || ': ' || regexp_replace(item::text, 'm(?=[*]?/)', '') AS entry
    FROM acls, unnest(acl) item WHERE acl IS NOT NULL ORDER BY 1`);
  return rows.map(({ entry }) => entry);
}
