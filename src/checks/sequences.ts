/** Does a sequence run out soon? */
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { numberOf, prefixOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/**
 * Reading a sequence locks it until the transaction ends, so at most a quarter of the server's lock table is taken,
 * for the narrowest sequences: those end first. A sequence may be wider than the column it fills (serial made bigint
 * sequences for integer columns before 10): the column is the end then, and cycling does not help.
 */
export const sequences: Check = {
  id: 'sequences',
  title: 'No sequence is near its end',
  scope: 'database',
  minMajor: 13,
  sql: `
WITH listed AS MATERIALIZED (
  SELECT s.seqrelid, s.seqincrement, s.seqcycle, c.seqtotal,
         greatest(s.seqmin, o.lowest)::pg_catalog.numeric AS lowest, least(s.seqmax, o.highest)::pg_catalog.numeric AS highest,
         s.seqmax > o.highest OR s.seqmin < o.lowest AS wider
  FROM pg_catalog.pg_sequence AS s
  JOIN (SELECT r.oid, pg_catalog.count(*) OVER () AS seqtotal FROM pg_catalog.pg_class AS r
        WHERE r.relkind = 'S' AND NOT pg_catalog.pg_is_other_temp_schema(r.relnamespace)) AS c ON c.oid = s.seqrelid
  LEFT JOIN LATERAL (
    SELECT CASE a.atttypid WHEN 21 THEN -32768 WHEN 23 THEN -2147483648 END AS lowest,
           CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 END AS highest
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.seqrelid AND d.objsubid = 0
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LIMIT 1
  ) AS o ON true
  ORDER BY least(s.seqmax, o.highest)::pg_catalog.numeric - greatest(s.seqmin, o.lowest)::pg_catalog.numeric
  LIMIT (SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
              * (pg_catalog.current_setting('max_connections')::pg_catalog.int8
               + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) / 4)
), valued AS MATERIALIZED (
  SELECT l.*, pg_catalog.has_sequence_privilege(l.seqrelid, 'SELECT,USAGE') AS readable,
         CASE WHEN pg_catalog.has_sequence_privilege(l.seqrelid, 'SELECT,USAGE')
              THEN pg_catalog.pg_sequence_last_value(l.seqrelid) END::pg_catalog.numeric AS last
  FROM listed AS l
), ranked AS (
  SELECT v.seqrelid,
         coalesce(CASE WHEN v.seqincrement > 0 THEN v.last - v.lowest ELSE v.highest - v.last END
                  / nullif(v.highest - v.lowest, 0), 1)::pg_catalog.float8 AS share,
         greatest(pg_catalog.trunc(CASE WHEN v.seqincrement > 0 THEN v.highest - v.last ELSE v.lowest - v.last END
                                   / v.seqincrement), 0) AS left_over
  FROM valued AS v WHERE v.last IS NOT NULL AND (NOT v.seqcycle OR v.wider)
  ORDER BY 2 DESC, 1 LIMIT 1000
)
SELECT r.seqrelid::pg_catalog.regclass::pg_catalog.text AS name, r.share, r.left_over, t.unread
FROM (SELECT coalesce(pg_catalog.max(v.seqtotal), 0) - pg_catalog.count(*) FILTER (WHERE v.readable) AS unread
      FROM valued AS v) AS t
LEFT JOIN ranked AS r ON true
ORDER BY r.share DESC, 1`,
  fix: 'Widen it before it ends: ALTER SEQUENCE ... AS bigint, and ALTER the column that it fills to bigint as well.',
  judge(rows, { thresholds }) {
    const unread = new Map(rows.map((row) => [prefixOf(row), numberOf(row, 'unread')]));
    const found = worst([
      ...rows
        .filter((row) => row.name !== null)
        .map((row) => {
          const share = numberOf(row, 'share');
          const status =
            share >= thresholds.sequenceBlock
              ? 'blocked'
              : share >= thresholds.sequenceWarning
                ? 'warning'
                : 'passed';
          const left = plural(numberOf(row, 'left_over'), 'value');
          // Cut, not rounded: "100 %" is kept for a sequence that has nothing left.
          return {
            status,
            line: `${prefixOf(row)}${textOf(row, 'name')}: ${Math.floor(share * 100)} % used, ${left} left`,
          } as const;
        }),
      ...[...unread]
        .filter(([, count]) => count > 0)
        .map(([prefix, count]) => ({
          status: 'info' as const,
          line: `${prefix}${plural(count, 'sequence')} not read: no right to, or too many to lock at once`,
        })),
    ]);
    return { status: found.status, seen: bounded(found.lines) };
  },
};
