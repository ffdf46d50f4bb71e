/** Statements that may take long on a live database: without a time limit, ended on the server when the run is. */
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import type { Connection } from './connection.ts';

/** Opens a connection to the database that is worked on. */
export type Connect = () => Promise<Connection>;

/** Seconds to wait for others' locks and transactions: a rebuild waits for every transaction that is older than itself. */
const patience = 600;
/** The same for what is swept up afterwards: a cancelled run has seconds. */
const shortPatience = 5;

/**
 * Runs one statement on a connection of its own. When the signal fires, the server is told to end it.
 * @param seconds how long it waits for locks
 * @throws Cancelled, and what the server says
 */
export async function runLong(
  connect: Connect,
  sql: string,
  signal: AbortSignal,
  seconds = patience,
): Promise<void> {
  if (signal.aborted) throw new Cancelled();
  await using connection = await connect();
  await connection.script(`SET statement_timeout = 0; SET lock_timeout = '${seconds}s'`);
  const [row] = await connection.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  const end = (): void => void endBackend(connect, row?.pid ?? 0).catch(() => {});
  signal.addEventListener('abort', end, { once: true });
  try {
    await connection.script(sql);
  } catch (cause) {
    if (signal.aborted) throw new Cancelled();
    throw cause;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function endBackend(connect: Connect, pid: number): Promise<void> {
  await using connection = await connect();
  await connection.query('SELECT pg_catalog.pg_cancel_backend($1)', [pid]);
}

/** What an ended or failed REINDEX CONCURRENTLY leaves (documentation, "REINDEX", "Rebuilding Indexes Concurrently"). */
const leftovers = `
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT x.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
  AND x.indrelid = (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = $1::pg_catalog.regclass)`;

/**
 * Rebuilds an index by `sql`, and drops the half-built copy where that fails.
 * @param index qualified and quoted
 * @throws Cancelled, UpgradeError `index-left` where the copy could not be dropped, and what the server says
 */
export async function rebuildIndex(
  connect: Connect,
  index: string,
  sql: string,
  signal: AbortSignal,
): Promise<void> {
  const before = await leftBehind(connect, index);
  try {
    await runLong(connect, sql, signal);
  } catch (cause) {
    for (const name of await leftBehind(connect, index).catch(() => []))
      if (!before.includes(name)) await drop(connect, name, cause);
    throw cause;
  }
}

/** While an older transaction is open, nobody can drop it; it costs every write to the table until then. */
async function drop(connect: Connect, name: string, cause: unknown): Promise<void> {
  const sql = `DROP INDEX CONCURRENTLY IF EXISTS ${name}`;
  await runLong(connect, sql, new AbortController().signal, shortPatience).catch(() => {
    throw new UpgradeError('index-left', `${messageOf(cause)} Its half-built copy is left: ${name}.`, {
      phase: 'upgrade',
      hint: `When older transactions have ended: ${sql};`,
      cause,
    });
  });
}

async function leftBehind(connect: Connect, index: string): Promise<string[]> {
  await using connection = await connect();
  return (await connection.query<{ name: string }>(leftovers, [index])).map(({ name }) => name);
}
