/** One part of a snapshot: asked in a transaction of its own, so that none can spoil or stop the next. */
import { Cancelled, messageOf } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { Snapshot } from '../report/snapshot.ts';

/** What is asked in one database (undefined: that of the connection), and where its answer goes. */
export interface Part {
  what: string;
  database: string | undefined;
  ask(connection: Connection): Promise<void>;
}

/** A part that cannot be measured, for a reason that is no error of the server. */
export class NotMeasured extends Error {}

/** What is needed to ask parts. */
export interface PartOptions {
  connect(database?: string): Promise<Connection>;
  signal: AbortSignal;
  /** Milliseconds for one statement. */
  statementTimeout: number;
  /** How many connections ask at the same time. */
  parallel: number;
}

/**
 * The path is pinned because it decides about operators, which nobody qualifies; JIT and parallel workers cost more than
 * they gain on catalogs; somebody else's lock is not worth waiting for.
 */
export async function readOnly<T>(
  connection: Connection,
  statementTimeout: number,
  work: () => Promise<T>,
): Promise<T> {
  await connection.script(
    [
      'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY',
      `SET LOCAL statement_timeout = ${Math.trunc(statementTimeout)}`,
      "SET LOCAL lock_timeout = '1s'",
      'SET LOCAL search_path = pg_catalog, pg_temp',
      'SET LOCAL jit = off',
      'SET LOCAL max_parallel_workers_per_gather = 0',
    ].join('; '),
  );
  try {
    const answer = await work();
    // Not ROLLBACK: those are counted, and many of them are a sign of trouble.
    await connection.script('COMMIT');
    return answer;
  } catch (cause) {
    // Where even this fails the session is gone, and the error of the work says so better.
    await connection.script('ROLLBACK').catch(() => {});
    throw cause;
  }
}

function stateOf(cause: unknown): string | null {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Why something is missing, in an item of the snapshot. */
function missingBecause(what: string, cause: unknown, timeout: number): Snapshot['missing'][number] {
  const state = cause instanceof NotMeasured ? null : stateOf(cause);
  const why = state === '57014' ? `${messageOf(cause)} (allowed are ${timeout / 1000} s)` : messageOf(cause);
  return { what, why: why.slice(0, 500), state };
}

const unreachable = (database: string | undefined): string => `database ${database ?? ''}`;

/**
 * Asks all parts. A failed one is told in `missing`; a database that cannot be connected to is told once.
 * @throws Cancelled
 */
export async function askParts(
  parts: readonly Part[],
  missing: Snapshot['missing'],
  { connect, signal, statementTimeout, parallel }: PartOptions,
): Promise<void> {
  const waiting = [...parts];
  const lost = new Set<string | undefined>();
  const open = new Set<Connection>();
  const stop = (): void => {
    for (const connection of open) void connection.close();
  };
  const worker = async (): Promise<void> => {
    let connection: Connection | null = null;
    let database: string | undefined;
    const close = async (): Promise<void> => {
      if (connection) open.delete(connection);
      await connection?.close();
      connection = null;
    };
    try {
      for (let part = waiting.shift(); part; part = waiting.shift()) {
        if (signal.aborted) throw new Cancelled('check');
        if (lost.has(part.database)) continue;
        if (database !== part.database) await close();
        database = part.database;
        let ours: Connection | null = connection;
        try {
          if (!ours) {
            ours = await connect(database);
            connection = ours;
            open.add(ours);
          }
        } catch (cause) {
          if (signal.aborted) throw new Cancelled('check');
          if (!lost.has(database))
            missing.push(missingBecause(unreachable(database), cause, statementTimeout));
          lost.add(database);
          continue;
        }
        try {
          await part.ask(ours);
        } catch (cause) {
          if (signal.aborted) throw new Cancelled('check');
          missing.push(missingBecause(part.what, cause, statementTimeout));
          // Perhaps the session is gone with it; another one costs little.
          await close();
        }
      }
    } finally {
      await close();
    }
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const ends = await Promise.allSettled(Array.from({ length: Math.max(1, parallel) }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
