/** Asking the questions of checks over a connection. Nothing here judges. */
import { Cancelled, messageOf } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { Check, Row } from './check.ts';

/** `denied`: the user lacks a right; `failed`: nobody knows. */
export type Answer = { kind: 'rows'; rows: Row[] } | { kind: 'denied' } | { kind: 'failed'; message: string };

/** What is asked of a server: a check, or anything else with an id and one read-only statement. */
export type Question = Pick<Check, 'id' | 'sql' | 'role'>;

/** How a server is asked. */
interface AskOptions {
  signal: AbortSignal;
  /** Milliseconds for one statement. */
  statementTimeout: number;
}

/** SQLSTATE of what the server refused; empty for anything else. */
function stateOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/**
 * Set once for a session: every statement is a read-only transaction of its own then. The search path is pinned because
 * it decides about operators, which nobody qualifies, and how names are printed. JIT and parallel workers cost more than
 * they gain on catalogs, and the machine has other work to do.
 */
function settings(statementTimeout: number): string {
  return [
    'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY',
    `SET statement_timeout = ${Math.trunc(statementTimeout)}`,
    'SET search_path = pg_catalog, pg_temp',
    'SET jit = off',
    'SET max_parallel_workers_per_gather = 0',
  ].join('; ');
}

async function askOne(connection: Connection, { role, sql }: Question): Promise<Answer> {
  if (role) {
    const [row] = await connection.query<{ has: boolean }>('SELECT pg_catalog.pg_has_role($1, $2) AS has', [
      role,
      'USAGE',
    ]);
    if (row?.has !== true) return { kind: 'denied' };
  }
  return { kind: 'rows', rows: await connection.query(sql ?? '') };
}

async function open(connect: () => Promise<Connection>, statementTimeout: number): Promise<Connection> {
  const connection = await connect();
  await connection.script(settings(statementTimeout));
  return connection;
}

/** Why a statement failed, for people. */
function reason(cause: unknown, timeout: number): string {
  return stateOf(cause) === '57014'
    ? `${messageOf(cause)} (allowed are ${timeout / 1000} s)`
    : messageOf(cause);
}

/**
 * Asks one question after the other, each in a read-only transaction of its own, so that none can spoil the next.
 * A lost connection is opened again for the next check; where that fails, the rest has failed with it.
 * @throws Cancelled
 */
export async function askAll(
  checks: readonly Question[],
  connect: () => Promise<Connection>,
  options: AskOptions,
): Promise<Map<string, Answer>> {
  const { signal, statementTimeout } = options;
  const answers = new Map<string, Answer>();
  let connection: Connection | null = null;
  let unreachable: string | null = null;
  // Closing ends a running statement on our side at once; on the server its time limit does.
  const stop = (): void => void connection?.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (const check of checks) {
      if (check.sql === null) continue;
      for (let attempt = 1; !answers.has(check.id); attempt += 1) {
        if (signal.aborted) throw new Cancelled('check');
        try {
          if (unreachable !== null) throw new Error(unreachable);
          connection ??= await open(connect, statementTimeout).catch((cause: unknown) => {
            unreachable = messageOf(cause);
            throw cause;
          });
          if (signal.aborted) throw new Cancelled('check');
          answers.set(check.id, await askOne(connection, check));
        } catch (cause) {
          if (signal.aborted) throw new Cancelled('check');
          const state = stateOf(cause);
          // XX000 is what catalog functions say about a table that was dropped under them: asked once more.
          if (state === '42501') answers.set(check.id, { kind: 'denied' });
          else if (state !== 'XX000' || attempt > 1)
            answers.set(check.id, { kind: 'failed', message: reason(cause, statementTimeout) });
          const usable = await connection?.script('SELECT').then(
            () => true,
            () => false,
          );
          if (usable === false) {
            await connection?.close();
            connection = null;
          }
        }
      }
    }
    return answers;
  } finally {
    signal.removeEventListener('abort', stop);
    await connection?.close();
  }
}
