/** Hands a password to client programs in a file: an argument or a variable could be seen by others. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSettings } from './settings.ts';

/** How their sessions are named on the server. */
export const dumpName = 'postgres-upgrade dump';

/** How client programs log in; disposing removes the password file. */
export interface ClientLogin extends AsyncDisposable {
  /** Arguments that every client program understands; no secret among them. */
  args: string[];
  env: Record<string, string>;
}

/** Format of the file: documentation, "The Password File"; backslash and colon are escaped. */
function field(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
}

/**
 * A login for client programs, to be disposed of after use.
 * @param base folder to keep it in, where somebody cleans up after a run that was killed
 */
export async function clientLogin(settings: ConnectionSettings, base = tmpdir()): Promise<ClientLogin> {
  const folder = await mkdtemp(join(base, 'pgu-login-'));
  const env: Record<string, string> = { PGAPPNAME: dumpName, PGCONNECT_TIMEOUT: '15' };
  if (settings.password !== undefined) {
    const file = join(folder, 'pgpass');
    await writeFile(file, `*:*:*:${field(settings.user)}:${field(settings.password)}\n`, { mode: 0o600 });
    env.PGPASSFILE = file;
  }
  env.PGSSLMODE = settings.ssl === 'disable' ? 'prefer' : settings.ssl;
  if (settings.sslRootCert) env.PGSSLROOTCERT = settings.sslRootCert;
  return {
    args: [
      '--host',
      settings.host,
      '--port',
      String(settings.port),
      '--username',
      settings.user,
      '--no-password',
    ],
    env,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A database name as a connection string: a name that looks like one would be read as one. */
export function conninfo(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
