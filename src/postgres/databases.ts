/** Which databases of a server can be worked with. */
import type { Connection } from './connection.ts';

/** Name, and pg_database_size in bytes. */
export interface Database {
  name: string;
  bytes: number;
}

/**
 * The databases of users that accept connections. One that an interrupted DROP DATABASE left behind
 * (datconnlimit = -2, marked so since the minor releases of 2023-05-11) accepts none.
 */
export async function listDatabases(connection: Connection): Promise<Database[]> {
  const rows = await connection.query<{ name: string; bytes: string }>(
    `SELECT datname AS name, pg_catalog.pg_database_size(oid)::text AS bytes
     FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname`,
  );
  return rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) }));
}

/** The same without their sizes, which cost a look at every file. */
export async function listDatabaseNames(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ name: string }>(
    `SELECT datname AS name FROM pg_catalog.pg_database
     WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname`,
  );
  return rows.map(({ name }) => name);
}

/** Every database, also templates and those that accept no connections; without what an interrupted DROP left. */
export async function listAllDatabases(
  connection: Connection,
): Promise<{ name: string; connectable: boolean; template: boolean }[]> {
  return await connection.query(
    `SELECT datname AS name, datallowconn AS connectable, datistemplate AS template
     FROM pg_catalog.pg_database WHERE datconnlimit <> -2 ORDER BY datname`,
  );
}
