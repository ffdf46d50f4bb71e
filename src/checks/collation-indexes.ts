/** How large is what another C library or ICU would put out of order? */
import { formatBytes, plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { numberOf, prefixOf, textOf } from './rows.ts';
import { bounded } from './words.ts';

/**
 * `datlocprovider` exists from 15 on; before, every database follows the C library. C, POSIX and the builtin provider
 * (from 17) compare bytes or code points, whatever library is there. Sizes are those of the last VACUUM: asking for
 * each file would take seconds with many indexes.
 */
export const collationDependentIndexes: Check = {
  id: 'collation-dependent-indexes',
  title: 'Little would have to be rebuilt for another C library or ICU',
  scope: 'database',
  minMajor: 13,
  sql: `
WITH home AS MATERIALIZED (
  SELECT pg_catalog.to_jsonb(d) AS facts FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
), sensitive AS MATERIALIZED (
  SELECT c.oid FROM pg_catalog.pg_collation AS c, home AS h
  WHERE CASE c.collprovider
    WHEN 'i' THEN true
    WHEN 'c' THEN c.collcollate NOT IN ('C', 'POSIX')
    WHEN 'd' THEN CASE coalesce(h.facts ->> 'datlocprovider', 'c')
      WHEN 'i' THEN true WHEN 'c' THEN h.facts ->> 'datcollate' NOT IN ('C', 'POSIX') ELSE false END
    ELSE false END
), found AS MATERIALIZED (
  SELECT x.indexrelid FROM pg_catalog.pg_index AS x
  WHERE x.indexrelid >= 16384 AND x.indcollation IN (
    SELECT g.indcollation FROM (SELECT DISTINCT i.indcollation FROM pg_catalog.pg_index AS i) AS g
    WHERE EXISTS (SELECT FROM pg_catalog.unnest(g.indcollation::pg_catalog.oid[]) AS u(coll) JOIN sensitive AS s ON s.oid = u.coll))
), sized AS (
  SELECT i.oid, i.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8 AS bytes
  FROM found AS f JOIN pg_catalog.pg_class AS i ON i.oid = f.indexrelid WHERE i.relkind = 'i'
), counted AS (
  SELECT s.oid, s.bytes, pg_catalog.count(*) OVER () AS indexes, pg_catalog.sum(s.bytes) OVER () AS all_bytes
  FROM sized AS s ORDER BY s.bytes DESC, s.oid LIMIT 5
)
SELECT c.oid::pg_catalog.regclass::pg_catalog.text AS name, c.bytes, c.indexes, c.all_bytes
FROM counted AS c ORDER BY c.bytes DESC, c.oid`,
  fix: 'Keep the library: upgrade on the same operating system release, or image base. Else plan the time for REINDEX of these indexes.',
  judge(rows, { thresholds }) {
    const databases = new Map(
      rows.map((row) => [
        prefixOf(row),
        { indexes: numberOf(row, 'indexes'), bytes: numberOf(row, 'all_bytes') },
      ]),
    );
    const bytes = [...databases.values()].reduce((sum, each) => sum + each.bytes, 0);
    const lines = [...databases].map(
      ([prefix, each]) =>
        `${prefix}${plural(each.indexes, 'index', 'indexes')}, about ${formatBytes(each.bytes)}`,
    );
    if (bytes <= thresholds.collationIndexesInfo) return { status: 'passed', seen: bounded(lines) };
    const largest = rows.map(
      (row) => `${prefixOf(row)}${textOf(row, 'name')}, about ${formatBytes(numberOf(row, 'bytes'))}`,
    );
    return { status: 'info', seen: bounded([...lines, ...largest]) };
  },
};
