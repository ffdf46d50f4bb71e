/** Opening connections and asking questions. The only place that imports pg. */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import pg from 'pg';
import { messageOf, UpgradeError } from '../errors.ts';
import { type ConnectionSettings, describe } from './settings.ts';

/** A result as the server sends it; columns of the same name stay apart. */
export interface Texts {
  columns: string[];
  rows: (string | null)[][];
}

/** An open session. */
export interface Connection extends AsyncDisposable {
  /** Runs one statement; numbers come as numbers where they are safe, bigint and numeric as strings. */
  query<Row extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs one statement whose shape nobody knows: columns by position, every value as the text that the server sent. The
   * server refuses a second statement in it.
   */
  texts(sql: string): Promise<Texts>;
  /** Runs several statements in one go, without results; stops at the first error. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** Limits and name of a session. */
export interface ConnectOptions {
  /** Shown in pg_stat_activity; cut by the server to 63 bytes. */
  name?: string;
  /** Milliseconds to wait for the connection. */
  timeout?: number;
  /** Milliseconds that a statement may take; 0 for no limit. */
  statementTimeout?: number;
  /**
   * Names of the session are PostgreSQL's own: the path of the database may lead to functions and operators that somebody
   * else wrote, and a superuser would run them. Not behind a pooler that shares sessions.
   */
  pinned?: boolean;
}

/**
 * SQLSTATEs and socket errors, turned into words and a hint.
 * Codes: documentation, appendix "PostgreSQL Error Codes".
 */
function explain(cause: unknown, settings: ConnectionSettings): UpgradeError {
  const code = (cause as { code?: string } | null)?.code ?? '';
  const where = describe(settings);
  const options = { phase: 'connect', cause } as const;
  switch (code) {
    case '28P01':
    case '28000':
      return new UpgradeError('login-refused', `${where} refused the login: ${messageOf(cause)}.`, {
        ...options,
        hint: 'Check the user and password in the secret, and the line of pg_hba.conf that applies to this host.',
      });
    case '3D000':
      return new UpgradeError(
        'database-missing',
        `The database ${settings.database} does not exist at ${where}.`,
        {
          ...options,
          hint: 'Name an existing database in the connection URL; postgres always exists.',
        },
      );
    case '57P03':
      return new UpgradeError('server-starting', `${where} is not ready: ${messageOf(cause)}.`, {
        ...options,
        hint: 'Wait until it accepts connections, then run again.',
      });
    case '53300':
      return new UpgradeError(
        'too-many-connections',
        `${where} has no free connection: ${messageOf(cause)}.`,
        {
          ...options,
          hint: 'End idle sessions or raise max_connections, then run again.',
        },
      );
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'ENOTFOUND':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
    case 'ECONNRESET':
      return new UpgradeError('server-down', `Nothing answers at ${where} (${code}).`, {
        ...options,
        hint: 'Check that the server runs, and host and port of the connection.',
      });
    default:
      return new UpgradeError('connect', `${where} cannot be reached: ${messageOf(cause)}.`, {
        ...options,
        hint: 'Check that the server runs, and host, port and sslmode of the connection.',
      });
  }
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UpgradeError('ssl-root-cert', `The certificate ${file} cannot be read: ${messageOf(cause)}.`, {
      phase: 'connect',
      hint: 'Name a file of this machine as sslrootcert in the connection URL.',
      cause,
    });
  }
}

/**
 * Opens a connection. `int8` and `numeric` come back as strings, as pg has it.
 * @throws UpgradeError `login-refused`, `database-missing`, `server-starting`, `too-many-connections`, `server-down`, `connect`, `ssl-root-cert`
 */
export async function connect(
  settings: ConnectionSettings,
  options: ConnectOptions = {},
): Promise<Connection> {
  const socket = new Socket();
  const client = new pg.Client({
    stream: () => socket,
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    password: settings.password ?? '',
    application_name: options.name ?? 'postgres-upgrade',
    connectionTimeoutMillis: options.timeout ?? 10_000,
    statement_timeout: options.statementTimeout ?? 60_000,
    // A server that hangs sends no timeout of its own: the client gives up a little later.
    ...(options.statementTimeout === 0 ? {} : { query_timeout: (options.statementTimeout ?? 60_000) + 5000 }),
    lock_timeout: 10_000,
    keepAlive: true,
    ssl:
      settings.ssl === 'disable'
        ? false
        : {
            rejectUnauthorized: settings.ssl === 'verify-full',
            ...(settings.sslRootCert ? { ca: readCertificate(settings.sslRootCert) } : {}),
          },
  });
  // A server that stops sends 57P01 to idle sessions: without a listener that would end this process.
  client.on('error', () => {});
  try {
    await client.connect();
    if (options.pinned) await client.query('SET search_path = pg_catalog');
  } catch (cause) {
    await client.end().catch(() => {});
    throw explain(cause, settings);
  }
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    // A server that hangs never answers the goodbye: nobody waits for it.
    const timer = setTimeout(() => socket.destroy(), 2000);
    await client.end().catch(() => {});
    clearTimeout(timer);
  };
  return {
    async query<Row extends Record<string, unknown>>(
      sql: string,
      values: readonly unknown[] = [],
    ): Promise<Row[]> {
      const result = await client.query<Row>(sql, [...values]);
      return result.rows;
    },
    async texts(sql) {
      const { fields, rows } = await client.query<(string | null)[]>({
        text: sql,
        rowMode: 'array',
        queryMode: 'extended',
        types: { getTypeParser: () => (value: string) => value },
      } as pg.QueryArrayConfig);
      return { columns: fields.map(({ name }) => name), rows };
    },
    async script(sql) {
      await client.query(sql);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Quotes an identifier for SQL. */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text for SQL, whatever standard_conforming_strings says. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}
