/** What is asked once for the whole cluster. Every statement reads catalogs only, and begins with our mark. */

/** pg_stat_statements keeps it, so that our own statements can be told from those of applications. */
export const mark = '/* postgres-upgrade */';

/** Everything here is open to every role. */
export const serverSql = `${mark} SELECT
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
  (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()) AS "system identifier",
  (SELECT timeline_id::pg_catalog.text FROM pg_catalog.pg_control_checkpoint()) AS "timeline",
  (SELECT catalog_version_no::pg_catalog.text FROM pg_catalog.pg_control_system()) AS "catalog version",
  pg_catalog.pg_is_in_recovery()::pg_catalog.text AS "in recovery",
  pg_catalog.current_setting('data_checksums') AS "data checksums",
  pg_catalog.pg_postmaster_start_time()::pg_catalog.text AS "server start"`;

const hashed = (from: string): string => `(SELECT pg_catalog.count(*) || ', md5 ' ||
  pg_catalog.md5(coalesce(pg_catalog.string_agg(l.line, E'\\n' ORDER BY l.line COLLATE "C"), '')) FROM (${from}) AS l)`;

/**
 * Names, not oids: they survive a restore. Roles of the server itself come and go with its major.
 * $1: the databases and roles that are read-only by our own doing, as JSON (`kind`, `name`, `before`): what they have in
 * the place of that is what they had before. Everything else in their settings counts as it is.
 */
export const membersSql = `${mark} SELECT
  (SELECT pg_catalog.string_agg(datname, ', ' ORDER BY datname COLLATE "C") FROM pg_catalog.pg_database) AS "databases",
  ${hashed(`SELECT pg_catalog.concat_ws('|', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
    rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil::pg_catalog.text) AS line
    FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'`)} AS "roles",
  ${hashed(`SELECT pg_catalog.concat_ws('|', pg_catalog.pg_get_userbyid(roleid), pg_catalog.pg_get_userbyid(member), admin_option,
    pg_catalog.to_jsonb(m) ->> 'inherit_option', pg_catalog.to_jsonb(m) ->> 'set_option') AS line
    FROM pg_catalog.pg_auth_members AS m WHERE pg_catalog.pg_get_userbyid(member) !~ '^pg_'`)} AS "memberships",
  ${hashed(`SELECT pg_catalog.concat_ws('|', coalesce(d.datname, ''), CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) END,
    o.config::pg_catalog.text) AS line
    FROM pg_catalog.pg_db_role_setting AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL (
      SELECT pg_catalog.array_agg(CASE WHEN h.name IS NULL THEN e.entry ELSE 'default_transaction_read_only=' || h.before END ORDER BY e.n)
        FILTER (WHERE h.name IS NULL OR h.before IS NOT NULL) AS config
      FROM pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS e (entry, n)
      LEFT JOIN pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS h (kind pg_catalog.text, name pg_catalog.text, before pg_catalog.text)
        ON e.entry = 'default_transaction_read_only=on'
          AND CASE h.kind WHEN 'database' THEN s.setrole = 0 AND d.datname::pg_catalog.text = h.name
              ELSE s.setdatabase = 0 AND pg_catalog.pg_get_userbyid(s.setrole)::pg_catalog.text = h.name END) AS o
    WHERE o.config IS NOT NULL`)} AS "settings of roles and databases",
  ${hashed(`SELECT pg_catalog.concat_ws('|', t.spcname, (SELECT pg_catalog.string_agg(a::pg_catalog.text, ',' ORDER BY a::pg_catalog.text COLLATE "C")
      FROM pg_catalog.unnest(t.spcacl) AS a)) AS line
    FROM pg_catalog.pg_tablespace AS t`)} AS "tablespaces"`;

/** Whether the server shows us everything, rather than hiding rows or columns without a word. */
export const rightsSql = `${mark} SELECT
  pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS stats,
  pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') AS settings,
  pg_catalog.has_function_privilege('pg_catalog.pg_read_binary_file(text,bigint,bigint)', 'EXECUTE')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text)', 'EXECUTE')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_current_logfile(text)', 'EXECUTE') AS files`;

/**
 * Settings that somebody set. Strings are shown as a hash: primary_conninfo and its kin hold passwords. A setting
 * that waits for a restart will be another one after it.
 */
export const settingsSql = `${mark} SELECT name,
  CASE WHEN pending_restart THEN 'waits for a restart'
       WHEN vartype = 'string' AND setting <> '' THEN 'text with md5 ' || pg_catalog.md5(setting)
       ELSE setting || coalesce(' ' || unit, '') END AS value
