/** Whether writes are refused, and accepted again: asked in a session that has just begun, as an application's would. */

import { messageOf, UpgradeError } from '../errors.ts';
import { type Connection, connect } from '../postgres/connection.ts';
import { type ConnectionSettings, readConnectionUrl } from '../postgres/settings.ts';
import { isLoopback } from '../process/loopback.ts';
import { resolveReference } from '../spec/load.ts';
import type { ReadOnlySpec } from '../spec/read-only-schema.ts';
import { described } from './read-only-settings.ts';
import type { Run } from './target.ts';

/**
 * A write that writes nothing, needs no right, and fires no trigger. In a read-only transaction every role gets 25006
 * for it, before its rights are looked at; else a superuser may do it, and others get 42501 (measured, 13 to 18).
 */
const write = 'DELETE FROM pg_catalog.pg_class WHERE false';
const readOnlyState = '25006';

/** By which connection it is asked, and how that is called. */
export interface Asked {
  settings: ConnectionSettings;
  what: string;
}

/** What a new session saw; database and user as the target itself knows them: a pooler may have changed them. */
interface Seen {
  database: string;
  user: string;
  readOnly: boolean;
  /** SQLSTATE of the write; null where it went through. */
  state: string | null;
}

/** The spec's `verify`, or the target's own connection to each database. @throws UpgradeError `secret-missing`, `connection-url` */
export async function askedOf(run: Run, spec: ReadOnlySpec): Promise<Asked[]> {
  if (spec.verify === undefined)
    return spec.databases.map((database) => ({
      settings: { ...run.settings, database },
      what: described({ kind: 'database', name: database }),
    }));
  const { context, environment } = run;
  const url = resolveReference(spec.verify, context.variables);
  context.secrets.add(url);
  const settings = readConnectionUrl(url, spec.verify);
  if (settings.password !== undefined) context.secrets.add(settings.password);
  // The application's `localhost` is the machine of the database.
  const local = isLoopback(settings.host);
  const at = local && environment.reach ? await environment.reach(settings.host, settings.port) : null;
  return [{ settings: { ...settings, ...at }, what: `the connection in ${spec.verify}` }];
}

/** @param target a session on the target that may see all others @throws UpgradeError `read-only-verify` */
async function look(target: Connection, { settings, what }: Asked): Promise<Seen> {
  const options = { name: 'postgres-upgrade verify', timeout: 10_000, statementTimeout: 10_000 };
  try {
    await using session = await connect(settings, options);
    // In one transaction: behind a pooler the next one may be another session of the server. The database's own path may
    // lead to operators that somebody else wrote, and it may be a superuser who asks.
    await session.script('BEGIN; SET LOCAL search_path = pg_catalog');
    const [own] = await session.query<{ pid: number; began: string; readOnly: boolean }>(
      `SELECT a.pid, (extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8::pg_catalog.text AS began,
         pg_catalog.current_setting('transaction_read_only') = 'on' AS "readOnly"
       FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = pg_catalog.pg_backend_pid()`,
    );
    const [row] = await target.query<{ database: string; user: string }>(
      `SELECT a.datname::pg_catalog.text AS database, a.usename::pg_catalog.text AS "user"
       FROM pg_catalog.pg_stat_activity AS a
       WHERE a.pid = $1 AND (extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8::pg_catalog.text = $2`,
      [own?.pid, own?.began],
    );
    if (!row || !own) throw wrongConnection(`${what} leads to another server than the target`);
    const state = await session.script(write).then(
      () => null,
      (cause: unknown) => String((cause as { code?: unknown }).code ?? 'none'),
    );
    await session.script('ROLLBACK').catch(() => {});
    return { ...row, readOnly: own.readOnly, state };
  } catch (cause) {
    if (cause instanceof UpgradeError && cause.code === 'read-only-verify') throw cause;
    throw wrongConnection(`${what} could not be used: ${messageOf(cause).replace(/\.$/, '')}`, cause);
  }
}

function wrongConnection(why: string, cause?: unknown): UpgradeError {
  return new UpgradeError('read-only-verify', `Whether writes are refused cannot be verified: ${why}.`, {
    phase: 'upgrade',
    hint: 'Name a connection in read-only.verify that is made as the application makes its own: to this server, by one of read-only.roles, to one of read-only.databases.',
    docs: 'read-only.md#verify',
    cause,
  });
}

/**
 * Looks whether `verify` can tell anything, before anything is changed.
 * @returns for each connection whether its sessions are read-only already
 * @throws UpgradeError `read-only-verify`
 */
export async function lookBefore(
  target: Connection,
  asked: readonly Asked[],
  { databases, roles, verify }: ReadOnlySpec,
): Promise<boolean[]> {
  const seen: boolean[] = [];
  for (const each of asked) {
    const { database, user, readOnly } = await look(target, each);
    if (verify !== undefined && roles.length > 0 && !roles.includes(user))
      throw wrongConnection(
        `${each.what} is made by ${JSON.stringify(user)}, which is none of read-only.roles`,
      );
    if (databases.length > 0 && !databases.includes(database))
      throw wrongConnection(
        `${each.what} leads to the database ${JSON.stringify(database)}, which is none of read-only.databases`,
      );
    seen.push(readOnly);
  }
  return seen;
}

/** @throws UpgradeError `read-only-not-active`: a new session could write, or it is not known */
export async function assertRefusesWrites(target: Connection, asked: readonly Asked[]): Promise<void> {
  for (const each of asked) {
    const found = await look(target, each).then(
      ({ state }) => (state === readOnlyState ? null : answered(state)),
      (cause: unknown) => messageOf(cause),
    );
    if (found === null) continue;
    throw new UpgradeError(
      'read-only-not-active',
      `Writes are not refused by ${each.what}: ${found.replace(/\.$/, '')}.`,
      {
        phase: 'upgrade',
        hint: `A write in a new session must fail with SQLSTATE ${readOnlyState}. What was switched off is put back. Look for a setting of the role (\\drds in psql), and at what the connection sets itself (options in its URL).`,
        docs: 'read-only.md#verify',
      },
    );
  }
}

function answered(state: string | null): string {
  return state === null
    ? 'a write went through (and was rolled back)'
    : `a write failed with SQLSTATE ${state}`;
}

/** Which of them begin read-only now. @throws UpgradeError `read-only-verify` */
export async function stillReadOnly(target: Connection, asked: readonly Asked[]): Promise<Asked[]> {
  const left: Asked[] = [];
  for (const each of asked) if ((await look(target, each)).readOnly) left.push(each);
  return left;
}
