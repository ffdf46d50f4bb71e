/** What a database holds, in a form that two servers can be compared by. */
import { type Connection, quoteIdent } from '../postgres/connection.ts';
import { databaseObjects, largeObjectSum, sequenceList, tableList } from './inventory-sql.ts';

/** A table's rows, as decimal text: both numbers may be larger than a double holds. */
interface TableCount {
  rows: string;
  /** Order-free sum of a 64-bit hash of every row's text. */
  fingerprint: string;
}

/** As the sequence itself says: `last_value` (decimal text) and `is_called`. */
export interface SequenceState {
  value: string;
  called: boolean;
}

/** Everything in one database that is compared; keys are quoted, schema-qualified names. */
export interface Inventory {
  tables: Record<string, TableCount>;
  sequences: Record<string, SequenceState>;
  largeObjects: { count: number; fingerprint: string };
  /** Catalog objects: identity, and a hash of what defines them. */
  objects: Record<string, string>;
  notCompared: string[];
}

/**
 * Pins everything that the text form of a value depends on, and takes every limit off: a fingerprint over
 * a big table may take an hour. Newer servers (14, 17) have one more limit, and notice by themselves that a run
 * was cancelled and nobody waits for that fingerprint any more.
 */
export const pinnedSession = `
  SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
  SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET xmlbinary = 'base64';
  SET row_security = off; SET statement_timeout = 0; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = 0;
  SELECT set_config(name, value, false)
  FROM (VALUES ('transaction_timeout', '0'), ('client_connection_check_interval', '5s')) AS newer (name, value)
  WHERE name IN (SELECT s.name FROM pg_settings s)`;

const qualified = (schema: string, name: string): string => `${quoteIdent(schema)}.${quoteIdent(name)}`;

/**
 * Rows and fingerprint of one table, its partitions and children not included.
 * @param columns in this order; as the table has them by default
 */
async function fingerprint(
  connection: Connection,
  table: string,
  columns: readonly string[] | null = null,
): Promise<TableCount> {
  const row = columns ? `ROW(${columns.map((name) => `r.${quoteIdent(name)}`).join(', ')})` : '(r.*)';
  const [found] = await connection.query<{ rows: string; fingerprint: string }>(
    `SELECT count(*)::text AS rows,
            coalesce(sum(hashtextextended(${row}::text COLLATE "C", 0)), 0)::text AS fingerprint
     FROM ONLY ${table} AS r`,
  );
  return { rows: found?.rows ?? '', fingerprint: found?.fingerprint ?? '' };
}

/** Position of every sequence; not bound to any snapshot, since sequences are not transactional. */
export async function readSequences(connection: Connection): Promise<Record<string, SequenceState>> {
  const list = await connection.query<{ schema: string; name: string }>(sequenceList);
  const states: Record<string, SequenceState> = {};
  const batch = 200;
  for (let start = 0; start < list.length; start += batch) {
    const names = list.slice(start, start + batch).map(({ schema, name }) => qualified(schema, name));
    const union = names.map(
      (name, index) => `SELECT ${index} AS i, last_value::text AS value, is_called AS called FROM ${name}`,
    );
    for (const row of await connection.query<{ i: number; value: string; called: boolean }>(
      union.join(' UNION ALL '),
    )) {
      const name = names[row.i];
      if (name !== undefined) states[name] = { value: row.value, called: row.called };
    }
  }
  return states;
}

/** Reads everything in the transaction that the connection is in; `pinnedSession` must have run before. */
export async function readInventory(
  connection: Connection,
  progress: (text: string) => void = () => {},
): Promise<Inventory> {
  const objects: Record<string, string> = {};
  for (const row of await connection.query<{ identity: string; hash: string }>(databaseObjects))
    objects[row.identity] = row.hash;

  const tables: Record<string, TableCount> = {};
  const notCompared: string[] = [];
  const list = await connection.query<{
    schema: string;
    name: string;
    kind: string;
    extension: boolean;
    columns: string[] | null;
  }>(tableList);
  for (const [index, { schema, name, kind, extension, columns }] of list.entries()) {
    const table = qualified(schema, name);
    if (extension) notCompared.push(`rows of ${table}: it belongs to an extension`);
    else if (kind === 'm')
      notCompared.push(`rows of the materialized view ${table}: a restore builds them anew`);
    else if (kind === 'f') notCompared.push(`rows of the foreign table ${table}: they live elsewhere`);
    else {
      progress(`table ${index + 1} of ${list.length}`);
      tables[table] = await fingerprint(connection, table, columns);
    }
  }
  const [sum] = await connection.query<{ count: number; fingerprint: string }>(largeObjectSum);
  return {
    tables,
    sequences: await readSequences(connection),
    largeObjects: { count: sum?.count ?? 0, fingerprint: sum?.fingerprint ?? '0' },
    objects,
    notCompared,
  };
}
