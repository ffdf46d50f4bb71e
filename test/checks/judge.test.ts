/** What each check of the machine and the server makes of rows, by exact value. */
import { describe, expect, test } from 'vitest';
import { archiveBacklog, archiver } from '../../src/checks/archive.ts';
import type { DiskFact, Row } from '../../src/checks/check.ts';
import { identity } from '../../src/checks/identity.ts';
import { checksumFailures, invalidDatabases, wraparound } from '../../src/checks/integrity.ts';
import { replicas, slots } from '../../src/checks/replication.ts';
import { connections, longTransactions, preparedTransactions } from '../../src/checks/sessions.ts';
import { configFileErrors, hbaErrors, pendingRestart } from '../../src/checks/settings.ts';
import { diskSpace } from '../../src/checks/storage.ts';
import { judge, major, passed } from './judging.ts';

test('identity', () => {
  expect(judge(identity, [{ version_num: 150017, standby: false }])).toEqual(passed);
  expect(judge(identity, [{ version_num: 150017, standby: false }], { when: 'after' })).toEqual([
    'blocked',
    ['the server runs 15.17, expected was 15.20'],
  ]);
  expect(judge(identity, [{ version_num: 150020, standby: true }])).toEqual([
    'blocked',
    ['the server is a standby: pg_is_in_recovery() is true', 'the server runs 15.20, expected was 15.17'],
  ]);
  expect(() => judge(identity, [])).toThrow('did not say');
  expect(() => judge(identity, [{ version_num: null, standby: false }])).toThrow('version_num is null');
});

test('disk-space: blocks, warns when tight, adds up what shares a filesystem', () => {
  const disk = (purpose: string, freeBytes: number, filesystem?: string): DiskFact => ({
    purpose,
    path: `/${purpose}`,
    freeBytes,
    neededBytes: 1024,
    ...(filesystem ? { filesystem } : {}),
  });
  expect(judge(diskSpace, [])).toEqual(['skipped', ['no filesystem was measured']]);
  expect(judge(diskSpace, [], { disks: [disk('a', 1229)] })).toEqual(passed);
  expect(judge(diskSpace, [], { disks: [disk('a', 1228)] })).toEqual([
    'warning',
    ['a in /a: 1.0 KiB needed, 1.2 KiB free'],
  ]);
  expect(judge(diskSpace, [], { disks: [disk('a', 1024), disk('b', 1023)] })).toEqual([
    'blocked',
    ['b in /b: 1.0 KiB needed, 1023 B free', 'a in /a: 1.0 KiB needed, 1.0 KiB free'],
  ]);
  expect(judge(diskSpace, [], { disks: [disk('a', 1600, '8:1'), disk('b', 1600, '8:1')] })).toEqual([
    'blocked',
    ['a in /a and b in /b: 2.0 KiB needed, 1.6 KiB free'],
  ]);
});

describe('integrity', () => {
  test('checksum-failures', () => {
    const none = { datname: 'shared catalogs', failures: null, last_failure: null };
    expect(judge(checksumFailures, [{ enabled: true, ...none }])).toEqual(passed);
    expect(judge(checksumFailures, [{ enabled: false, ...none }])).toEqual([
      'skipped',
      ['data checksums are off: the server cannot notice damaged pages'],
    ]);
    expect(
      judge(checksumFailures, [
        { enabled: true, datname: 'app', failures: '3', last_failure: '2026-11-20 10:00:00' },
      ]),
    ).toEqual(['blocked', ['app: 3 failures, last 2026-11-20 10:00:00 UTC']]);
  });

  test('wraparound', () => {
    const row = (xid_age: number, mxid_age = 0): Row => ({ datname: 'app', xid_age, mxid_age });
    expect(judge(wraparound, [row(1_000_000_000, 1_000_000_000)])).toEqual(passed);
    expect(judge(wraparound, [row(1_000_000_001)])).toEqual([
      'warning',
      ['app: 1000000001 transactions old, the limit is 2147483648'],
    ]);
    expect(judge(wraparound, [row(1_200_000_000, 1_800_000_001)])).toEqual([
      'blocked',
      [
        'app: 1800000001 multixacts old, the limit is 2147483648',
        'app: 1200000000 transactions old, the limit is 2147483648',
      ],
    ]);
    expect(() => judge(wraparound, [])).toThrow('no database');
  });

  test('invalid-databases', () => {
    expect(judge(invalidDatabases, [])).toEqual(passed);
    expect(
      judge(invalidDatabases, [
        { datname: 'old', invalid: false },
        { datname: 'half', invalid: true },
      ]),
    ).toEqual([
      'blocked',
      [
        'half: left behind by an interrupted DROP DATABASE',
        'old: accepts no connections, so it is neither checked nor backed up',
      ],
    ]);
    expect(judge(invalidDatabases, [{ datname: 'old', invalid: false }])[0]).toBe('info');
    expect(judge(invalidDatabases, [{ datname: 'old', invalid: false }], major)[0]).toBe('blocked');
  });
});

