/** What the checks of activity, WAL, libraries, rights and capacity make of rows, by exact value. */
import { describe, expect, test } from 'vitest';
import { idleInTransaction, lockWaits, runningMaintenance } from '../../src/checks/activity.ts';
import { largeObjects, locksCapacity, tablespaces } from '../../src/checks/capacity.ts';
import type { Row } from '../../src/checks/check.ts';
import { collationDependentIndexes } from '../../src/checks/collation-indexes.ts';
import { control } from '../../src/checks/control.ts';
import { libraryNames, preload } from '../../src/checks/libraries.ts';
import { configPreflight, releaseNotes, supported } from '../../src/checks/release.ts';
import { superuserOrRoles, unreadableTables } from '../../src/checks/rights.ts';
import { pgssPresent, statsBaseline } from '../../src/checks/upkeep.ts';
import { dirtyBuffersCost, walDir } from '../../src/checks/wal.ts';
import { between, judge, major, passed } from './judging.ts';

describe('the machine', () => {
  const release = { today: '2026-11-20', endOfLife: '2030-01-01', mustRead: [] };

  test('config-preflight', () => {
    expect(judge(configPreflight, [], { configErrors: null })).toEqual([
      'skipped',
      ['nobody could ask the programs of the wanted version'],
    ]);
    expect(judge(configPreflight, [], { configErrors: [] })).toEqual(passed);
    const [status, seen] = judge(configPreflight, [], {
      configErrors: Array.from({ length: 22 }, () => 'bad'),
    });
    expect([status, seen.length, seen.at(-1)]).toEqual(['blocked', 21, 'and 2 more']);
  });

  test('release-notes', () => {
    expect(judge(releaseNotes, [], { release })).toEqual(passed);
    const mustRead = [{ version: '15.20', why: 'rebuild', link: 'https://example.org' }];
    expect(judge(releaseNotes, [], { release: { ...release, mustRead } })).toEqual([
      'blocked',
      ['15.20: rebuild (https://example.org)'],
    ]);
  });

  test('supported: past, soon, far, unknown', () => {
    const until = (endOfLife: string | null) => judge(supported, [], { release: { ...release, endOfLife } });
    expect(until(null)).toEqual(['skipped', ['nobody knows how long 15.20 gets fixes']]);
    expect(until('2026-11-19')).toEqual(['warning', ['PostgreSQL 15 has had no fixes since 2026-11-19']]);
    expect(until('2026-11-21')).toEqual([
      'warning',
      ['PostgreSQL 15 gets fixes until 2026-11-21, for 1 more day'],
    ]);
    expect(until('2027-05-19')[0]).toBe('warning');
    expect(until('2027-05-20')).toEqual(passed);
    expect(() => until('soon')).toThrow('is not a day');
  });
});

describe('activity', () => {
  const session = (seconds: number): Row => ({
    pid: 7,
    usename: 'ann',
    application_name: 'shop',
    datname: 'app',
    seconds,
    blockers: '8',
  });

  test('idle-in-tx and lock-waits', () => {
    expect(judge(idleInTransaction, [session(60)])).toEqual(passed);
    expect(judge(idleInTransaction, [session(61)])).toEqual([
      'warning',
      ['pid 7 of ann (shop) in app: idle in transaction for 61 s'],
    ]);
    expect(judge(lockWaits, [session(5)])).toEqual(passed);
    expect(judge(lockWaits, [session(6)])).toEqual([
      'warning',
      ['pid 7 of ann (shop) in app: waits for pid 8 for 6 s'],
    ]);
  });

  test('running-maintenance: what autovacuum does by itself does not count, unless it is against a wraparound', () => {
    const row = (changes: Row): Row => ({
      database: 'app',
      pid: 7,
      command: 'VACUUM',
      relation: 't',
      phase: 'scanning heap',
      automatic: true,
      wraparound: false,
      ...changes,
    });
    expect(judge(runningMaintenance, [row({})])).toEqual(passed);
    expect(
      judge(runningMaintenance, [
        row({ wraparound: true }),
        row({ automatic: false, command: 'CREATE INDEX CONCURRENTLY', phase: 'building index' }),
      ]),
    ).toEqual([
      'warning',
      [
        'app: autovacuum (to prevent wraparound) of t: scanning heap, pid 7',
        'app: CREATE INDEX CONCURRENTLY of t: building index, pid 7',
      ],
    ]);
  });
});

test('wal-dir and dirty-buffers-cost', () => {
  const row = (bytes: number): Row => ({ files: '3', bytes: String(bytes), most: '1024', kept: '100' });
  expect(judge(walDir, [row(2148)])).toEqual(passed);
  expect(judge(walDir, [row(2149)])).toEqual(['warning', ['2.1 KiB in 3 files, max_wal_size is 1.0 KiB']]);
  expect(() => judge(walDir, [])).toThrow('bytes');
  const dirty = (distance: number) =>
    judge(dirtyBuffersCost, [{ distance: String(distance), buffers: '1024' }])[0];
  expect([dirty(1024 ** 3), dirty(1024 ** 3 + 1)]).toEqual(['passed', 'info']);
});

test('control: only a major minds', () => {
  const row = (segment: number, page: number): Row => ({ segment, page, catalog: 1, checksums: true });
  const usual = row(16 * 1024 ** 2, 8192);
  expect(judge(control, [usual], major)[0]).toBe('passed');
  expect(judge(control, [row(1024 ** 2, 8192)])[0]).toBe('passed');
  expect(judge(control, [row(1024 ** 2, 8192)], major)[0]).toBe('info');
  expect(judge(control, [row(16 * 1024 ** 2, 4096)], major)[1][0]).toBe(
    'WAL segments of 16.0 MiB, pages of 4.0 KiB',
  );
});

