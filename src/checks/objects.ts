/** What lies in the databases' catalogs and deserves a look. */
import type { Check } from './check.ts';
import { flagOf, prefixOf, textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

/** An index that is being built CONCURRENTLY looks the same until it is done; a restart would leave it invalid. */
export const invalidIndexes: Check = {
  id: 'invalid-indexes',
  title: 'No index is invalid',
  scope: 'database',
  minMajor: 13,
  sql: `
SELECT x.indexrelid::pg_catalog.regclass::pg_catalog.text AS index_name,
       x.indrelid::pg_catalog.regclass::pg_catalog.text AS table_name, x.indisunique AS is_unique,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = x.indexrelid
               AND p.datname = pg_catalog.current_database()) AS building,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_index AS x
WHERE NOT (x.indisvalid AND x.indisready AND x.indislive)
ORDER BY 1 LIMIT 20`,
  fix: 'Rebuild it with REINDEX INDEX CONCURRENTLY, or drop it; wait for one that is being built.',
  judge(rows) {
    const lines = rows.map((row) => {
      const kind = flagOf(row, 'is_unique') ? 'unique index' : 'index';
      const state = flagOf(row, 'building') ? 'is being built, which a restart would end' : 'invalid';
      return `${prefixOf(row)}${kind} ${textOf(row, 'index_name')} on ${textOf(row, 'table_name')}: ${state}`;
    });
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};

/** `conenforced` exists from 18 on: a constraint that is not enforced is never validated, by intent. */
export const invalidConstraints: Check = {
  id: 'invalid-constraints',
  title: 'Every constraint is validated',
  scope: 'database',
  minMajor: 13,
  sql: `
SELECT c.conname, CASE WHEN c.conrelid <> 0 THEN c.conrelid::pg_catalog.regclass::pg_catalog.text
                       ELSE c.contypid::pg_catalog.regtype::pg_catalog.text END AS owner,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_constraint AS c
WHERE NOT c.convalidated AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
ORDER BY 2, 1 LIMIT 20`,
  fix: 'ALTER TABLE ... VALIDATE CONSTRAINT when it suits; an upgrade leaves them as they are.',
  judge(rows) {
    const lines = rows.map(
      (row) => `${prefixOf(row)}${textOf(row, 'conname')} on ${textOf(row, 'owner')}: not validated`,
    );
    return { status: rows.length > 0 ? 'info' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Lists tables that a crash would empty. */
export const unloggedTables: Check = {
  id: 'unlogged-tables',
  title: 'No table is unlogged',
  scope: 'database',
  minMajor: 13,
  sql: `
SELECT c.oid::pg_catalog.regclass::pg_catalog.text AS name, pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_class AS c
WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'm')
ORDER BY 1 LIMIT 20`,
  fix: 'Nothing, where losing them is fine: a crash or a failover empties them, a clean restart does not.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}`);
    return { status: rows.length > 0 ? 'info' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Lists the event triggers that are enabled: they fire for what the run or a restore does. */
export const eventTriggers: Check = {
  id: 'event-triggers',
  title: 'No event trigger can get in the way',
  scope: 'database',
  minMajor: 13,
  sql: `
SELECT e.evtname, e.evtevent, e.evtfoid::pg_catalog.regproc::pg_catalog.text AS function,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled <> 'D'
ORDER BY 1 LIMIT 20`,
  fix: 'Read what they do: they run on the DDL of a restore and of fixes after the upgrade. ALTER EVENT TRIGGER ... DISABLE for the time of it.',
  judge(rows) {
    const lines = rows.map(
      (row) =>
        `${prefixOf(row)}${textOf(row, 'evtname')} on ${textOf(row, 'evtevent')} runs ${textOf(row, 'function')}`,
    );
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};