describe('settings', () => {
  test('config-file-errors', () => {
    expect(judge(configFileErrors, [])).toEqual(passed);
    expect(
      judge(configFileErrors, [
        { name: 'x', error: 'setting could not be applied', sourcefile: '/c', sourceline: 3, total: '22' },
        { name: null, error: 'syntax error', sourcefile: '/c', sourceline: 4, total: '22' },
        { name: null, error: 'could not open file', sourcefile: null, sourceline: null, total: '22' },
      ]),
    ).toEqual([
      'blocked',
      [
        'x: the value is not valid (/c, line 3)',
        'syntax error (/c, line 4)',
        'could not open file',
        'and 19 more',
      ],
    ]);
  });

  test('hba-errors and pending-restart', () => {
    expect(judge(hbaErrors, [])).toEqual(passed);
    expect(judge(hbaErrors, [{ error: 'bad method', file: '/h', line: 9, total: '1' }])).toEqual([
      'blocked',
      ['bad method (/h, line 9)'],
    ]);
    expect(judge(pendingRestart, [])).toEqual(passed);
    expect(
      judge(pendingRestart, [
        { name: 'port', sourcefile: '/c', sourceline: 1 },
        { name: 'wal_level', sourcefile: null, sourceline: null },
      ]),
    ).toEqual(['warning', ['port (/c, line 1)', 'wal_level']]);
  });
});

describe('sessions', () => {
  const session = (seconds: number, application_name = 'shop'): Row => ({
    pid: 7,
    usename: 'ann',
    application_name,
    datname: 'app',
    state: 'active',
    seconds,
  });

  test('long-xacts', () => {
    expect(judge(longTransactions, [session(60)])).toEqual(passed);
    expect(judge(longTransactions, [session(61), session(601, '')])).toEqual([
      'blocked',
      ['pid 7 of ann in app: active, open for 10 min', 'pid 7 of ann (shop) in app: active, open for 61 s'],
    ]);
    expect(judge(longTransactions, [session(600)])[0]).toBe('warning');
  });

  test('prepared-xacts', () => {
    const row = (seconds: number): Row => ({ gid: 'g', datname: 'app', owner: 'ann', seconds, total: '1' });
    expect(judge(preparedTransactions, [])).toEqual(passed);
    expect(judge(preparedTransactions, [row(5)])).toEqual(['info', ['g of ann in app: prepared 5 s ago']]);
    expect(judge(preparedTransactions, [row(5)], major)[0]).toBe('blocked');
    expect(judge(preparedTransactions, [row(301)])).toEqual([
      'warning',
      ['g of ann in app: prepared 5 min ago'],
    ]);
  });

  test('connections', () => {
    const row = (used: number): Row => ({
      datname: 'app',
      usename: 'ann',
      application_name: '',
      connections: String(used),
      used: String(used),
      allowed: 100,
    });
    expect(judge(connections, [row(90)])).toEqual(passed);
    expect(judge(connections, [row(91)])).toEqual([
      'warning',
      ['91 of 100 connections are in use', '91 by ann in app (no application name)'],
    ]);
    expect(() => judge(connections, [])).toThrow('no connection');
  });
});

