/** How to reach a server: read from a connection URL, handed to `pg` and to the client programs. */
import { parse } from 'pg-connection-string';
import { UpgradeError } from '../errors.ts';

export interface ConnectionSettings {
  /** Host name, address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  ssl: 'disable' | 'require' | 'verify-full';
  /** File of the authority that signed the server's certificate. */
  sslRootCert: string | undefined;
}

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=...`.
 * The message never quotes the URL: it holds the password.
 * @throws UpgradeError `connection-url`
 */
export function readConnectionUrl(url: string, name: string): ConnectionSettings {
  const bad = (what: string): UpgradeError =>
    new UpgradeError('connection-url', `The connection in ${name} ${what}.`, {
      hint: 'Write it as postgresql://user:password@host:5432/database.',
      phase: 'connect',
    });
  if (!/^postgres(ql)?:\/\//.test(url)) throw bad('is not a PostgreSQL URL');
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(url);
  } catch {
    throw bad('cannot be read as a URL');
  }
  const port = Number(parsed.port || 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw bad('names no usable port');
  const query = new URL(url.replace(/^postgres(ql)?:/, 'http:')).searchParams;
  const mode = query.get('sslmode') ?? 'prefer';
  return {
    host: parsed.host || 'localhost',
    port,
    user: parsed.user || 'postgres',
    password: parsed.password || undefined,
    database: parsed.database || parsed.user || 'postgres',
    ssl: mode.startsWith('verify') ? 'verify-full' : mode === 'require' ? 'require' : 'disable',
    sslRootCert: query.get('sslrootcert') ?? undefined,
  };
}

/** The address without the password, for messages. */
export function describe(settings: ConnectionSettings): string {
  return `${settings.user}@${settings.host}:${settings.port}/${settings.database}`;
}
