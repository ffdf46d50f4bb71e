/** What must be the same after an upgrade as before, and what must not: read, then compared. */
import type { Connection } from '../postgres/connection.ts';
import { listDatabases } from '../postgres/databases.ts';
import type { FactRecord } from '../report/record.ts';

/** Name to value; every value is text that can be shown. */
export type Facts = Record<string, string>;

const clusterFacts = `
  SELECT current_setting('server_version_num') AS "server version number",
         (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS "system identifier",
         (SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint()) AS "timeline",
         (SELECT catalog_version_no::text FROM pg_catalog.pg_control_system()) AS "catalog version",
         pg_catalog.pg_is_in_recovery()::text AS "in recovery",
         current_setting('data_checksums') AS "data checksums",
         current_setting('data_directory') AS "data directory",
         pg_catalog.pg_postmaster_start_time()::text AS "server start",
         (SELECT string_agg(datname, ', ' ORDER BY datname) FROM pg_catalog.pg_database) AS "databases",
         (SELECT count(*)::text FROM pg_catalog.pg_roles) AS "roles",
         (SELECT coalesce(string_agg(slot_name || ' (' || slot_type || ')', ', ' ORDER BY slot_name), 'none') FROM pg_catalog.pg_replication_slots WHERE NOT temporary) AS "replication slots",
         (SELECT coalesce(string_agg(application_name, ', ' ORDER BY application_name), 'none') FROM pg_catalog.pg_stat_replication WHERE state = 'streaming' AND application_name NOT LIKE 'pg_basebackup%') AS "streaming standbys"`;

/**
 * Settings that somebody set. Strings are shown as a hash: primary_conninfo and its kin hold passwords. A setting
 * that waits for a restart will be another one after it.
 */
const settingFacts = `
  SELECT 'setting ' || name AS name,
         CASE WHEN pending_restart THEN 'waits for a restart' WHEN vartype = 'string' AND setting <> '' THEN 'text with md5 ' || md5(setting) ELSE setting || coalesce(' ' || unit, '') END AS value
  FROM pg_catalog.pg_settings WHERE source NOT IN ('default', 'override', 'client', 'session', 'environment variable') ORDER BY name`;

const databaseFacts = `
  SELECT (SELECT string_agg(kind || ' ' || n, ', ' ORDER BY kind) FROM (
            SELECT CASE relkind WHEN 'r' THEN 'tables' WHEN 'p' THEN 'partitioned tables' WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'partitioned indexes'
                     WHEN 'S' THEN 'sequences' WHEN 'v' THEN 'views' WHEN 'm' THEN 'materialized views' WHEN 'f' THEN 'foreign tables' ELSE 'types' END AS kind, count(*) AS n
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
            WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema' AND c.relpersistence <> 't' AND c.relkind <> 't' GROUP BY 1) k) AS "relations",
         (SELECT count(*)::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema') AS "routines",
         (SELECT count(*)::text FROM pg_catalog.pg_trigger WHERE NOT tgisinternal) AS "triggers",
         (SELECT count(*)::text || ', not validated ' || count(*) FILTER (WHERE NOT convalidated) FROM pg_catalog.pg_constraint WHERE contype <> 't') AS "constraints",
         (SELECT count(*)::text FROM pg_catalog.pg_index WHERE NOT (indisvalid AND indisready AND indislive)) AS "invalid indexes",
         (SELECT coalesce(string_agg(extname || ' ' || extversion, ', ' ORDER BY extname), 'none') FROM pg_catalog.pg_extension) AS "extensions",
         (SELECT coalesce(sum(last_value), 0)::text FROM pg_catalog.pg_sequences WHERE increment_by > 0) AS "sum of ascending sequences"`;

/** Reads the facts of the cluster and of every database that accepts connections. */
export async function readFacts(connect: (database?: string) => Promise<Connection>): Promise<Facts> {
  const facts: Facts = {};
  await using main = await connect();
  const [row] = await main.query<Record<string, string>>(clusterFacts);
  Object.assign(facts, row);
  for (const { name, value } of await main.query<{ name: string; value: string }>(settingFacts))
    facts[name] = value;
  for (const { name, bytes } of await listDatabases(main)) {
    await using connection = await connect(name);
    const [found] = await connection.query<Record<string, string | null>>(databaseFacts);
    for (const [key, value] of Object.entries(found ?? {})) facts[`${name}: ${key}`] = value ?? 'none';
    facts[`${name}: size in bytes`] = String(bytes);
  }
  return facts;
}

type Rule = (before: string, after: string) => { verdict: FactRecord['verdict']; why: string | null };

const equal: Rule = (before, after) => ({ verdict: before === after ? 'equal' : 'unexpected', why: null });
const moves =
  (why: string): Rule =>
  (before, after) => ({
    verdict: before === after ? 'equal' : 'expected',
    why: before === after ? null : why,
  });
const grows: Rule = (before, after) =>
  BigInt(after) >= BigInt(before)
    ? {
        verdict: before === after ? 'equal' : 'expected',
        why: before === after ? null : 'applications went on writing',
      }
    : { verdict: 'unexpected', why: 'a sequence went back' };

/** How a fact may change in an upgrade from one version number to another. */
function ruleFor(name: string, wantedNum: string): Rule {
  if (name === 'server version number') {
    return (_before, after) => ({
      verdict: after === wantedNum ? 'expected' : 'unexpected',
      why: after === wantedNum ? 'this is the upgrade' : `expected ${wantedNum}`,
    });
  }
  if (name.startsWith('setting ')) {
    return (before, after) =>
      before === 'waits for a restart'
        ? { verdict: 'expected', why: 'it waited for a restart' }
        : equal(before, after);
  }
  if (name === 'server start') return moves('the server was restarted');
  if (name.endsWith('size in bytes')) return () => ({ verdict: 'not-compared', why: 'moves by itself' });
  if (name.endsWith('sum of ascending sequences')) return grows;
  return equal;
}

/**
 * Compares fact by fact; one that is gone or new is unexpected. Pure.
 * @param changed names of facts that the route changes on purpose
 */
export function compareFacts(
  before: Facts,
  after: Facts,
  wantedNum: number,
  changed: readonly string[] = [],
): FactRecord[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.map((name) => {
    const was = before[name];
    const is = after[name];
    if (was === undefined || is === undefined) {
      return {
        group: 'facts',
        rule: 'must be equal',
        measure: null,
        name,
        before: was ?? null,
        after: is ?? null,
        verdict: 'unexpected',
        why: was === undefined ? 'new' : 'gone',
      };
    }
    const rule = changed.includes(name) ? moves('this route changes it') : ruleFor(name, String(wantedNum));
    return {
      group: 'facts',
      rule: 'see docs',
      measure: null,
      name,
      before: was,
      after: is,
      ...rule(was, is),
    };
  });
}

/** Waits until the standbys that streamed before stream again; they reconnect a few seconds after a restart. */
export async function awaitStandbys(
  connect: () => Promise<Connection>,
  before: Facts,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const wanted = before['streaming standbys'];
  if (!wanted || wanted === 'none') return;
  const deadline = Date.now() + timeoutMs;
  await using connection = await connect();
  while (Date.now() < deadline && !signal.aborted) {
    const [row] = await connection.query<{ names: string | null }>(
      "SELECT string_agg(application_name, ', ' ORDER BY application_name) AS names FROM pg_catalog.pg_stat_replication WHERE state = 'streaming' AND application_name NOT LIKE 'pg_basebackup%'",
    );
    if (row?.names === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
