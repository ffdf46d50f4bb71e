/** How to reach a server: read from a connection URL, handed to `pg` and to the client programs. */
import { parse } from 'pg-connection-string';
import { UpgradeError } from '../errors.ts';

/** One server and one login. The password is a secret: never print this whole. */
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

/** libpq's modes and pg's own `no-verify`, and what they mean here: no mode falls back to a weaker one. */
const sslModes: ReadonlyMap<string, ConnectionSettings['ssl']> = new Map([
  ['disable', 'disable'],
  ['allow', 'disable'],
  ['prefer', 'disable'],
  ['no-verify', 'require'],
  ['require', 'require'],
  ['verify-ca', 'verify-full'],
  ['verify-full', 'verify-full'],
]);

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
  const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]);
  // libpq reads ssl=true as sslmode=require.
  const mode = query.get('sslmode') ?? (query.get('ssl') === 'true' ? 'require' : 'prefer');
  // A typing error must not send the password in clear.
  const ssl = sslModes.get(mode);
  if (!ssl) throw bad(`has an sslmode that is none of ${[...sslModes.keys()].join(', ')}`);
  const sslRootCert = query.get('sslrootcert') ?? undefined;
  // The parser would open the files, and warn that its next version reads the modes in another way.
  for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) query.delete(name);
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(`${url.replace(/[?#].*$/s, '')}?${query}`);
  } catch {
    throw bad('cannot be read as a URL');
  }
  const port = Number(parsed.port || 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw bad('names no usable port');
  return {
    host: parsed.host || 'localhost',
    port,
    user: parsed.user || 'postgres',
    password: parsed.password || undefined,
    database: parsed.database || parsed.user || 'postgres',
    ssl,
    sslRootCert,
  };
}

/** The address without the password, for messages. */
export function describe(settings: ConnectionSettings): string {
  return `${settings.user}@${settings.host}:${settings.port}/${settings.database}`;
}