describe('libraries', () => {
  const row = (setting: string, available: string[] = []): Row => ({
    name: 'shared_preload_libraries',
    setting,
    available,
  });

  test('names', () => {
    expect(libraryNames('"$libdir/plugins/foo.so", bar,,/opt/x/baz')).toEqual(['foo', 'bar', 'baz']);
  });

  test('preload: what can be known, and what not', () => {
    const wantedExtensions = new Map([['pg_cron', ['1.6']]]);
    expect(judge(preload, [row('pg_cron, auto_explain')], { wantedExtensions })).toEqual(passed);
    expect(judge(preload, [row('pgaudit', ['pgaudit'])], { wantedExtensions })).toEqual([
      'blocked',
      ['pgaudit in shared_preload_libraries: the wanted server has no files of it'],
    ]);
    expect(judge(preload, [row('own')], { wantedExtensions })).toEqual([
      'info',
      ['own in shared_preload_libraries: nobody could look for it'],
    ]);
    expect(judge(preload, [row('own')], { wantedExtensions, ...major })[0]).toBe('warning');
    expect(judge(preload, [row('own')])).toEqual(passed);
    expect(judge(preload, [row('own')], major)).toEqual([
      'warning',
      ['own in shared_preload_libraries: must exist for the new version'],
    ]);
    expect(() => judge(preload, [{ ...row('own'), available: null }])).toThrow('not a list');
  });
});

test('superuser-or-roles and unreadable-tables', () => {
  expect(judge(superuserOrRoles, [{ role: 'ann', super: true }])).toEqual(passed);
  expect(judge(superuserOrRoles, [{ role: 'ann', super: false }])).toEqual([
    'blocked',
    ['role ann is no superuser: only a superuser can back up every database and the roles'],
  ]);
  expect(() => judge(superuserOrRoles, [])).toThrow('does not know the role');
  expect(judge(unreadableTables, [])).toEqual(passed);
  expect(judge(unreadableTables, [{ database: 'app', name: 't', total: '3' }])).toEqual([
    'blocked',
    ['app: t', 'and 2 more'],
  ]);
});

describe('capacity', () => {
  test('locks-capacity: from 19 on a slot counts half', () => {
    const row = (relations: number): Row => ({ database: 'app', relations: String(relations), slots: '100' });
    expect(judge(locksCapacity, [row(80)])).toEqual(passed);
    expect(judge(locksCapacity, [row(81)])).toEqual([
      'blocked',
      ['app: 81 relations, the lock table has room for 100'],
    ]);
    expect(judge(locksCapacity, [row(41)], between(19, 19))).toEqual([
      'blocked',
      ['app: 41 relations, the lock table has room for 50'],
    ]);
  });

  test('tablespaces', () => {
    const row = (inside: boolean): Row => ({ name: 'fast', location: '/mnt/fast', inside });
    expect(judge(tablespaces, [row(true)])).toEqual([
      'passed',
      ['fast in /mnt/fast, inside the data directory'],
    ]);
    expect(judge(tablespaces, [row(false)], major)).toEqual(['info', ['fast in /mnt/fast']]);
    expect(judge(tablespaces, [row(true)], major)[0]).toBe('blocked');
    expect(judge(tablespaces, [row(true)], { ...major, route: 'dump-restore' })[0]).toBe('info');
    expect(judge(tablespaces, [row(true)], between(18, 19))[0]).toBe('info');
  });

  test('large-objects', () => {
    const row = (objects: number): Row => ({ database: 'app', objects: String(objects) });
    expect(judge(largeObjects, [row(100_000)])).toEqual(passed);
    expect(judge(largeObjects, [row(100_001)])).toEqual(['info', ['app: 100,001 large objects']]);
    expect(judge(largeObjects, [row(100_001)], major)[0]).toBe('warning');
  });
});

test('collation-dependent-indexes: sums of all databases, and the largest', () => {
  const row = (database: string, bytes: number): Row => ({
    database,
    name: 'i',
    bytes: String(bytes),
    indexes: '2',
    all_bytes: String(bytes),
  });
  const half = 512 * 1024 ** 2;
  expect(judge(collationDependentIndexes, [])).toEqual(passed);
  expect(judge(collationDependentIndexes, [row('a', half), row('b', half)])).toEqual([
    'passed',
    ['a: 2 indexes, about 512.0 MiB', 'b: 2 indexes, about 512.0 MiB'],
  ]);
  expect(judge(collationDependentIndexes, [row('a', half), row('b', half + 1)])).toEqual([
    'info',
    [
      'a: 2 indexes, about 512.0 MiB',
      'b: 2 indexes, about 512.0 MiB',
      'a: i, about 512.0 MiB',
      'b: i, about 512.0 MiB',
    ],
  ]);
});

test('stats-baseline and pgss-present', () => {
  const table = (live: number): Row => ({ database: 'app', name: 't', live: String(live) });
  expect(judge(statsBaseline, [table(10_000)])).toEqual(passed);
  expect(judge(statsBaseline, [table(10_001)])).toEqual(['info', ['app: t: 10001 rows, never analyzed']]);
  const row = (created: boolean, loaded: boolean): Row => ({ database: 'app', created, loaded });
  expect(judge(pgssPresent, [row(false, true), row(true, true)])).toEqual(passed);
  expect(judge(pgssPresent, [row(false, false)])[0]).toBe('passed');
  expect(judge(pgssPresent, [row(false, true)])).toEqual([
    'info',
    ['loaded, but no database has the extension'],
  ]);
  expect(judge(pgssPresent, [row(true, false)])[0]).toBe('info');
});
