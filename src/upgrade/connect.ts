/** A session on the target, under the action's name. */
import { type Connection, connect } from '../postgres/connection.ts';
import type { Run } from './target.ts';

/**
 * Connects to a database of the target; to that of the spec's connection by default.
 * @param statementTimeout milliseconds; 0 for no limit
 */
export async function connectTo(run: Run, database?: string, statementTimeout = 60_000): Promise<Connection> {
  const connection = await connect(
    { ...run.settings, database: database ?? run.settings.database },
    { name: 'postgres-upgrade', statementTimeout },
  );
  // The target's own path may lead to functions that somebody else wrote: ours are asked as a superuser. And ours must
  // work while a database or a role is read-only by default, by our own doing or by somebody else's.
  await connection.script('SET search_path = pg_catalog; SET default_transaction_read_only = off');
  return connection;
}
