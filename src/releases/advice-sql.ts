/** The pieces that statements finding objects have in common. Aliases: x pg_index, i index, t table, n schema, m method. */

/** Schemas of users; those of temporary tables and TOAST begin with pg_ as well. */
export const usersSchema = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/**
 * What is told of an index of users' tables that holds data (of a partitioned index: its leaves).
 * PostgreSQL cannot rebuild the index of an exclusion constraint (or of a temporal key) CONCURRENTLY: that one needs a
 * lock on its table, and an invalid index needs somebody who knows why, so the action does neither.
 */
const columns = `
       pg_catalog.format('%I.%I', n.nspname, i.relname) AS object,
       pg_catalog.format(CASE WHEN x.indisexclusion THEN 'REINDEX INDEX %I.%I;'
                              ELSE 'REINDEX INDEX CONCURRENTLY %I.%I;' END, n.nspname, i.relname) AS fix,
       x.indisvalid AND x.indisready AND x.indislive AND NOT x.indisexclusion AS safe,
       pg_catalog.concat_ws('; ', pg_catalog.format('on %I.%I', n.nspname, t.relname),
         CASE WHEN x.indisexclusion THEN
           'backs an exclusion constraint: its rebuild locks the table, and the action does not do it' END,
         CASE WHEN NOT (x.indisvalid AND x.indisready AND x.indislive) THEN
           'invalid: rebuild it, or drop it, by hand' END) AS detail`;

const tables = `
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = i.relam`;

const ours = `i.relkind = 'i' AND i.relpersistence <> 't' AND ${usersSchema}`;

/** The statement of a piece of advice about indexes that meet a condition, and the condition itself. */
export function indexesWhere(condition: string): { sql: string; index: string } {
  return {
    sql: `SELECT ${columns} ${tables} WHERE ${ours} AND (${condition}) ORDER BY i.relpages DESC, 1`,
    index: condition,
  };
}

/**
 * The same for several pieces of advice in one pass over all indexes: each row names in `advice` whose it is. Few
 * indexes meet any condition, so which one it is is asked of those only.
 */
export function indexesOfAll(conditions: ReadonlyMap<string, string>): string {
  const any = [...conditions.values()].map((condition) => `(${condition})`).join(' OR ');
  const each = [...conditions].map(([id, condition]) => `('${id}', (${condition}))`).join(', ');
  return `
SELECT a.advice, ${columns} ${tables}
CROSS JOIN LATERAL (VALUES ${each}) AS a(advice, applies)
WHERE ${ours} AND (${any}) AND a.applies ORDER BY i.relpages DESC, 2`;
}

/** What advice to rebuild an index has in common: a restore builds it anew, and the action may. */
export const rebuilt = {
  timing: 'after',
  scope: 'database',
  remedy: { kind: 'statements' },
  rebuiltByRestore: true,
} as const;

/** Condition: an index of this access method. */
export function method(name: 'brin' | 'btree' | 'gin' | 'gist' | 'hash'): string {
  return `m.amname = '${name}'`;
}

/** Condition: a key column has an operator class (alias oc) that meets a condition. The classes are listed once. */
export function operatorClass(condition: string): string {
  return `x.indclass::pg_catalog.oid[] && ARRAY(SELECT oc.oid FROM pg_catalog.pg_opclass AS oc WHERE ${condition})`;
}

/** Condition: a key column has one of these operator classes. */
export function operatorClassNamed(...names: string[]): string {
  return operatorClass(`oc.opcname IN (${names.map((name) => `'${name}'`).join(', ')})`);
}
