/** Asking an extension's own SQL from the spec: one value, in a read-only transaction that is rolled back. */
import { messageOf } from '../errors.ts';
import { splitStatements } from '../health/user-sql-split.ts';
import { type Connection, quoteIdent } from '../postgres/connection.ts';

/** Seconds that one question may take. */
const patience = 30;
const cursor = 'postgres_upgrade_extension';

/** An answer, or why there is none. */
export type Answer = { ok: true; value: string } | { ok: false; why: string; cause?: unknown };

/**
 * Modes of a transaction in which an extension is asked. Names without a schema are looked up in PostgreSQL's own and
 * in the extension's: what somebody else put into another schema of the path is not asked as a superuser.
 */
export function readOnly(schema: string): string {
  return `SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '${patience}s'; SET LOCAL search_path = pg_catalog, ${quoteIdent(schema)}, pg_temp`;
}

/**
 * Whether the server itself said no; else the session is gone. Its word for the severity is in its own language; 57P is
 * the class of a server that ends sessions, 08 that of broken connections.
 */
export function fromServer(cause: unknown): boolean {
  const { severity, code } = (cause ?? {}) as { severity?: unknown; code?: unknown };
  return typeof severity === 'string' && !/^(?:57P|08)/.test(String(code));
}

/**
 * Asks one statement for one value, within a transaction that `readOnly` has begun. A cursor reads two rows at most, and
 * takes nothing but a query.
 * @throws where the session ended
 */
export async function askValue(connection: Connection, sql: string): Promise<Answer> {
  try {
    const [statement, ...others] = splitStatements(sql, 'the SQL');
    if (!statement || others.length > 0) return { ok: false, why: 'write one statement' };
    if (!/^(?:SELECT|VALUES|WITH|TABLE|SHOW|\()/i.test(statement.sql))
      return { ok: false, why: 'write a query, for example SELECT ...' };
    const { columns, rows } = await fetch(connection, statement.sql);
    const [value] = rows[0] ?? [];
    if (columns.length !== 1 || rows.length !== 1)
      return { ok: false, why: `it answers ${amount(rows.length, columns.length)}, not one value` };
    return typeof value === 'string' ? { ok: true, value } : { ok: false, why: 'it answers NULL' };
  } catch (cause) {
    if (!fromServer(cause) && !isOurs(cause)) throw cause;
    return { ok: false, why: messageOf(cause), cause };
  }
}

async function fetch(connection: Connection, sql: string): ReturnType<Connection['texts']> {
  if (/^SHOW\b/i.test(sql)) return await connection.texts(sql);
  // A comment to the end of the line may be the statement's last words.
  await connection.texts(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}\n`);
  return await connection.texts(`FETCH FORWARD 2 FROM ${cursor}`);
}

function amount(rows: number, columns: number): string {
  if (rows === 0) return 'no row';
  return `${rows > 1 ? 'several rows' : 'one row'} with ${columns} ${columns === 1 ? 'column' : 'columns'}`;
}

/** What our own splitter says of the text. */
function isOurs(cause: unknown): boolean {
  return (cause as { code?: unknown } | null)?.code === 'health-sql';
}

/** A count from an answer; null where it is none. */
export function countOf(value: string): number | null {
  const count = Number(value);
  return /^\d+$/.test(value) && Number.isSafeInteger(count) ? count : null;
}
