/** Advice about standbys, slots and base backups. */
import type { Advice } from './advice.ts';

/** What receives all WAL, base backups and archivers aside. Its application_name need not be unique. */
const standbys = `
SELECT pg_catalog.format('%s (%s)', COALESCE(NULLIF(r.application_name, ''), 'without a name'),
                         COALESCE(pg_catalog.host(r.client_addr), 'local')) AS object,
       NULL::pg_catalog.text AS fix, false AS safe,
       pg_catalog.format('%s, %s', r.state, r.sync_state) AS detail
FROM pg_catalog.pg_stat_replication AS r
WHERE r.state IS DISTINCT FROM 'backup' AND r.application_name NOT IN ('pg_receivewal', 'pg_basebackup')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s
                  WHERE s.active_pid = r.pid AND s.slot_type = 'logical')`;

/** Order of servers. */
export const standbysFirst: Advice = {
  id: 'standby-before-primary-contrecord',
  title: 'Standbys must be upgraded before their primary',
  why: 'After a crash the newer primary can write a kind of WAL record that an older standby does not know: the standby stops.',
  todo: 'Upgrade each standby first, then the primary.',
  timing: 'order',
  certainty: 'exact',
  scope: 'cluster',
  sql: `${standbys}
ORDER BY 1`,
  remedy: null,
  rebuiltByRestore: true,
  momentary: true,
};

/** A standby that runs a release that must not be a target. */
export const olderWal: Advice = {
  id: 'multixid-wal-from-older-minor',
  title: 'Standbys of some releases stop at WAL of an older primary',
  why: 'A standby on 18.2, 17.8, 16.12, 15.16 or 14.21 that replays WAL of an older minor release can stop with "could not access status of transaction". 18.3, 17.9 and 15.17 can still crash and start again in a loop, and 15.18 can hang.',
  todo: 'Do not run these releases on a standby of an older primary: bring standbys to the newest release first, then the primary.',
  timing: 'order',
  certainty: 'cannot-be-seen',
  scope: 'cluster',
  sql: null,
  remedy: null,
  rebuiltByRestore: true,
};

const defaults = ['pgoutput', 'test_decoding'] as const;

/**
 * The setting is a list of quoted names: one string with commas would be one name. Releases that do not know it have
 * their libraries' names from the slots alone; on those that do, what it names already needs nothing.
 */
export const outputPlugins: Advice = {
  id: 'output-plugin-allowlist',
  title: 'Logical slots stop unless their output plugin is allowed',
  why: 'The newer release loads only pgoutput and test_decoding as output plugins. Slots with another one (wal2json, for one) fail until the setting output_plugin_libraries names it.',
  todo: 'After the upgrade set output_plugin_libraries to the defaults and your plugins, and reload. Not before: older releases refuse to start with a setting that they do not know, so take it out again before a way back.',
  timing: 'after',
  certainty: 'exact',
  scope: 'cluster',
  sql: `
WITH allowed AS (
  SELECT COALESCE(pg_catalog.replace(q.part[1], '""', '"'), q.part[2]) AS name, q.number
  FROM pg_catalog.regexp_matches(
         COALESCE(pg_catalog.current_setting('output_plugin_libraries', true), '${defaults.join(',')}'),
         '"((?:[^"]|"")+)"|([^[:space:],"]+)', 'g') WITH ORDINALITY AS q(part, number)
), found AS (
  SELECT s.plugin::pg_catalog.text AS name,
         pg_catalog.string_agg(pg_catalog.format('%s in %s', s.slot_name, s.database), ', '
                               ORDER BY s.slot_name) AS slots
  FROM pg_catalog.pg_replication_slots AS s
  WHERE s.plugin IS NOT NULL AND s.plugin::pg_catalog.text NOT IN (SELECT a.name FROM allowed AS a)
  GROUP BY s.plugin
), names AS (
  SELECT a.name, 1 AS part, a.number FROM allowed AS a
  UNION ALL
  SELECT f.name, 2, pg_catalog.row_number() OVER (ORDER BY f.name) FROM found AS f
)
SELECT f.name AS object,
       (SELECT pg_catalog.format('ALTER SYSTEM SET output_plugin_libraries = %s; SELECT pg_catalog.pg_reload_conf();',
                 pg_catalog.string_agg('"' || pg_catalog.replace(l.name, '"', '""') || '"', ', '
                                       ORDER BY l.part, l.number)) FROM names AS l) AS fix,
       false AS safe, f.slots AS detail
FROM found AS f ORDER BY 1`,
  remedy: { kind: 'list-setting', name: 'output_plugin_libraries', defaults },
  rebuiltByRestore: false,
  perServer: true,
};

/** Seen on a primary by its standbys, on a standby by itself. Whether anybody dumps there is not known. */
export const standbyDumps: Advice = {
  id: 'standby-snapshot-parallel-dump',
  title: 'Parallel dumps of a standby can be wrong, and damage the standby',
  why: 'An exported snapshot on a standby of an older release behaves wrongly. A parallel pg_dump (-j) there can hold wrong rows, and can damage the data of the standby for good.',
  todo: 'Dump from the primary, or with one job, until the standby runs the newer release. Make parallel dumps of a standby anew, and consider building that standby anew.',
  timing: 'before',
  certainty: 'candidates',
  scope: 'cluster',
  sql: `
SELECT 'this server'::pg_catalog.text AS object, NULL::pg_catalog.text AS fix, false AS safe,
       'a standby'::pg_catalog.text AS detail WHERE pg_catalog.pg_is_in_recovery()
UNION ALL (${standbys})
ORDER BY 1`,
  remedy: null,
  rebuiltByRestore: false,
  momentary: true,
};

/** summarize_wal exists from 17 on. */
export const incrementalBackups: Advice = {
  id: 'incremental-backups-untrusted',
  title: 'Incremental base backups of older releases are not to be trusted',
  why: 'Older releases could leave changed blocks out of an incremental base backup. A restore of the chain can then be wrong without an error.',
  todo: 'Take a new full base backup after the upgrade, begin a new chain with it, and do not rely on the older ones.',
  timing: 'after',
  certainty: 'exact',
  scope: 'cluster',
  sql: `
SELECT s.name AS object, NULL::pg_catalog.text AS fix, false AS safe,
       'on: WAL is summarized for incremental backups'::pg_catalog.text AS detail
FROM pg_catalog.pg_settings AS s WHERE s.name = 'summarize_wal' AND s.setting = 'on'`,
  remedy: null,
  rebuiltByRestore: true,
};