describe('replication', () => {
  const replica = (changes: Row = {}): Row => ({
    sync_names: '',
    standby: false,
    pid: 7,
    application_name: 'db2',
    address: '10.0.0.2',
    state: 'streaming',
    sync_state: 'async',
    logical: false,
    lag: '0',
    ...changes,
  });

  test('replicas', () => {
    const alone = replica({ pid: null, state: null, lag: null });
    expect(judge(replicas, [alone])).toEqual(passed);
    expect(judge(replicas, [replica({ lag: String(16 * 1024 ** 2) })])).toEqual(passed);
    expect(judge(replicas, [replica({ lag: String(17 * 1024 ** 2) })])).toEqual([
      'blocked',
      ['db2 at 10.0.0.2: 17.0 MiB behind'],
    ]);
    expect(judge(replicas, [replica({ lag: String(17 * 1024 ** 2), logical: true })])[0]).toBe('warning');
    expect(judge(replicas, [replica({ state: 'catchup', address: null })])).toEqual([
      'blocked',
      ['db2: catchup, not streaming'],
    ]);
    expect(judge(replicas, [replica({ state: 'backup', application_name: '' })])).toEqual([
      'blocked',
      ['pid 7 at 10.0.0.2: a base backup is running, which a restart would end'],
    ]);
    expect(judge(replicas, [replica({ sync_names: 'db3' })])).toEqual([
      'blocked',
      ['synchronous_standby_names is db3, but no synchronous standby is connected: commits wait for ever'],
    ]);
    expect(judge(replicas, [replica({ sync_names: 'ANY 1 (db2)', sync_state: 'quorum' })])).toEqual(passed);
    expect(judge(replicas, [{ ...alone, sync_names: 'db3', standby: true }])).toEqual(passed);
    expect(() => judge(replicas, [replica({ lag: null })])).toThrow('lag is null');
  });

  test('slots', () => {
    const slot = (changes: Row = {}): Row => ({
      slot_name: 's',
      slot_type: 'logical',
      active: true,
      wal_status: 'reserved',
      reason: null,
      retained: '1024',
      ...changes,
    });
    expect(judge(slots, [slot()])).toEqual(passed);
    expect(judge(slots, [slot({ slot_type: 'physical' })], major)).toEqual(passed);
    expect(judge(slots, [slot()], major)).toEqual([
      'warning',
      ['logical slot s: a new major starts without it'],
    ]);
    expect(
      judge(slots, [slot()], { running: { major: 17, minor: 10 }, wanted: { major: 18, minor: 4 } })[1],
    ).toEqual(['logical slot s: a new major starts without it; only pg_upgrade carries it over']);
    expect(judge(slots, [slot({ active: false, retained: null, wal_status: null })])).toEqual([
      'info',
      ['logical slot s: inactive, holds back 0 B of WAL'],
    ]);
    expect(judge(slots, [slot({ retained: String(2 * 1024 ** 3) })])).toEqual([
      'warning',
      ['logical slot s: active, holds back 2.0 GiB of WAL'],
    ]);
    expect(judge(slots, [slot({ wal_status: 'unreserved' })])).toEqual([
      'blocked',
      ['logical slot s: unreserved, the WAL it needs goes with the next checkpoint'],
    ]);
    expect(judge(slots, [slot({ wal_status: 'lost', reason: 'wal_removed' })])).toEqual([
      'blocked',
      ['logical slot s: lost (wal_removed), its consumer cannot continue'],
    ]);
  });
});

test('archiver and archive-backlog', () => {
  const row = (changes: Row = {}): Row => ({
    mode: 'on',
    nowhere: false,
    failed_count: '1',
    last_failed_wal: '0F',
    last_failed: '2026-11-20 10:00:00',
    last_archived: null,
    failing: true,
    ...changes,
  });
  expect(judge(archiver, [row({ mode: 'off' })])).toEqual(passed);
  expect(judge(archiver, [row({ failing: false })])).toEqual(passed);
  expect(judge(archiver, [row()])).toEqual([
    'blocked',
    [
      '0F could not be archived, last tried 2026-11-20 10:00:00 UTC; 1 failure so far',
      'no file was archived yet',
    ],
  ]);
  expect(judge(archiver, [row({ last_archived: '2026-11-20 09:00:00' })])[1][1]).toBe(
    'the last archived file is of 2026-11-20 09:00:00 UTC',
  );
  expect(judge(archiver, [row({ failing: false, nowhere: true })])[0]).toBe('warning');
  expect(judge(archiveBacklog, [{ waiting: '10' }])).toEqual(passed);
  expect(judge(archiveBacklog, [{ waiting: '11' }])).toEqual([
    'warning',
    ['11 finished WAL files not archived yet'],
  ]);
  expect(judge(archiveBacklog, [{ waiting: '1001' }])[0]).toBe('blocked');
  expect(() => judge(archiveBacklog, [])).toThrow('waiting');
});
