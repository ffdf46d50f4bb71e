/** What goes on in the server right now, and had better end first. */
import type { Check, Row, Verdict } from './check.ts';
import { flagOf, numberOf, prefixOf, textOf, worst } from './rows.ts';
import { bounded, formatSeconds } from './words.ts';

/** A session, for people. */
function who(row: Row): string {
  const application = textOf(row, 'application_name');
  const name = `${textOf(row, 'usename')}${application === '' ? '' : ` (${application})`}`;
  return `pid ${textOf(row, 'pid')} of ${name} in ${textOf(row, 'datname')}`;
}

/** Counted from when the session fell idle, not from when its transaction began: this one waits for its client. */
export const idleInTransaction: Check = {
  id: 'idle-in-tx',
  title: 'No session sits idle in a transaction',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT a.pid, a.usename, a.application_name, a.datname,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::pg_catalog.float8 AS seconds
FROM pg_catalog.pg_stat_activity AS a
WHERE a.state LIKE 'idle in transaction%' AND a.backend_type = 'client backend'
  AND a.application_name NOT LIKE 'postgres-upgrade%'
ORDER BY a.state_change`,
  fix: 'Let the application commit or roll back; else pg_terminate_backend(pid), and idle_in_transaction_session_timeout for the next time.',
  judge(rows, { thresholds }) {
    const lines = rows
      .filter((row) => numberOf(row, 'seconds') > thresholds.idleInTransactionWarning)
      .map((row) => `${who(row)}: idle in transaction for ${formatSeconds(numberOf(row, 'seconds'))}`);
    return { status: lines.length > 0 ? 'warning' : 'passed', seen: bounded(lines) };
  },
};

/** `waitstart` exists from 14 on; before, a wait cannot be older than its statement. Asking who blocks is not cheap. */
export const lockWaits: Check = {
  id: 'lock-waits',
  title: 'Nobody waits long for a lock',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT a.pid, a.usename, a.application_name, a.datname,
       extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(w.since, a.query_start))::pg_catalog.float8 AS seconds,
       pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', ') AS blockers
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN LATERAL (
  SELECT pg_catalog.min((pg_catalog.to_jsonb(l) ->> 'waitstart')::pg_catalog.timestamptz) AS since
  FROM pg_catalog.pg_locks AS l WHERE l.pid = a.pid AND NOT l.granted
) AS w ON true
WHERE a.wait_event_type = 'Lock' ORDER BY 5 DESC LIMIT 1000`,
  fix: 'End what blocks them: the dump would queue behind it, and everybody else behind the dump.',
  judge(rows, { thresholds }) {
    const lines = rows
      .filter((row) => numberOf(row, 'seconds') > thresholds.lockWaitWarning)
      .map((row) => {
        const blockers = textOf(row, 'blockers');
        const by = blockers === '' ? 'a lock' : `pid ${blockers}`;
        return `${who(row)}: waits for ${by} for ${formatSeconds(numberOf(row, 'seconds'))}`;
      });
    return { status: lines.length > 0 ? 'warning' : 'passed', seen: bounded(lines) };
  },
};

/** Autovacuum ends without harm and begins again, unless it is what holds off a wraparound. */
export const runningMaintenance: Check = {
  id: 'running-maintenance',
  title: 'No maintenance is running',
  scope: 'database',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT p.pid, p.command, p.relid::pg_catalog.regclass::pg_catalog.text AS relation, p.phase,
       a.backend_type = 'autovacuum worker' AS automatic,
       coalesce(a.query LIKE '%(to prevent wraparound)', false) AS wraparound
FROM (
  SELECT v.pid, v.datname, v.relid, v.phase, 'VACUUM' AS command FROM pg_catalog.pg_stat_progress_vacuum AS v
  UNION ALL SELECT i.pid, i.datname, i.relid, i.phase, i.command FROM pg_catalog.pg_stat_progress_create_index AS i
  UNION ALL SELECT c.pid, c.datname, c.relid, c.phase, c.command FROM pg_catalog.pg_stat_progress_cluster AS c
) AS p JOIN pg_catalog.pg_stat_activity AS a ON a.pid = p.pid
WHERE p.datname = pg_catalog.current_database() ORDER BY p.pid LIMIT 100`,
  fix: 'Wait until it is done: the restart throws its work away, and leaves an invalid index of one that is built CONCURRENTLY.',
  judge(rows) {
    const found = worst(
      rows.map((row): { status: Verdict['status']; line: string } => {
        const wraparound = flagOf(row, 'wraparound');
        const what = wraparound ? 'autovacuum (to prevent wraparound)' : textOf(row, 'command');
        return {
          status: flagOf(row, 'automatic') && !wraparound ? 'passed' : 'warning',
          line: `${prefixOf(row)}${what} of ${textOf(row, 'relation')}: ${textOf(row, 'phase')}, pid ${textOf(row, 'pid')}`,
        };
      }),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};
