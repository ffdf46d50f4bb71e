/** Logical replication: what another major does with subscriptions, and what the way by replication needs. */
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { flagOf, numberOf, prefixOf, textOf, totalOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** Who is no superuser cannot see `oid` of pg_subscription in 13: the way from tables goes over the view, by name. */
export const subscriptions: Check = {
  id: 'subscriptions',
  title: 'No subscription has to be set up again',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT s.subname AS name, s.subenabled AS enabled,
       (SELECT pg_catalog.count(DISTINCT r.srrelid) FROM pg_catalog.pg_subscription_rel AS r
        JOIN pg_catalog.pg_stat_subscription AS v ON v.subid = r.srsubid
        WHERE v.subname = s.subname AND r.srsubstate NOT IN ('i', 'r')) AS unready
FROM pg_catalog.pg_subscription AS s
WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
ORDER BY 1`,
  fix: 'Wait until every table is synchronised. After the upgrade: ALTER SUBSCRIPTION ... ENABLE and REFRESH PUBLICATION, with copy_data = false where the position is known.',
  judge(rows) {
    const found = worst(
      rows.map((row) => {
        const name = `${prefixOf(row)}${textOf(row, 'name')}${flagOf(row, 'enabled') ? '' : ' (disabled)'}`;
        const unready = numberOf(row, 'unready');
        return unready > 0
          ? ({
              status: 'blocked',
              line: `${name}: ${plural(unready, 'table')} not synchronised yet`,
            } as const)
          : ({
              status: 'warning',
              line: `${name}: comes over disabled; only pg_upgrade from 17 on keeps its position`,
            } as const);
      }),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** Lists tables whose rows logical replication could not tell apart. */
export const noReplicaIdentity: Check = {
  id: 'no-replica-identity',
  title: 'Every table could be replicated logically',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
WITH bare AS MATERIALIZED (
  SELECT c.oid FROM pg_catalog.pg_class AS c
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384 AND c.relreplident <> 'f'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS x WHERE x.indrelid = c.oid
      AND ((c.relreplident = 'i' AND x.indisreplident) OR (c.relreplident = 'd' AND x.indisprimary AND x.indisvalid)))
), listed AS (
  SELECT b.oid, pg_catalog.count(*) OVER () AS total FROM bare AS b ORDER BY b.oid LIMIT 20
)
SELECT l.oid::pg_catalog.regclass::pg_catalog.text AS name, l.total FROM listed AS l ORDER BY 1`,
  fix: 'Nothing, unless the way is logical replication: then ALTER TABLE ... ADD PRIMARY KEY or REPLICA IDENTITY, or UPDATE and DELETE fail.',
  judge(rows) {
    const lines = rows.map(
      (row) => `${prefixOf(row)}${textOf(row, 'name')}: no primary key or replica identity`,
    );
    return { status: rows.length > 0 ? 'info' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};
