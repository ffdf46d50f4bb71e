/** Sessions that began under an older setting: a setting of a database or role is read when a session begins. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StepRun } from '../environments/environment.ts';
import { Cancelled, UpgradeError } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { Scope } from './read-only-settings.ts';

/** Sessions of the action itself, by its user and the names it gives them; `a` is a row of pg_stat_activity. */
export const oursSql = `(a.pid = pg_catalog.pg_backend_pid()
  OR (pg_catalog.starts_with(a.application_name, 'postgres-upgrade') AND a.usename = SESSION_USER))`;

/** Milliseconds until a session must be gone. */
const patience = 60_000;
/** Milliseconds between two looks. */
const pace = 50;

/**
 * Sessions that are just beginning. They hold this lock from before they read their settings until they can be seen in
 * pg_stat_activity (InitPostgres in postinit.c).
 */
const beginningSql = `
SELECT pid FROM pg_catalog.pg_locks
WHERE locktype = 'object' AND classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND mode = 'RowExclusiveLock'
  AND pid <> pg_catalog.pg_backend_pid()`;

/** $1: names of databases, $2: names of roles, $3: sessions that began until then. Walsenders are no client backends. */
const endSql = `
SELECT a.pid, a.usename::pg_catalog.text AS "user", a.application_name AS application,
  pg_catalog.pg_terminate_backend(a.pid) AS told
FROM pg_catalog.pg_stat_activity AS a
WHERE a.backend_type = 'client backend' AND a.backend_start <= $3::pg_catalog.timestamptz AND ${oursSql} IS NOT TRUE
  AND (a.datname::pg_catalog.text = ANY ($1::pg_catalog.text[]) OR a.usename::pg_catalog.text = ANY ($2::pg_catalog.text[]))`;

/** A session as people are told of it. */
interface Session extends Record<string, unknown> {
  pid: number;
  user: string | null;
  application: string;
}

/** For people; names are anybody's. */
export function namedSession({ pid, user, application }: Session): string {
  return `process ${pid} of ${JSON.stringify(user ?? '')} (${JSON.stringify(application)})`;
}

/**
 * Ends every client session of the scope that began before now, and returns when all are gone; new ones may come. Ours
 * and replication stay.
 * @returns how many there were
 * @throws Cancelled, UpgradeError `read-only-sessions`
 */
export async function endOldSessions(
  connection: Connection,
  { databases, roles }: Scope,
  step: Pick<StepRun, 'signal' | 'progress'>,
): Promise<number> {
  const [clock] = await connection.query<{ now: string }>(
    'SELECT pg_catalog.clock_timestamp()::pg_catalog.text AS now',
  );
  const beginning = async (): Promise<number[]> =>
    (await connection.query<{ pid: number }>(beginningSql)).map(({ pid }) => pid);
  let unseen = await beginning();
  const seen = new Set<number>();
  const deadline = performance.now() + patience;
  for (;;) {
    if (step.signal.aborted) throw new Cancelled();
    // In this order: one that has just begun is either still beginning here, or seen below.
    if (unseen.length > 0) {
      const now = new Set(await beginning());
      unseen = unseen.filter((pid) => now.has(pid));
    }
    const left = await ask(connection, [databases, roles, clock?.now]);
    for (const { pid } of left) seen.add(pid);
    if (left.length === 0 && unseen.length === 0) return seen.size;
    if (performance.now() > deadline) throw notEnded(left, unseen);
    step.progress(`waiting until ${left.length + unseen.length} sessions have ended`);
    await sleep(pace);
  }
}

async function ask(connection: Connection, values: readonly unknown[]): Promise<Session[]> {
  try {
    return await connection.query<Session>(endSql, values);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== '42501') throw cause;
    throw new UpgradeError(
      'read-only-sessions',
      'The user of the connection may not end sessions of others.',
      {
        phase: 'upgrade',
        hint: 'It needs to be a superuser: pg_signal_backend is not enough to end sessions of superusers.',
        docs: 'read-only.md#sessions',
        cause,
      },
    );
  }
}

function notEnded(left: readonly Session[], unseen: readonly number[]): UpgradeError {
  const named = [
    ...left.map(namedSession),
    ...unseen.map((pid) => `process ${pid}, which is still beginning`),
  ];
  return new UpgradeError(
    'read-only-sessions',
    `${named.length === 1 ? 'A session was' : `${named.length} sessions were`} told to end, and did not within ${patience / 1000} seconds: ${named.slice(0, 5).join(', ')}.`,
    {
      phase: 'upgrade',
      hint: 'Look what it waits for (pg_stat_activity, wait_event), then run again.',
      docs: 'read-only.md#sessions',
    },
  );
}

/** Transactions that are prepared can be committed by any session, also by one that is read-only. */
export async function preparedTransactions(
  connection: Connection,
  { databases, roles }: Scope,
): Promise<number> {
  const [row] = await connection.query<{ count: number }>(
    `SELECT pg_catalog.count(*)::pg_catalog.int4 AS count FROM pg_catalog.pg_prepared_xacts
     WHERE database::pg_catalog.text = ANY ($1::pg_catalog.text[]) OR owner::pg_catalog.text = ANY ($2::pg_catalog.text[])`,
    [databases, roles],
  );
  return row?.count ?? 0;
}
