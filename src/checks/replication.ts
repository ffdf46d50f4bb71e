/** Do standbys and other consumers of WAL follow? */
import { formatBytes } from '../report/format.ts';
import type { Check, CheckContext, Row, Thresholds, Verdict } from './check.ts';
import { isMajor } from './majors.ts';
import { flagOf, numberOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** pg_current_wal_lsn() fails on a standby, which the identity check reports better. */
export const currentLsn =
  'CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END';

type Finding = { status: Verdict['status']; line: string };

function replica(row: Row, thresholds: Thresholds): Finding {
  const address = textOf(row, 'address');
  const who = `${textOf(row, 'application_name') || `pid ${textOf(row, 'pid')}`}${address === '' ? '' : ` at ${address}`}`;
  const state = textOf(row, 'state');
  if (state === 'backup')
    return { status: 'blocked', line: `${who}: a base backup is running, which a restart would end` };
  // A logical subscriber catches up by itself after a restart; nobody switches over to it.
  const bad = flagOf(row, 'logical') ? 'warning' : 'blocked';
  if (state !== 'streaming') return { status: bad, line: `${who}: ${state}, not streaming` };
  const lag = numberOf(row, 'lag');
  if (lag > thresholds.replayLagBlock) return { status: bad, line: `${who}: ${formatBytes(lag)} behind` };
  return { status: 'passed', line: '' };
}

/**
 * At least one row, for synchronous_standby_names. pg_receivewal replays nothing: what it wrote counts.
 */
export const replicas: Check = {
  id: 'replicas',
  title: 'Every connected standby follows closely',
  scope: 'cluster',
  minMajor: 13,
  role: 'pg_read_all_stats',
  sql: `
SELECT pg_catalog.current_setting('synchronous_standby_names') AS sync_names,
       pg_catalog.pg_is_in_recovery() AS standby,
       r.pid, r.application_name, pg_catalog.host(r.client_addr) AS address, r.state, r.sync_state,
       coalesce(s.slot_type = 'logical', false) AS logical,
       pg_catalog.pg_wal_lsn_diff(${currentLsn},
         coalesce(r.replay_lsn, r.write_lsn, r.sent_lsn)) AS lag
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_stat_replication AS r ON true
LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.active_pid = r.pid
ORDER BY r.application_name, r.pid`,
  fix: 'Wait until the standbys stream and have caught up; look at their log where they do not.',
  judge(rows, { thresholds }) {
    const [first] = rows;
    if (!first) throw new Error('the server did not answer');
    const connected = rows.filter((row) => row.pid !== null);
    const findings = connected.map((row) => replica(row, thresholds));
    const names = textOf(first, 'sync_names');
    const synchronous = connected.some((row) => ['sync', 'quorum'].includes(textOf(row, 'sync_state')));
    if (names !== '' && !synchronous && !flagOf(first, 'standby')) {
      findings.push({
        status: 'blocked',
        line: `synchronous_standby_names is ${names}, but no synchronous standby is connected: commits wait for ever`,
      });
    }
    const found = worst(findings);
    return { status: found.status, seen: bounded(found.lines) };
  },
};

function slot(row: Row, context: CheckContext): Finding {
  const { thresholds } = context;
  const name = `${textOf(row, 'slot_type')} slot ${textOf(row, 'slot_name')}`;
  const status = textOf(row, 'wal_status');
  const reason = textOf(row, 'reason');
  if (status === 'lost' || reason !== '') {
    return {
      status: 'blocked',
      line: `${name}: lost${reason === '' ? '' : ` (${reason})`}, its consumer cannot continue`,
    };
  }
  if (status === 'unreserved') {
    return { status: 'blocked', line: `${name}: unreserved, the WAL it needs goes with the next checkpoint` };
  }
  const retained = row.retained === null ? 0 : numberOf(row, 'retained');
  const active = flagOf(row, 'active');
  if (retained > thresholds.slotRetainedWarning) {
    return {
      status: 'warning',
      line: `${name}: ${active ? 'active' : 'inactive'}, holds back ${formatBytes(retained)} of WAL`,
    };
  }
  if (isMajor(context) && textOf(row, 'slot_type') === 'logical') {
    const carried = context.running.major >= 17 ? '; only pg_upgrade carries it over' : '';
    return { status: 'warning', line: `${name}: a new major starts without it${carried}` };
  }
  return active
    ? { status: 'passed', line: '' }
    : { status: 'info', line: `${name}: inactive, holds back ${formatBytes(retained)} of WAL` };
}

/** `invalidation_reason` exists from 17 on. A slot that never held WAL (restart_lsn is null) retains none. */
export const slots: Check = {
  id: 'slots',
  title: 'Replication slots are usable and hold back little WAL',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT s.slot_name, s.slot_type, s.active, s.wal_status,
       pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS reason,
       pg_catalog.pg_wal_lsn_diff(${currentLsn}, s.restart_lsn) AS retained
FROM pg_catalog.pg_replication_slots AS s ORDER BY s.slot_name`,
  fix: 'Start the consumer of an inactive slot; drop a lost one with pg_drop_replication_slot(name) and set its consumer up again.',
  judge(rows, context) {
    const found = worst(rows.map((row) => slot(row, context)));
    return { status: found.status, seen: bounded(found.lines) };
  },
};
