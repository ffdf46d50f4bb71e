/** Looking at one extension of one database: is it there, does it load, what does its own SQL say. Reads only. */
import { messageOf, UpgradeError } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { ExtensionState } from '../report/record-extensions.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { askValue, countOf, fromServer, readOnly } from './extension-ask.ts';

/** What is wrong. */
export interface Fault {
  /** Whether another version, or the same loaded anew, may help. */
  mendable: boolean;
  /** Whether the same version loaded anew may help. */
  reload: boolean;
  /** Whether it may be another answer a moment later: a lock or a time limit. */
  momentary?: boolean;
  what: string;
}

/** What a look came to; `state` is null where it is not there. */
export interface Seen {
  state: ExtensionState | null;
  faults: Fault[];
}

const found = `
SELECT e.oid::pg_catalog.int8::pg_catalog.text AS oid, e.extversion AS version, n.nspname AS schema
FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = $1`;

/** Condition on pg_depend AS d: members of the extension with oid $1 in a catalogue. */
export function isMember(catalogue: 'pg_class' | 'pg_proc', oid: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND d.objid = ${oid} AND d.deptype = 'e'
    AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = $1::pg_catalog.oid)`;
}

const memberTables = `
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND ${isMember('pg_class', 'c.oid')} ORDER BY 1`;

/** Opens the library of each function in C and looks for its symbol there, as CREATE FUNCTION does (pg_proc.c). */
const load = `
SELECT pg_catalog.fmgr_c_validator(p.oid) FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE l.lanname = 'c' AND ${isMember('pg_proc', 'p.oid')}`;

/** Oid, version and schema of an extension in the connection's database; null where it is not there. */
export async function findExtension(
  connection: Connection,
  extension: string,
): Promise<{ oid: string; version: string; schema: string } | null> {
  const [row] = await connection.query<{ oid: string; version: string; schema: string }>(found, [extension]);
  return row ?? null;
}

/** Tables of an extension itself, qualified and quoted. */
export async function tablesOf(connection: Connection, oid: string): Promise<string[]> {
  return (await connection.query<{ name: string }>(memberTables, [oid])).map(({ name }) => name);
}

/**
 * Does it work: its libraries load, its own SQL answers. To be asked in a transaction, on a session that has not used
 * it yet: a library stays what it was in a session that has loaded it.
 * @throws where the session ended
 */
async function tryOut(
  connection: Connection,
  { oid, schema }: { oid: string; schema: string },
  spec: ExtensionSpec,
): Promise<{ own: string | null; errors: number | null; faults: Fault[] }> {
  const faults: Fault[] = [];
  const broken = (what: string, cause?: unknown): void =>
    void faults.push({ mendable: true, reload: true, what, momentary: isMomentary(cause) });
  await connection.script(`${readOnly(schema)}; SAVEPOINT postgres_upgrade`);
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      // An error would end the transaction; a cursor must be gone before the next.
      await connection.script('ROLLBACK TO SAVEPOINT postgres_upgrade').catch(() => {});
    }
  };
  await attempt(() => connection.query(load, [oid])).catch((cause: unknown) => {
    if (!fromServer(cause)) throw cause;
    broken(`it cannot be loaded: ${messageOf(cause)}`, cause);
  });
  const ask = async (key: 'version-sql' | 'errors-sql'): Promise<string | null> => {
    const sql = spec[key];
    if (sql === undefined) return null;
    const answer = await attempt(() => askValue(connection, sql));
    if (answer.ok) return answer.value;
    broken(`${key} fails: ${answer.why}`, answer.cause);
    return null;
  };
  const own = await ask('version-sql');
  const text = await ask('errors-sql');
  const errors = text === null ? null : countOf(text);
  if (text !== null && errors === null) broken(`errors-sql answers ${JSON.stringify(text)}, not a number`);
  return { own: own === null ? null : own.slice(0, 200), errors, faults };
}

/**
 * Looks at it in the present transaction, which is read-only from then on.
 * @throws UpgradeError `extension-broken` where the session ended over it
 */
export async function lookWithin(
  connection: Connection,
  extension: string,
  spec: ExtensionSpec,
): Promise<Seen> {
  const there = await findExtension(connection, extension);
  if (there === null)
    return { state: null, faults: [{ mendable: true, reload: false, what: 'it is not in this database' }] };
  try {
    const names = await tablesOf(connection, there.oid);
    const { own, errors, faults } = await tryOut(connection, there, spec);
    const tables = [];
    for (const name of names) {
      const rows = await countRows(connection, name);
      if (rows !== null) tables.push({ name, rows });
    }
    return {
      state: { version: there.version, schema: there.schema, own, errors, tables },
      faults,
    };
  } catch (cause) {
    if (fromServer(cause)) throw cause;
    throw new UpgradeError(
      'extension-broken',
      `The session ended while the extension ${extension} was looked at: ${messageOf(cause)}.`,
      { phase: 'validate', hint: 'Look at the server log: its library may have crashed the server.', cause },
    );
  }
}

/** The same in a transaction of its own. */
export async function look(connection: Connection, extension: string, spec: ExtensionSpec): Promise<Seen> {
  await connection.script('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    return await lookWithin(connection, extension, spec);
  } finally {
    await connection.script('ROLLBACK').catch(() => {});
  }
}

/** Up to a million: who compares wants to know whether there are any. Null for a table that somebody holds locked. */
async function countRows(connection: Connection, table: string): Promise<number | null> {
  try {
    const [row] = await connection.query<{ rows: number }>(
      `SELECT pg_catalog.count(*)::pg_catalog.int4 AS rows FROM (SELECT FROM ONLY ${table} LIMIT 1000000) AS t`,
    );
    return row?.rows ?? 0;
  } catch (cause) {
    if (!isMomentary(cause)) throw cause;
    await connection.script('ROLLBACK TO SAVEPOINT postgres_upgrade');
    return null;
  }
}

/** lock_not_available, query_canceled by a time limit, deadlock_detected. */
function isMomentary(cause: unknown): boolean {
  return ['55P03', '57014', '40P01'].includes(String((cause as { code?: unknown } | undefined)?.code));
}
