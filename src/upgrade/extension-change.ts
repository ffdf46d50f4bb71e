/** One transaction that changes an extension, in a session of its own: ended with the run, taken back unless it commits. */
import { Cancelled } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import { connectTo } from './connect.ts';
import { lookWithin } from './extension-look.ts';
import type { Run } from './target.ts';

/** It waits for a lock for 10 seconds, and works for 10 minutes. */
const begin =
  "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '600s'";

/**
 * Begins the transaction and closes the session afterwards. Where the signal fires the session is ended on the
 * server, which takes the transaction back.
 * @throws Cancelled, and what `work` throws
 */
export async function changing(
  run: Run,
  database: string,
  signal: AbortSignal,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  if (signal.aborted) throw new Cancelled();
  await using connection = await connectTo(run, database, 0);
  const [row] = await connection.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  const end = (): void =>
    void endSession(run, row?.pid ?? 0)
      .catch(() => {})
      .finally(() => connection.close());
  signal.addEventListener('abort', end, { once: true });
  try {
    await connection.script(begin);
    await work(connection);
  } catch (cause) {
    if (signal.aborted) throw new Cancelled();
    // What comes next looks at the same objects, and must not wait for the end of this session.
    await connection.script('ROLLBACK').catch(() => {});
    throw cause;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** A server does not notice that its client is gone before it has something to say. */
async function endSession(run: Run, pid: number): Promise<void> {
  await using connection = await connectTo(run);
  await connection.query('SELECT pg_catalog.pg_terminate_backend($1)', [pid]);
}

/**
 * Verifies within the transaction of a change, then commits it.
 * @throws Error where it does not work
 */
export async function commitIfGood(
  connection: Connection,
  extension: string,
  spec: ExtensionSpec,
): Promise<void> {
  const { faults } = await lookWithin(connection, extension, spec);
  if (faults.length > 0) throw new Error(faults.map(({ what }) => what).join('; '));
  await connection.script('COMMIT');
}
