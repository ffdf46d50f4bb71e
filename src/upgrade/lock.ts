/** One run a target: an advisory lock in the database `postgres`, held by a session that names its run. */
import { UpgradeError } from '../errors.ts';
import { type Connection, connect } from '../postgres/connection.ts';
import type { ConnectionSettings } from '../postgres/settings.ts';

/** Two-part key of the lock: "pgup", and 1 for an upgrade, 2 for a rehearsal. */
const keys = { upgrade: [0x70677570, 1], rehearsal: [0x70677570, 2] } as const;

/** What is locked: a target is rehearsed once at a time, and upgraded once at a time. */
type Locked = keyof typeof keys;
const prefix = 'postgres-upgrade lock ';

/** Held until released, or until its session ends. */
export interface Lock {
  /** Takes the lock anew: a restart of the server ended the session that held it. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

async function open(settings: ConnectionSettings, who: string): Promise<Connection> {
  const options = { name: `${prefix}${who}`.slice(0, 63), statementTimeout: 0, pinned: true };
  // Locks belong to a database: two runs must meet in the same one, whatever their URLs name.
  try {
    return await connect({ ...settings, database: 'postgres' }, options);
  } catch (cause) {
    if (cause instanceof UpgradeError && cause.code === 'database-missing') return connect(settings, options);
    throw cause;
  }
}

async function take(connection: Connection, what: Locked): Promise<void> {
  const key = [...keys[what]];
  const [row] = await connection.query<{ locked: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_lock($1, $2) AS locked',
    key,
  );
  if (row?.locked) return;
  const [holder] = await connection.query<{ name: string; user: string; since: string }>(
    `SELECT a.application_name AS name, a.usename AS "user", to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
     FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND l.granted`,
    key,
  );
  const name = holder?.name.replace(prefix, '') ?? 'somebody';
  throw new UpgradeError(
    'locked',
    `Another ${what === 'rehearsal' ? 'rehearsal' : 'run'} is at work on this target: ${name}, since ${holder?.since ?? '?'} UTC as ${holder?.user ?? '?'}.`,
    {
      phase: 'connect',
      hint: 'Wait until it has ended. Its lock goes with its connection: nothing has to be cleaned up.',
    },
  );
}

/** @throws UpgradeError `locked`: says who holds it */
export async function acquireLock(
  settings: ConnectionSettings,
  who: string,
  what: Locked = 'upgrade',
): Promise<Lock> {
  let connection = await open(settings, who);
  const first = connection;
  await take(first, what).catch(async (cause: unknown) => {
    await first.close();
    throw cause;
  });
  return {
    async renew() {
      await connection.close();
      connection = await open(settings, who);
      // Another run may look in between: it sees the journal, is refused and lets go within moments.
      const deadline = Date.now() + 5000;
      for (;;) {
        try {
          return await take(connection, what);
        } catch (cause) {
          if (Date.now() > deadline) throw cause;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    },
    release: () => connection.close(),
  };
}
