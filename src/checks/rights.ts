/** May the connection's role do what the run needs? */
import type { Check } from './check.ts';
import { flagOf, prefixOf, textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

/** The backup refuses any other role: it would leave out what it may not read, and the roles' passwords. */
export const superuserOrRoles: Check = {
  id: 'superuser-or-roles',
  title: 'The role may do what the run needs',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  sql: `
SELECT r.rolname AS role, r.rolsuper AS super FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER`,
  fix: 'Connect as a superuser for the upgrade. Mode check needs no more than pg_monitor.',
  judge(rows) {
    const [row] = rows;
    if (!row) throw new Error('the server does not know the role');
    if (flagOf(row, 'super')) return { status: 'passed', seen: [] };
    return {
      status: 'blocked',
      seen: [
        `role ${textOf(row, 'role')} is no superuser: only a superuser can back up every database and the roles`,
      ],
    };
  },
};

/** A superuser reads everything: nothing is counted for one. */
export const unreadableTables: Check = {
  id: 'unreadable-tables',
  title: 'The role may read every table and sequence',
  scope: 'database',
  when: 'before',
  minMajor: 13,
  sql: `
WITH hidden AS MATERIALIZED (
  SELECT c.oid FROM pg_catalog.pg_class AS c
  WHERE NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
    AND c.relkind IN ('r', 'p', 'S') AND c.oid >= 16384 AND c.relpersistence <> 't'
    AND NOT (pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') AND CASE c.relkind
      WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
      ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END)
), listed AS (
  SELECT h.oid, pg_catalog.count(*) OVER () AS total FROM hidden AS h ORDER BY h.oid LIMIT 20
)
SELECT l.oid::pg_catalog.regclass::pg_catalog.text AS name, l.total FROM listed AS l ORDER BY 1`,
  fix: 'Connect as a superuser, or GRANT pg_read_all_data TO USER (from 14 on): pg_dump ends at the first table that it may not read.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}`);
    return { status: rows.length > 0 ? 'blocked' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};

/** row_security_active() knows who bypasses: owners where it is not forced. For those who always do, nobody looks. */
export const rlsTables: Check = {
  id: 'rls-tables',
  title: 'Row level security hides nothing from the backup',
  scope: 'database',
  when: 'before',
  minMajor: 13,
  sql: `
SELECT c.oid::pg_catalog.regclass::pg_catalog.text AS name, pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_class AS c
WHERE (SELECT NOT (r.rolsuper OR r.rolbypassrls) FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
  AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
ORDER BY 1 LIMIT 20`,
  fix: 'Connect as a superuser, or ALTER ROLE USER BYPASSRLS: pg_dump refuses tables of which it would see a part.',
  judge(rows) {
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}: policies apply to the role`);
    return { status: rows.length > 0 ? 'blocked' : 'passed', seen: bounded(lines, totalOf(rows)) };
  },
};
