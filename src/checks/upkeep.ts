/** Statistics and the extensions that watch over a database: what an upgrade is compared with later. */
import type { Check } from './check.ts';
import { flagOf, numberOf, prefixOf, textOf } from './rows.ts';
import { bounded } from './words.ts';

/** Asks whether autovacuum and the counters that it goes by are on in the server. */
export const autovacuumOff: Check = {
  id: 'autovacuum-off',
  title: 'Autovacuum is on',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT s.name FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('autovacuum', 'track_counts') AND s.setting = 'off' ORDER BY 1`,
  fix: 'Switch it on: nothing refreshes the statistics after the upgrade, and tables bloat until a forced vacuum.',
  judge(rows) {
    const lines = rows.map((row) => `${textOf(row, 'name')} is off`);
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines) };
  },
};

/**
 * Small tables are never analyzed by themselves, which is fine. The functions are asked and not the views over them:
 * those look at every index, too.
 */
export const statsBaseline: Check = {
  id: 'stats-baseline',
  title: 'Every large table was analyzed',
  scope: 'database',
  minMajor: 13,
  sql: `
WITH found AS MATERIALIZED (
  SELECT c.oid, pg_catalog.pg_stat_get_live_tuples(c.oid) AS live
  FROM pg_catalog.pg_class AS c
  WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
    AND pg_catalog.pg_stat_get_live_tuples(c.oid) > 0
    AND pg_catalog.pg_stat_get_last_analyze_time(c.oid) IS NULL
    AND pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) IS NULL
  ORDER BY 2 DESC, 1 LIMIT 1000
)
SELECT f.oid::pg_catalog.regclass::pg_catalog.text AS name, f.live FROM found AS f ORDER BY f.live DESC, 1`,
  fix: 'ANALYZE these tables: without statistics plans are guesses, before and after.',
  judge(rows, { thresholds }) {
    const lines = rows
      .filter((row) => numberOf(row, 'live') > thresholds.neverAnalyzedInfo)
      .map((row) => `${prefixOf(row)}${textOf(row, 'name')}: ${numberOf(row, 'live')} rows, never analyzed`);
    return { status: lines.length > 0 ? 'info' : 'passed', seen: bounded(lines) };
  },
};

/** A server without it is fine; half of it is a mistake. */
export const pgssPresent: Check = {
  id: 'pgss-present',
  title: 'pg_stat_statements is there as a whole, or not at all',
  scope: 'database',
  minMajor: 13,
  role: 'pg_read_all_settings',
  sql: `
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_stat_statements') AS created,
       pg_catalog.current_setting('shared_preload_libraries') ~ 'pg_stat_statements' AS loaded`,
  fix: 'It needs both: shared_preload_libraries (and a restart), and CREATE EXTENSION pg_stat_statements in one database.',
  judge(rows) {
    const created = rows.filter((row) => flagOf(row, 'created'));
    const loaded = rows.some((row) => flagOf(row, 'loaded'));
    if (loaded && created.length > 0) return { status: 'passed', seen: [] };
    if (!loaded && created.length === 0) {
      return {
        status: 'passed',
        seen: ['there is no pg_stat_statements: how long statements take cannot be compared'],
      };
    }
    const lines = loaded
      ? ['loaded, but no database has the extension']
      : created.map((row) => `${prefixOf(row)}the extension is there, but its library is not loaded`);
    return { status: 'info', seen: bounded(lines) };
  },
};

/** Asks whether the server has amcheck at hand, which can check indexes. */
export const amcheckAvailable: Check = {
  id: 'amcheck-available',
  title: 'Indexes could be checked for damage',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  sql: `
SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'amcheck') AS offered`,
  fix: 'Install the contrib package of this server version; pg_amcheck can then tell a damaged index from a sound one.',
  judge(rows) {
    if (flagOf(rows[0] ?? {}, 'offered')) return { status: 'passed', seen: [] };
    return { status: 'info', seen: ['the server has no files of amcheck'] };
  },
};
