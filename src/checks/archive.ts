/** Does WAL reach the archive? Without it there is no point-in-time recovery, and a stop waits for the archiver. */
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { flagOf, numberOf, textOf } from './rows.ts';

/** `archive_library` exists from 15 on. */
export const archiver: Check = {
  id: 'archiver',
  title: 'WAL archiving works',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT pg_catalog.current_setting('archive_mode') AS mode,
       pg_catalog.current_setting('archive_command') = ''
         AND coalesce(pg_catalog.current_setting('archive_library', true), '') = '' AS nowhere,
       a.failed_count, a.last_failed_wal,
       pg_catalog.to_char(a.last_failed_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS last_failed,
       pg_catalog.to_char(a.last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS last_archived,
       coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS failing,
       coalesce(a.last_archived_time > pg_catalog.pg_postmaster_start_time(), false) AS since_start
FROM pg_catalog.pg_stat_archiver AS a`,
  fix: 'Read the server log for what archive_command printed, repair it, and wait until the file is archived.',
  judge(rows, { when }) {
    const [row] = rows;
    if (!row) throw new Error('pg_stat_archiver is empty');
    if (textOf(row, 'mode') === 'off') return { status: 'passed', seen: [] };
    if (flagOf(row, 'failing')) {
      const last = textOf(row, 'last_archived');
      return {
        status: 'blocked',
        seen: [
          `${textOf(row, 'last_failed_wal')} could not be archived, last tried ${textOf(row, 'last_failed')} UTC; ` +
            `${plural(numberOf(row, 'failed_count'), 'failure')} so far`,
          last === '' ? 'no file was archived yet' : `the last archived file is of ${last} UTC`,
        ],
      };
    }
    if (flagOf(row, 'nowhere')) {
      return {
        status: 'warning',
        seen: ['archive_mode is on, but archive_command is empty: WAL piles up in pg_wal'],
      };
    }
    // Counters from before the restart say nothing about the server that runs now.
    if (when === 'after' && !flagOf(row, 'since_start')) {
      return {
        status: 'info',
        seen: ['nothing was archived since the restart yet: look again after the next WAL switch'],
      };
    }
    return { status: 'passed', seen: [] };
  },
};

/** Counts finished WAL files that wait for the archiver: a fast stop waits until it has tried them. */
export const archiveBacklog: Check = {
  id: 'archive-backlog',
  title: 'No WAL waits for the archiver',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT pg_catalog.count(*) AS waiting FROM pg_catalog.pg_ls_archive_statusdir() AS f
WHERE f.name LIKE '%.ready' AND pg_catalog.current_setting('archive_mode') <> 'off'`,
  fix: 'Wait until the archiver has caught up: stopping the server waits for it.',
  judge(rows, { thresholds }) {
    const waiting = numberOf(rows[0] ?? {}, 'waiting');
    if (waiting <= thresholds.archiveBacklogWarning) return { status: 'passed', seen: [] };
    return {
      status: waiting > thresholds.archiveBacklogBlock ? 'blocked' : 'warning',
      seen: [`${plural(waiting, 'finished WAL file')} not archived yet`],
    };
  },
};
