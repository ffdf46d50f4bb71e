/** Who is connected, and what would a stop of the server throw away? */
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { isMajor } from './majors.ts';
import { numberOf, textOf, worst } from './rows.ts';
import { bounded, formatSeconds } from './words.ts';

/**
 * The statement's text stays out: it may hold personal data, and reports are read by more people than databases are.
 * Backends that are no clients (autovacuum, walsenders, workers) have another backend_type.
 */
export const longTransactions: Check = {
  id: 'long-xacts',
  title: 'No transaction has been open for long',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT a.pid, a.usename, a.application_name, a.datname, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.float8 AS seconds
FROM pg_catalog.pg_stat_activity AS a
WHERE a.xact_start IS NOT NULL AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.application_name NOT LIKE 'postgres-upgrade%'
ORDER BY a.xact_start`,
  fix: 'Wait until they end, or end them with pg_terminate_backend(pid): stopping the server rolls them back.',
  judge(rows, { thresholds }) {
    const found = worst(
      rows.map((row) => {
        const seconds = numberOf(row, 'seconds');
        const status =
          seconds > thresholds.longTransactionBlock
            ? 'blocked'
            : seconds > thresholds.longTransactionWarning
              ? 'warning'
              : 'passed';
        const application = textOf(row, 'application_name');
        const who = `${textOf(row, 'usename')}${application === '' ? '' : ` (${application})`}`;
        return {
          status,
          line: `pid ${textOf(row, 'pid')} of ${who} in ${textOf(row, 'datname')}: ${textOf(row, 'state')}, open for ${formatSeconds(seconds)}`,
        } as const;
      }),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** Finds transactions that were prepared for a two-phase commit and are still open. */
export const preparedTransactions: Check = {
  id: 'prepared-xacts',
  title: 'No prepared transaction is left behind',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT p.gid, p.database AS datname, p.owner,
       extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::pg_catalog.float8 AS seconds,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_prepared_xacts AS p ORDER BY p.prepared LIMIT 20`,
  fix: "Ask the transaction manager that made them; else COMMIT PREPARED 'gid' or ROLLBACK PREPARED 'gid' in their database.",
  judge(rows, context) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const limit = context.thresholds.preparedTransactionWarning;
    const found = worst(
      rows.map((row) => {
        const seconds = numberOf(row, 'seconds');
        return {
          // A dump does not hold them, and pg_upgrade refuses them.
          status: isMajor(context) ? 'blocked' : seconds > limit ? 'warning' : 'info',
          line: `${textOf(row, 'gid')} of ${textOf(row, 'owner')} in ${textOf(row, 'datname')}: prepared ${formatSeconds(seconds)} ago`,
        };
      }),
    );
    return { status: found.status, seen: bounded(found.lines, numberOf(rows[0] ?? {}, 'total')) };
  },
};

/** Walsenders have slots of their own (max_wal_senders) and do not count. */
export const connections: Check = {
  id: 'connections',
  title: 'Connections are left',
  scope: 'cluster',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT a.datname, a.usename, a.application_name, pg_catalog.count(*) AS connections,
       pg_catalog.sum(pg_catalog.count(*)) OVER () AS used,
       pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS allowed
FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend'
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 5`,
  fix: 'End idle sessions, put a pooler in front, or raise max_connections: the backup and the checks need connections too.',
  judge(rows, { thresholds }) {
    const [row] = rows;
    // The connection that asks is one itself.
    if (!row) throw new Error('the server shows no connection at all');
    const used = numberOf(row, 'used');
    const allowed = numberOf(row, 'allowed');
    if (used / allowed <= thresholds.connectionsWarning) return { status: 'passed', seen: [] };
    return {
      status: 'warning',
      seen: [
        `${used} of ${plural(allowed, 'connection')} are in use`,
        ...rows.map((group) => {
          const application = textOf(group, 'application_name') || 'no application name';
          return `${textOf(group, 'connections')} by ${textOf(group, 'usename')} in ${textOf(group, 'datname')} (${application})`;
        }),
      ],
    };
  },
};
