/**
 * Do text indexes still have the order of the library that compares text? A newer glibc or ICU (another image base,
 * an upgrade of the operating system) sorts differently: lookups miss rows and unique indexes let duplicates in.
 */
import type { Check } from './check.ts';
import { flagOf, numberOf, prefixOf, textOf, totalOf, worst } from './rows.ts';
import { bounded } from './words.ts';

function versions(recorded: string, actual: string): string {
  return `recorded ${recorded}, the library now has ${actual || 'no version'}`;
}

/** Databases record the version from 15 on. A database that accepts no connections (template0) holds no user's index. */
export const collationVersions: Check = {
  id: 'collation-versions',
  title: 'The collation version of each database is the recorded one',
  scope: 'cluster',
  minMajor: 15,
  sql: `
SELECT v.* FROM (
  SELECT d.datname, d.datallowconn AS connectable, d.datcollversion AS recorded,
         pg_catalog.pg_database_collation_actual_version(d.oid) AS actual
  FROM pg_catalog.pg_database AS d
) AS v WHERE v.recorded IS DISTINCT FROM v.actual ORDER BY v.connectable DESC, v.datname`,
  fix: 'In each database REINDEX the indexes on text (REINDEX DATABASE CONCURRENTLY), then ALTER DATABASE ... REFRESH COLLATION VERSION; never only the second.',
  judge(rows) {
    const found = worst(
      rows.map((row) => {
        const recorded = textOf(row, 'recorded');
        const name = textOf(row, 'datname');
        if (recorded === '')
          return { status: 'info', line: `${name}: no version recorded, so a change cannot be noticed` };
        return {
          status: flagOf(row, 'connectable') ? 'blocked' : 'warning',
          line: `${name}: ${versions(recorded, textOf(row, 'actual'))}`,
        };
      }),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/**
 * Collations that something uses, other than the database's own. initdb imports hundreds that nobody uses: those are
 * left out before their library is asked, hence MATERIALIZED. Thousands of indexes share a few lists of collations.
 */
export const collationObjects: Check = {
  id: 'collation-objects',
  title: 'The version of each collation in use is the recorded one',
  scope: 'database',
  minMajor: 13,
  sql: `
WITH uses AS (
  SELECT u.coll, x.indexes AS ordered
  FROM (SELECT i.indcollation, pg_catalog.count(*) AS indexes FROM pg_catalog.pg_index AS i GROUP BY 1) AS x,
       pg_catalog.unnest(x.indcollation::pg_catalog.oid[]) AS u(coll)
  UNION ALL
  SELECT u.coll, 1
  FROM pg_catalog.pg_partitioned_table AS p, pg_catalog.unnest(p.partcollation::pg_catalog.oid[]) AS u(coll)
  UNION ALL
  SELECT d.refobjid, 0
  FROM pg_catalog.pg_depend AS d
  WHERE d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass AND d.classid <> 0
), used AS MATERIALIZED (
  SELECT u.coll, pg_catalog.sum(u.ordered) AS ordered
  FROM uses AS u JOIN pg_catalog.pg_collation AS c ON c.oid = u.coll
  WHERE c.collversion IS NOT NULL GROUP BY u.coll
), compared AS (
  SELECT c.oid::pg_catalog.regcollation::pg_catalog.text AS name, u.ordered, c.collversion AS recorded,
         pg_catalog.pg_collation_actual_version(c.oid) AS actual
  FROM used AS u JOIN pg_catalog.pg_collation AS c ON c.oid = u.coll
)
SELECT v.*, pg_catalog.count(*) OVER () AS total
FROM compared AS v WHERE v.recorded IS DISTINCT FROM v.actual
ORDER BY v.ordered DESC, v.name LIMIT 20`,
  fix: 'REINDEX the indexes that use them, check partition keys, then ALTER COLLATION ... REFRESH VERSION; never only the last.',
  judge(rows) {
    const found = worst(
      rows.map((row) => {
        const ordered = numberOf(row, 'ordered');
        const users =
          ordered > 0
            ? `in the order of ${ordered === 1 ? '1 index or partitioned table' : `${ordered} indexes or partitioned tables`}`
            : 'in use, by no index';
        return {
          status: ordered > 0 ? 'blocked' : 'warning',
          line: `${prefixOf(row)}${textOf(row, 'name')}: ${versions(textOf(row, 'recorded'), textOf(row, 'actual'))}; ${users}`,
        };
      }),
    );
    return { status: found.status, seen: bounded(found.lines, totalOf(rows)) };
  },
};
