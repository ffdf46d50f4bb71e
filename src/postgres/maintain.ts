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
  let timer: NodeJS.Timeout | undefined;
  // The first may come before the statement has begun, and would end nothing.
  const end = (): void => {
    const again = (): void => void endBackend(connect, row?.pid ?? 0).catch(() => {});
    again();
    timer = setInterval(again, 1000);
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) throw new Cancelled();
    await connection.script(sql);
  } catch (cause) {
    if (signal.aborted) throw new Cancelled();
    throw cause;
  } finally {
    signal.removeEventListener('abort', end);
    clearInterval(timer);
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
JOIN pg_catalog.pg_index AS o ON o.indrelid = x.indrelid AND o.indexrelid = pg_catalog.to_regclass($1)
JOIN pg_catalog.pg_class AS oc ON oc.oid = o.indexrelid
WHERE NOT x.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
  AND pg_catalog.starts_with(c.relname::pg_catalog.text, pg_catalog.left(oc.relname::pg_catalog.text, 50))`;

/** Half-built copies of an index. @param index qualified and quoted; one that is gone has none */
export async function leftBehind(connect: Connect, index: string): Promise<string[]> {
  await using connection = await connect();
  return (await connection.query<{ name: string }>(leftovers, [index])).map(({ name }) => name);
}

/**
 * Rebuilds an index by `sql`, and drops the half-built copy where that fails.
 * @param index qualified and quoted
 * @throws Cancelled (a copy may be left then), UpgradeError `index-left` where it could not be dropped, and what the server says
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
      if (!before.includes(name))
        await drop(connect, name, messageOf(cause)).catch((second: unknown) => {
          throw cause instanceof Cancelled ? cause : second;
        });
    throw cause;
  }
}

/** While an older transaction is open, nobody can drop it; it costs every write to the table until then. */
async function drop(connect: Connect, name: string, why: string): Promise<void> {
  const sql = `DROP INDEX CONCURRENTLY IF EXISTS ${name}`;
  await runLong(connect, sql, new AbortController().signal, shortPatience).catch((cause: unknown) => {
    throw new UpgradeError('index-left', `${why} A half-built copy of an index is left: ${name}.`.trim(), {
      phase: 'upgrade',
      hint: `When older transactions have ended: ${sql};`,
      cause,
    });
  });
}

/** A run that was killed leaves its statement at work: the server does not notice before it has something to say. */
const orphans = `
SELECT pg_catalog.pg_cancel_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.application_name = 'postgres-upgrade' AND a.state = 'active'
  AND pg_catalog.starts_with(a.query, 'REINDEX INDEX ') AND pg_catalog.strpos(a.query, $1) > 0`;

/**
 * Sweeps up after a rebuild that was killed: ends its statement, drops its half-built copies.
 * @throws UpgradeError `index-left`
 */
export async function sweepIndex(connect: Connect, index: string): Promise<void> {
  for (let seconds = 0; seconds < shortPatience; seconds += 1) {
    await using connection = await connect();
    if ((await connection.query(orphans, [index])).length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  for (const name of await leftBehind(connect, index)) await drop(connect, name, '');
}
