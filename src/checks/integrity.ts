/** Is the cluster itself sound? */
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { isMajor } from './majors.ts';
import { flagOf, numberOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** A row for the setting alone, too: with checksums off the server counts nothing, which is no good news. */
export const checksumFailures: Check = {
  id: 'checksum-failures',
  title: 'No page failed its checksum',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT pg_catalog.current_setting('data_checksums') = 'on' AS enabled,
       coalesce(d.datname, 'shared catalogs') AS datname, d.checksum_failures AS failures,
       pg_catalog.to_char(d.checksum_last_failure AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS last_failure
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_stat_database AS d ON d.checksum_failures > 0
ORDER BY d.checksum_failures DESC, 2`,
  fix: 'Stop and find the damaged relation (pg_amcheck, server log) before anything else is written; restore it from a backup.',
  judge(rows) {
    const [first] = rows;
    if (!first) throw new Error('the server did not answer');
    if (!flagOf(first, 'enabled')) {
      return { status: 'skipped', seen: ['data checksums are off: the server cannot notice damaged pages'] };
    }
    const lines = rows
      .filter((row) => row.failures !== null)
      .map(
        (row) =>
          `${textOf(row, 'datname')}: ${plural(numberOf(row, 'failures'), 'failure')}, last ${textOf(row, 'last_failure')} UTC`,
      );
    return { status: lines.length > 0 ? 'blocked' : 'passed', seen: bounded(lines) };
  },
};

/** Multixacts wrap around like transaction ids, at the same 2^31. */
export const wraparound: Check = {
  id: 'wraparound',
  title: 'Transaction ids are far from their end',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT d.datname, pg_catalog.age(d.datfrozenxid) AS xid_age, pg_catalog.mxid_age(d.datminmxid) AS mxid_age
FROM pg_catalog.pg_database AS d
ORDER BY greatest(pg_catalog.age(d.datfrozenxid), pg_catalog.mxid_age(d.datminmxid)) DESC, 1`,
  fix: 'VACUUM (FREEZE) the oldest tables of these databases; look for old transactions, slots and prepared transactions that hold it back.',
  judge(rows, { thresholds }) {
    if (rows.length === 0) throw new Error('the server shows no database');
    const found = worst(
      rows.flatMap((row) =>
        [['xid_age', 'transactions'] as const, ['mxid_age', 'multixacts'] as const].map(([column, noun]) => {
          const age = numberOf(row, column);
          const status =
            age > thresholds.xidAgeBlock ? 'blocked' : age > thresholds.xidAgeWarning ? 'warning' : 'passed';
          return {
            status,
            line: `${textOf(row, 'datname')}: ${age} ${noun} old, the limit is 2147483648`,
          } as const;
        }),
      ),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** datconnlimit -2 marks a database whose DROP DATABASE was interrupted (release notes of 15.4 and its sisters). */
export const invalidDatabases: Check = {
  id: 'invalid-databases',
  title: 'Every database can be connected to',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT d.datname, d.datconnlimit = -2 AS invalid
FROM pg_catalog.pg_database AS d
WHERE d.datconnlimit = -2 OR (NOT d.datallowconn AND d.datname <> 'template0')
ORDER BY 2 DESC, 1`,
  fix: 'Drop an invalid database: nothing can read it any more. Allow connections to the others if they should be backed up.',
  judge(rows, context) {
    const found = worst(
      rows.map((row) =>
        flagOf(row, 'invalid')
          ? {
              status: 'blocked',
              line: `${textOf(row, 'datname')}: left behind by an interrupted DROP DATABASE`,
            }
          : {
              // A new major starts without what nobody could read.
              status: isMajor(context) ? 'blocked' : 'info',
              line: `${textOf(row, 'datname')}: accepts no connections, so it is neither checked nor backed up`,
            },
      ),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};
