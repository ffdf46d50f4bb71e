/** Sizes that a backup or a move runs into. */
import { formatCount, plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { isMajor, pgUpgradeRefuses, serverOf } from './majors.ts';
import { flagOf, numberOf, prefixOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** From 19 on a slot of the setting counts half: the default doubled while the table stayed as it was. */
export const locksCapacity: Check = {
  id: 'locks-capacity',
  title: 'A dump can lock every relation',
  scope: 'database',
  when: 'before',
  minMajor: 13,
  sql: `
SELECT pg_catalog.count(*) AS relations,
       pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
         * (pg_catalog.current_setting('max_connections')::pg_catalog.int8
          + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) AS slots
FROM pg_catalog.pg_class AS c
WHERE c.relkind IN ('r', 'p', 'S', 'm', 'v') AND c.oid >= 16384 AND c.relpersistence <> 't'`,
  fix: 'Raise max_locks_per_transaction (needs a restart): else pg_dump ends with "out of shared memory".',
  judge(rows, context) {
    const perSlot = serverOf(context).major >= 19 ? 0.5 : 1;
    const lines = rows
      .map((row) => ({ row, slots: numberOf(row, 'slots') * perSlot }))
      .filter(({ row, slots }) => numberOf(row, 'relations') > slots * context.thresholds.locksBlock)
      .map(
        ({ row, slots }) =>
          `${prefixOf(row)}${plural(numberOf(row, 'relations'), 'relation')}, the lock table has room for ${formatCount(slots)}`,
      );
    return { status: lines.length > 0 ? 'blocked' : 'passed', seen: bounded(lines) };
  },
};

/** Their sizes stay out: walking through every file can take minutes, and free space is disk-space's. */
export const tablespaces: Check = {
  id: 'tablespaces',
  title: 'Tablespaces lie where a new cluster can have its own',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_settings',
  sql: `
SELECT t.spcname AS name, l.location, NOT pg_catalog.starts_with(l.location, '/')
         OR pg_catalog.starts_with(l.location || '/', pg_catalog.current_setting('data_directory') || '/') AS inside
FROM pg_catalog.pg_tablespace AS t
CROSS JOIN LATERAL (SELECT pg_catalog.pg_tablespace_location(t.oid) AS location) AS l
WHERE t.spcname NOT IN ('pg_default', 'pg_global') ORDER BY t.spcname`,
  fix: 'Make sure that each of these folders exists for the new cluster, with space. Move one that lies inside the data directory: pg_upgrade refuses it before 19.',
  judge(rows, context) {
    const major = isMajor(context);
    const findings = rows.map((row) => {
      const inside = flagOf(row, 'inside');
      const line = `${textOf(row, 'name')} in ${textOf(row, 'location')}${inside ? ', inside the data directory' : ''}`;
      const status = inside && context.wanted.major < 19 ? pgUpgradeRefuses(context) : 'info';
      return { status, line } as const;
    });
    if (!major) return { status: 'passed', seen: bounded(findings.map(({ line }) => line)) };
    const found = worst(findings);
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** Counts the large objects of each database; their bytes are part of its size. */
export const largeObjects: Check = {
  id: 'large-objects',
  title: 'There are few large objects',
  scope: 'database',
  when: 'before',
  minMajor: 13,
  sql: 'SELECT pg_catalog.count(*) AS objects FROM pg_catalog.pg_largeobject_metadata AS m',
  fix: 'Measure the way with a copy first: each costs time in a dump, a restore and (before 19) pg_upgrade. Remove orphans with vacuumlo.',
  judge(rows, context) {
    const lines = rows
      .filter((row) => numberOf(row, 'objects') > context.thresholds.largeObjectsWarning)
      .map((row) => `${prefixOf(row)}${plural(numberOf(row, 'objects'), 'large object')}`);
    return {
      status: lines.length === 0 ? 'passed' : isMajor(context) ? 'warning' : 'info',
      seen: bounded(lines),
    };
  },
};
