/** How the cluster was made: a new one of another major should be made like it. */
import { formatBytes } from '../report/format.ts';
import type { Check } from './check.ts';
import { isMajor } from './majors.ts';
import { flagOf, numberOf, textOf } from './rows.ts';

const usualSegment = 16 * 1024 ** 2;
const usualPage = 8192;

/** What a minor upgrade finds is only recorded: the same data directory goes on. */
export const control: Check = {
  id: 'control',
  title: 'The cluster was made in the usual way',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT i.bytes_per_wal_segment AS segment, i.database_block_size AS page, s.catalog_version_no AS catalog,
       i.data_page_checksum_version > 0 AS checksums
FROM pg_catalog.pg_control_init() AS i, pg_catalog.pg_control_system() AS s`,
  fix: 'Make the new cluster in the same way: initdb --wal-segsize; another page size needs programs built for it.',
  judge(rows, context) {
    const [row] = rows;
    if (!row) throw new Error('the server did not answer');
    const segment = numberOf(row, 'segment');
    const page = numberOf(row, 'page');
    const usual = segment === usualSegment && page === usualPage;
    return {
      status: isMajor(context) && !usual ? 'info' : 'passed',
      seen: [
        `WAL segments of ${formatBytes(segment)}, pages of ${formatBytes(page)}`,
        `data checksums ${flagOf(row, 'checksums') ? 'on' : 'off'}, catalog version ${textOf(row, 'catalog')}`,
      ],
    };
  },
};

/** A minor upgrade keeps what is there, and checksum-failures tells that damage goes unnoticed. */
export const checksumsOff: Check = {
  id: 'checksums-off',
  title: 'Data checksums are on',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `SELECT pg_catalog.current_setting('data_checksums') AS checksums`,
  fix: 'Make the new cluster with checksums. For pg_upgrade both must agree: pg_checksums --enable on the stopped old server, or initdb --no-data-checksums.',
  judge(rows, { wanted }) {
    if (textOf(rows[0] ?? {}, 'checksums') !== 'off') return { status: 'passed', seen: [] };
    const usual =
      wanted.major >= 18
        ? `initdb of ${wanted.major} switches them on, and pg_upgrade refuses two clusters that differ`
        : 'the server cannot notice damaged pages';
    return { status: 'warning', seen: [`data checksums are off: ${usual}`] };
  },
};
