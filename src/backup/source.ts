/** What a backup has to know of its source before it begins. */
import { UpgradeError } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import { formatVersion, fromVersionNum } from '../postgres/version.ts';

/** What the source says of itself. Sizes in bytes. */
export interface Source {
  version: string;
  superuser: string;
  encoding: string;
  preload: string;
  databases: { name: string; bytes: number; template: boolean }[];
  /** Databases that accept no connections: nobody can dump them. */
  closed: string[];
}

/** From then on names of the session are PostgreSQL's own. @throws UpgradeError `backup-role` */
export async function describeSource(connection: Connection): Promise<Source> {
  // The database's own path may lead to functions and operators that somebody else wrote.
  await connection.script('SET search_path = pg_catalog');
  // Asked first and alone: others may not even read shared_preload_libraries.
  const [user] = await connection.query<{ super: boolean }>(
    'SELECT rolsuper AS super FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  if (!user?.super) {
    throw new UpgradeError(
      'backup-role',
      "The connection's user is no superuser, and only a superuser can dump everything: every database, the roles and their passwords.",
      {
        phase: 'backup',
        hint: 'Use a superuser in the connection URL.',
      },
    );
  }
  const [row] = await connection.query<{
    num: string;
    owner: string;
    encoding: string | null;
    preload: string;
  }>(`
    SELECT current_setting('server_version_num') AS num,
           (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS owner,
           (SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = 'template1') AS encoding,
           current_setting('shared_preload_libraries') AS preload`);
  if (!row) throw new Error('the server told nothing about itself');
  const databases = await connection.query<{ name: string; bytes: string; template: boolean }>(`
    SELECT datname AS name, pg_catalog.pg_database_size(oid)::text AS bytes, datistemplate AS template
    FROM pg_catalog.pg_database WHERE datallowconn AND datconnlimit <> -2 AND datname <> 'template0' ORDER BY datname`);
  const closed = await connection.query<{ name: string }>(
    "SELECT datname AS name FROM pg_catalog.pg_database WHERE (NOT datallowconn OR datconnlimit = -2) AND datname <> 'template0' ORDER BY datname",
  );
  return {
    closed: closed.map(({ name }) => name),
    version: formatVersion(fromVersionNum(Number(row.num))),
    superuser: row.owner,
    encoding: row.encoding ?? 'UTF8',
    preload: row.preload,
    databases: databases.map(({ name, bytes, template }) => ({ name, bytes: Number(bytes), template })),
  };
}