FROM pg_catalog.pg_settings
WHERE source NOT IN ('default', 'override', 'client', 'session', 'environment variable') ORDER BY name COLLATE "C" LIMIT 1000`;

/** Our own sessions are not what anybody asks for. */
export const connectionsSql = `${mark} SELECT coalesce(state, 'unknown') AS state, pg_catalog.count(*)::pg_catalog.int4 AS count
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND application_name NOT LIKE 'postgres-upgrade%' AND pid <> pg_catalog.pg_backend_pid()
GROUP BY 1 ORDER BY 1`;

const position =
  'CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END';

/** A base backup streams, too, and ends. */
export const replicationSql = `${mark} SELECT application_name AS name, coalesce(state, '') AS state, coalesce(sync_state, '') AS sync,
  pg_catalog.pg_wal_lsn_diff(${position}, coalesce(replay_lsn, write_lsn, sent_lsn))::pg_catalog.float8 AS "lagBytes"
FROM pg_catalog.pg_stat_replication WHERE application_name NOT LIKE 'pg_basebackup%'
ORDER BY application_name COLLATE "C", pid LIMIT 100`;

/** Permanent replication slots, with the bytes of WAL that each holds back. */
export const slotsSql = `${mark} SELECT slot_name AS name, slot_type AS type, plugin, active, wal_status AS "walStatus",
  pg_catalog.pg_wal_lsn_diff(${position}, restart_lsn)::pg_catalog.float8 AS "retainedBytes"
FROM pg_catalog.pg_replication_slots WHERE NOT temporary ORDER BY slot_name COLLATE "C" LIMIT 200`;

/** One row: counters of the archiver, and whether its last attempt failed. */
export const archiverSql = `${mark} SELECT pg_catalog.current_setting('archive_mode') AS mode,
  archived_count::pg_catalog.float8 AS archived, failed_count::pg_catalog.float8 AS failed,
  pg_catalog.current_setting('archive_mode') <> 'off' AND last_failed_time IS NOT NULL
    AND last_failed_time > coalesce(last_archived_time, '-infinity') AS failing
FROM pg_catalog.pg_stat_archiver`;

/** One row for each database; the counters live in memory, so all of them cost as much as one. */
export const activitySql = `${mark} SELECT datname AS name, xact_commit::pg_catalog.float8 AS commits, xact_rollback::pg_catalog.float8 AS rollbacks,
  blks_hit::pg_catalog.float8 AS "blocksHit", blks_read::pg_catalog.float8 AS "blocksRead", deadlocks::pg_catalog.float8 AS deadlocks,
  pg_catalog.to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since
FROM pg_catalog.pg_stat_database WHERE datname IS NOT NULL`;

/** A hidden one comes back as null. */
export const dataDirectorySql = `${mark} SELECT
  (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory') AS directory`;

/** One row: where the server writes its log, and how. */
export const logSettingsSql = `${mark} SELECT pg_catalog.current_setting('logging_collector') = 'on' AS collected,
  pg_catalog.current_setting('log_destination') AS destination,
  pg_catalog.current_setting('log_line_prefix') AS prefix,
  pg_catalog.current_setting('lc_messages') AS language`;

/** @param format `jsonlog` (from 15 on) or `stderr` */
export const logFileSql = (format: string): string =>
  `${mark} SELECT pg_catalog.pg_current_logfile('${format}') AS path`;

/** The end of a file, as bytes: a text would be refused where the cut goes through a character. */
export const logEndSql = `${mark} SELECT f.size::pg_catalog.float8 AS size,
  pg_catalog.pg_read_binary_file($1, greatest(f.size - $2::pg_catalog.int8, 0), $2::pg_catalog.int8) AS data
FROM pg_catalog.pg_stat_file($1) AS f`;
