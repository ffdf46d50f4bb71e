/** Where sequences stand, and whether they are behind the column that they fill. */
import type { Connection } from '../postgres/connection.ts';
import type { DatabaseSnapshot } from '../report/snapshot.ts';
import { readOnly } from './part.ts';
import { mark } from './sql-cluster.ts';

/** Values are read of this many sequences of a database, columns of that many. */
const readAtMost = 20_000;
const comparedAtMost = 500;

interface Comparable extends Record<string, unknown> {
  oid: string;
  name: string;
  ascending: boolean;
  /** Quoted table and column. */
  table: string;
  column: string;
}

/** Of all sequences, also those whose value we may not read; and the locks that the server has room for. */
const totalsSql = `${mark} SELECT
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS r ON r.oid = s.seqrelid WHERE r.relpersistence <> 't')::pg_catalog.float8 AS total,
  pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.float8 * pg_catalog.current_setting('max_connections')::pg_catalog.float8 AS locks`;

/** Those that only go forward. */
const ascendingSql = `${mark} SELECT s.seqrelid::pg_catalog.text AS oid
FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't' AND s.seqincrement > 0 AND NOT s.seqcycle AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT,USAGE')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" LIMIT ${readAtMost}`;

/**
 * Comparable is a column of whole numbers that leads a valid btree index over all rows of a plain table which we may
 * read entirely: its largest value is one look into the index. Looked for one by one, until there are enough.
 */
const comparableSql = `${mark}
SELECT s.oid::pg_catalog.text AS oid, s.name, s.ascending, o.tab AS "table", o.col AS "column"
FROM (
  SELECT s.seqrelid AS oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, s.seqincrement > 0 AS ascending
  FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relpersistence <> 't' AND NOT s.seqcycle AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT,USAGE')
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
) AS s
CROSS JOIN LATERAL (
  SELECT pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname) AS tab, pg_catalog.quote_ident(a.attname) AS col
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    AND t.relkind = 'r' AND a.atttypid IN (20, 21, 23)
    AND pg_catalog.has_schema_privilege(tn.oid, 'USAGE') AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT')
    AND NOT pg_catalog.row_security_active(t.oid)
    AND EXISTS (SELECT FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid JOIN pg_catalog.pg_am AS m ON m.oid = i.relam
                WHERE x.indrelid = t.oid AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indisready AND x.indpred IS NULL AND m.amname = 'btree')
  LIMIT 1
) AS o
LIMIT ${comparedAtMost}`;

/** Null for one that was never used. */
const valuesSql = `${mark} SELECT pg_catalog.sum(v.last)::pg_catalog.text AS sum
FROM (SELECT pg_catalog.pg_sequence_last_value(o)::pg_catalog.numeric AS last FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o) AS v`;

/**
 * The column is read as of the statement's snapshot, the sequence as it is later on: a number that was drawn in
 * between cannot look as if it were behind.
 */
function compareSql(sequences: readonly Comparable[]): string {
  const selects = sequences.map(
    ({ oid, ascending, table, column }, index) =>
      `SELECT ${index} AS i, (SELECT pg_catalog.${ascending ? 'max' : 'min'}(${column}) FROM ONLY ${table})::pg_catalog.int8 AS extreme, pg_catalog.pg_sequence_last_value(${oid}::pg_catalog.oid) AS last, ${ascending} AS up`,
  );
  return `${mark} SELECT s.i FROM (${selects.join('\nUNION ALL ')}) AS s WHERE CASE WHEN s.up THEN s.extreme > s.last ELSE s.extreme < s.last END`;
}

function batches<T>(items: readonly T[], size: number): T[][] {
  const found: T[][] = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}

/**
 * Reads in batches, each in a transaction of its own, since every look at a sequence holds a lock until its end.
 * A table that somebody locks or drops is left out and not counted as compared.
 * @throws where sequences cannot be listed or their values not be read
 */
export async function askSequences(
  connection: Connection,
  statementTimeout: number,
): Promise<NonNullable<DatabaseSnapshot['sequences']>> {
  const deadline = Date.now() + statementTimeout;
  const ask = <Row extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) =>
    readOnly(connection, Math.max(1, deadline - Date.now()), () => connection.query<Row>(sql, values));
  const [{ total, locks } = { total: 0, locks: 0 }] = await ask<{ total: number; locks: number }>(totalsSql);
  const ascending = await ask<{ oid: string }>(ascendingSql);
  let sum = 0n;
  for (const batch of batches(ascending, Math.max(10, Math.min(500, Math.floor(locks / 8))))) {
    const [row] = await ask<{ sum: string | null }>(valuesSql, [batch.map(({ oid }) => oid)]);
    sum += BigInt(row?.sum ?? 0);
  }
  const comparable = await ask<Comparable>(comparableSql);
  const behind: string[] = [];
  let compared = 0;
  const compare = async (batch: readonly Comparable[]): Promise<void> => {
    if (Date.now() > deadline) return;
    try {
      const rows = await ask<{ i: number }>(compareSql(batch));
      behind.push(...rows.map(({ i }) => batch[i]?.name ?? '').filter((name) => name !== ''));
      compared += batch.length;
    } catch (cause) {
      // Without an answer of the server there is nothing to go on with.
      if (typeof (cause as { code?: unknown }).code !== 'string') throw cause;
      if (batch.length > 1) for (const sequence of batch) await compare([sequence]);
    }
  };
  // Planning locks a table with all of its indexes: few at a time.
  for (const batch of batches(comparable, Math.max(1, Math.min(25, Math.floor(locks / 64)))))
    await compare(batch);
  return {
    count: total,
    summed: ascending.length,
    sum: String(sum),
    compared,
    behind: behind.sort(),
  };
}
