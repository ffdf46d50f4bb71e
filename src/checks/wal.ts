/** How much WAL is there, and how much work would a stop be? */
import { formatBytes, plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { currentLsn } from './replication.ts';
import { numberOf } from './rows.ts';

const bytesOf = (setting: string): string =>
  `pg_catalog.pg_size_bytes(pg_catalog.current_setting('${setting}'))`;

/** What wal_keep_size asks for is no fault. */
export const walDir: Check = {
  id: 'wal-dir',
  title: 'pg_wal is not larger than it should be',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT pg_catalog.count(*) AS files, coalesce(pg_catalog.sum(f.size), 0) AS bytes,
       ${bytesOf('max_wal_size')} AS most, ${bytesOf('wal_keep_size')} AS kept
FROM pg_catalog.pg_ls_waldir() AS f`,
  fix: 'Look for what holds WAL back: a replication slot, the archiver, a checkpoint that does not keep up. Never delete files in pg_wal.',
  judge(rows, { thresholds }) {
    const row = rows[0] ?? {};
    const bytes = numberOf(row, 'bytes');
    const most = numberOf(row, 'most');
    if (bytes <= most * thresholds.walDirWarning + numberOf(row, 'kept'))
      return { status: 'passed', seen: [] };
    const files = plural(numberOf(row, 'files'), 'file');
    return {
      status: 'warning',
      seen: [`${formatBytes(bytes)} in ${files}, max_wal_size is ${formatBytes(most)}`],
    };
  },
};

/** WAL since the last checkpoint stands for the pages that the next one writes: nothing cheaper shows them. */
export const dirtyBuffersCost: Check = {
  id: 'dirty-buffers-cost',
  title: 'The checkpoint before the stop has little to write',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  sql: `
SELECT pg_catalog.pg_wal_lsn_diff(${currentLsn}, c.redo_lsn) AS distance,
       ${bytesOf('shared_buffers')} AS buffers
FROM pg_catalog.pg_control_checkpoint() AS c`,
  fix: 'Nothing must be done: the run writes a checkpoint before it stops the server. A quiet hour makes it shorter.',
  judge(rows, { thresholds }) {
    const row = rows[0] ?? {};
    const distance = numberOf(row, 'distance');
    return {
      status: distance > thresholds.checkpointDistanceInfo ? 'info' : 'passed',
      seen: [
        `${formatBytes(distance)} of WAL since the last checkpoint, shared_buffers is ${formatBytes(numberOf(row, 'buffers'))}`,
      ],
    };
  },
};
