/** Asking the questions of checks over a connection. Nothing here judges. */
import { Cancelled, messageOf } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { Check, Row } from './check.ts';

/** `denied`: the user lacks a right; `failed`: nobody knows. */
export type Answer = { kind: 'rows'; rows: Row[] } | { kind: 'denied' } | { kind: 'failed'; message: string };

export interface AskOptions {
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
 * The search path is pinned as well: it decides about operators, which nobody qualifies, and how names are printed.
 * JIT would cost more than it gains on catalogs.
 */
function beginning(statementTimeout: number): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY',
    `SET LOCAL statement_timeout = ${Math.trunc(statementTimeout)}`,
    'SET LOCAL search_path = pg_catalog, pg_temp',
    'SET LOCAL jit = off',
  ].join('; ');
}

async function askOne(connection: Connection, check: Check, sql: string, timeout: number): Promise<Answer> {
  await connection.script(beginning(timeout));
  if (check.role) {
    const [row] = await connection.query<{ has: boolean }>('SELECT pg_catalog.pg_has_role($1, $2) AS has', [
      check.role,
      'USAGE',
    ]);
    if (row?.has !== true) return { kind: 'denied' };
  }
  return { kind: 'rows', rows: await connection.query(sql) };
}

/** Why a statement failed, for people. */
function reason(cause: unknown, timeout: number): string {
  return stateOf(cause) === '57014'
    ? `${messageOf(cause)} (allowed are ${timeout / 1000} s)`
    : messageOf(cause);
}

/**
 * Asks one check after the other, each in a read-only transaction of its own, so that none can spoil the next.
 * A lost connection is opened again for the next check; where that fails, the rest has failed with it.
 * @throws Cancelled
 */
export async function askAll(
  checks: readonly Check[],
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
          connection ??= await connect().catch((cause: unknown) => {
            unreachable = messageOf(cause);
            throw cause;
          });
          if (signal.aborted) throw new Cancelled('check');
          answers.set(check.id, await askOne(connection, check, check.sql, statementTimeout));
        } catch (cause) {
          if (signal.aborted) throw new Cancelled('check');
          const state = stateOf(cause);
          // XX000 is what catalog functions say about a table that was dropped under them: asked once more.
          if (state === '42501') answers.set(check.id, { kind: 'denied' });
          else if (state !== 'XX000' || attempt > 1)
            answers.set(check.id, { kind: 'failed', message: reason(cause, statementTimeout) });
        }
        const usable = await connection?.script('ROLLBACK').then(
          () => true,
          () => false,
        );
        if (usable === false) {
          await connection?.close();
          connection = null;
        }
      }
    }
    return answers;
  } finally {
    signal.removeEventListener('abort', stop);
    await connection?.close();
  }
}
