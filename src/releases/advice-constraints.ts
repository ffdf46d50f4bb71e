/** Advice about foreign keys that are not enforced as they say. A person mends them: rows may violate them by now. */
import type { Advice } from './advice.ts';

const shared = { timing: 'after', scope: 'database', certainty: 'exact', remedy: null } as const;

/** How SQL names a constraint, as in COMMENT ON CONSTRAINT. */
const object = `pg_catalog.format('%I ON %s', c.conname, c.conrelid::pg_catalog.regclass) AS object`;

/**
 * A foreign key to a partitioned table needs an entry, with its triggers, for each partition at any depth. Counting
 * entries is not enough: partitions that came later get theirs, and a table that refers to itself has others besides.
 */
function withoutEntries(condition: string): string {
  return `
WITH RECURSIVE parts AS (
  SELECT h.inhparent AS root, h.inhrelid AS part
  FROM pg_catalog.pg_inherits AS h JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = h.inhparent
  UNION
  SELECT r.root, h.inhrelid FROM parts AS r JOIN pg_catalog.pg_inherits AS h ON h.inhparent = r.part
), entries AS (
  SELECT c.oid AS root, c.oid, c.conrelid, c.confrelid FROM pg_catalog.pg_constraint AS c
  WHERE c.contype = 'f' AND c.conparentid = 0
    AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
  UNION ALL
  SELECT e.root, c.oid, c.conrelid, c.confrelid
  FROM entries AS e JOIN pg_catalog.pg_constraint AS c ON c.conparentid = e.oid
)
SELECT ${object},
       pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I; ALTER TABLE %s ADD CONSTRAINT %I %s;',
         c.conrelid::pg_catalog.regclass, c.conname, c.conrelid::pg_catalog.regclass, c.conname,
         pg_catalog.pg_get_constraintdef(c.oid)) AS fix,
       false AS safe,
       pg_catalog.format('deletes and updates are not checked in %s of %s partitions of %s',
         pg_catalog.count(*) FILTER (WHERE e.oid IS NULL), pg_catalog.count(*),
         c.confrelid::pg_catalog.regclass) AS detail
FROM entries AS o
JOIN pg_catalog.pg_constraint AS c ON c.oid = o.oid AND o.oid = o.root
JOIN parts AS p ON p.root = c.confrelid
LEFT JOIN entries AS e ON e.root = c.oid AND e.conrelid = c.conrelid AND e.confrelid = p.part
WHERE ${condition}
GROUP BY c.oid, c.conname, c.conrelid, c.confrelid
HAVING pg_catalog.count(*) FILTER (WHERE e.oid IS NULL) > 0
ORDER BY 1`;
}

/** Not rebuiltByRestore: a restore fails on rows that violate the key, so it must be known before. */
export const detachedPartition: Advice = {
  ...shared,
  id: 'detached-partition-fk',
  title: 'Foreign keys of detached partitions are not enforced',
  why: 'In older releases a table that was detached from a partitioned table lost a part of its foreign key to another partitioned table. Rows that it refers to can be deleted without an error, and a restore of such rows fails.',
  todo: 'Drop and add the constraint again with the SQL given; where adding fails, mend or delete the rows that violate it first.',
  sql: withoutEntries('c.conrelid <> c.confrelid'),
  rebuiltByRestore: false,
};

/** Not rebuiltByRestore, for the same reason. */
export const selfReference: Advice = {
  ...shared,
  id: 'selfref-fk-partitioned',
  title: 'Foreign keys of a partitioned table to itself are not enforced in later partitions',
  why: 'In older releases partitions that were created or attached after the foreign key got only a part of it. Rows that others refer to can be deleted without an error, and a restore of such rows fails.',
  todo: 'Drop and add the constraint again with the SQL given; where adding fails, mend or delete the rows that violate it first.',
  sql: withoutEntries('c.conrelid = c.confrelid'),
  rebuiltByRestore: false,
};

/** Triggers of CASCADE, RESTRICT and SET are never deferrable; the others are where their constraint is. */
const deferrable = ['check_ins', 'check_upd', 'noaction_del', 'noaction_upd']
  .map((name) => `'pg_catalog."RI_FKey_${name}"'::pg_catalog.regproc`)
  .join(', ');

/** NOT ENFORCED exists from 18 on. */
export const notEnforced: Advice = {
  ...shared,
  id: 'fk-deferrable-not-enforced',
  title: 'Deferrable foreign keys are no longer deferred',
  why: 'When 18.0 to 18.3 switched a DEFERRABLE foreign key to NOT ENFORCED and back, it forgot that the key is deferrable: violations are reported at once, not at the end of the transaction.',
  todo: 'Switch the constraint to NOT ENFORCED and back to ENFORCED once more on the new version.',
  sql: `
SELECT ${object},
       pg_catalog.format('ALTER TABLE %s ALTER CONSTRAINT %I NOT ENFORCED; ALTER TABLE %s ALTER CONSTRAINT %I ENFORCED;',
         c.conrelid::pg_catalog.regclass, c.conname, c.conrelid::pg_catalog.regclass, c.conname) AS fix,
       false AS safe, 'ENFORCED reads both tables while it locks them'::pg_catalog.text AS detail
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.condeferrable
  AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
              WHERE g.tgconstraint = c.oid AND NOT g.tgdeferrable AND g.tgfoid IN (${deferrable}))
ORDER BY 1`,
  rebuiltByRestore: true,
};
