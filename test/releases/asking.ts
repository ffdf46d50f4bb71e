/** Asking advice of real servers as a run does: read only, with the search path pinned, inside another query. */
import type { Connection } from '../../src/postgres/connection.ts';
import type { Advice } from '../../src/releases/advice.ts';
import { allAdvice } from '../../src/releases/advice-catalogue.ts';
import type { TestServer } from '../support/servers.ts';

/** What a statement of advice returns for each object. */
export interface Row extends Record<string, unknown> {
  object: string;
  fix: string | null;
  safe: boolean;
  detail: string | null;
}

/** Asks one piece of advice. */
export async function ask(connection: Connection, { id, sql }: Advice): Promise<Row[]> {
  if (sql === null) throw new Error(`${id} asks nothing`);
  await connection.script('BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp');
  try {
    return await connection.query<Row>(
      `SELECT q.*, pg_catalog.count(*) OVER () AS total FROM (${sql}) AS q LIMIT 200`,
    );
  } finally {
    await connection.script('ROLLBACK');
  }
}

/** Objects and fixes of all advice that finds something in a database, by id; in the order of objects. */
export async function findings(
  server: TestServer,
  database: string,
  scopes: readonly Advice['scope'][] = ['database', 'cluster'],
): Promise<Record<string, Row[]>> {
  await using connection = await server.connect(database);
  const found: Record<string, Row[]> = {};
  for (const advice of allAdvice) {
    if (advice.sql === null || !scopes.includes(advice.scope)) continue;
    const rows = await ask(connection, advice);
    if (rows.length > 0) found[advice.id] = rows.sort((a, b) => (a.object < b.object ? -1 : 1));
  }
  return found;
}

/** Runs statements one by one, each outside of a transaction. */
export async function runAll(
  server: TestServer,
  database: string,
  statements: readonly string[],
): Promise<void> {
  await using connection = await server.connect(database);
  for (const statement of statements) await connection.query(statement);
}
