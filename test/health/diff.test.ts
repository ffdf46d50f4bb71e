import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultThresholds } from '../../src/checks/check.ts';
import { emptyDatabase } from '../../src/health/database-parts.ts';
import { compareSnapshots, unexpectedOf } from '../../src/health/diff.ts';
import { rules } from '../../src/health/fact.ts';
import { standbysOf } from '../../src/health/standbys.ts';
import type { FactRecord } from '../../src/report/record.ts';
import type { DatabaseSnapshot, Snapshot } from '../../src/report/snapshot.ts';

const database = (more: Partial<DatabaseSnapshot> = {}, name = 'app'): DatabaseSnapshot => ({
  ...emptyDatabase(name),
  bytes: 1000,
  objects: [{ schema: 'public', kind: 'tables', count: 12 }],
  grants: { objects: 2, hash: 'aa' },
  extensions: [{ name: 'plpgsql', version: '1.0' }],
  invalid: { indexes: 1, constraints: 0 },
  sequences: { count: 2, summed: 2, sum: '10', compared: 2, behind: [] },
  tables: { count: 12, bytes: 1000, rows: 50_000, largest: [{ name: 'public.t', bytes: 900, rows: 50_000 }] },
  activity: {
    commits: 5000,
    rollbacks: 10,
    blocksHit: 99,
    blocksRead: 1,
    deadlocks: 0,
    since: '2026-11-19T00:00:00.000Z',
  },
  ...more,
});
const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  at: '2026-11-20T12:00:00.000Z',
  durationMs: 100,
  versionNum: 150020,
  server: {
    'system identifier': '7',
    timeline: '1',
    'catalog version': '1',
    'in recovery': 'false',
    'data checksums': 'on',
    'data directory': '/data',
    'server start': 'then',
    databases: 'app',
    roles: '3, md5 a',
    memberships: '0, md5 b',
    'settings of roles and databases': '0, md5 c',
    tablespaces: '2, md5 d',
  },
  settings: { work_mem: '4096 kB' },
  databases: [database()],
  connections: [{ state: 'idle', count: 20 }],
  replication: [{ name: 'b', state: 'streaming', sync: 'async', lagBytes: 0 }],
  slots: [],
  archiver: { mode: 'on', archived: 5, failed: 0, failing: false },
  statements: [],
  log: { source: 'log', bytes: 100, from: '2026-11-20 11:00:00', to: '2026-11-20 12:00:00', classes: [] },
  missing: [],
  ...more,
});
const statement = (calls: number, totalMs: number, key = 'k') => ({
  key,
  database: 'app',
  text: `SELECT ${key}`,
  calls,
  totalMs,
  rows: 1,
});
const slot = {
  name: 's',
  type: 'logical',
  plugin: 'pgoutput',
  active: true,
  walStatus: 'reserved',
  retainedBytes: 5,
};
const line = (message: string, more = {}) => ({
  severity: 'ERROR',
  state: null,
  message,
  count: 1,
  last: '2026-11-20 12:30:00',
  ...more,
});
const log = (classes: ReturnType<typeof line>[], more = {}) => ({
  ...(snapshot().log as NonNullable<Snapshot['log']>),
  classes,
  to: '2026-11-20 13:00:00',
  ...more,
});

const diff = (before: Partial<Snapshot>, after: Partial<Snapshot>, changed: string[] = []): FactRecord[] =>
  compareSnapshots(snapshot(before), snapshot(after), {
    wantedNum: 150020,
    changed,
    thresholds: defaultThresholds,
  });
/** What is neither equal nor merely told. */
const found = (before: Partial<Snapshot>, after: Partial<Snapshot>, changed: string[] = []): unknown[] =>
  diff(before, after, changed)
    .filter(
      ({ verdict, name }) =>
        verdict !== 'equal' && verdict !== 'not-compared' && name !== 'server version number',
    )
    .map(({ verdict, name, why }) => [verdict, name, why]);
const server = (more: Record<string, string>) => ({ server: { ...snapshot().server, ...more } });
const app = (more: Partial<DatabaseSnapshot>) => ({ databases: [database(more)] });

describe('compareSnapshots', () => {
  it('finds nothing where nothing changed, and every item has a rule of the list', () => {
    expect(found({}, {})).toEqual([]);
    for (const { rule, group } of diff({}, {})) {
      expect(Object.values(rules)).toContain(rule);
      expect(group).not.toBe('');
    }
  });

  it('has the words of its rules in the documentation', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/health.md'), 'utf8');
    for (const rule of Object.values(rules)) expect(page).toContain(rule);
  });

  it('wants the version', () => {
    const version = (num: number) => diff({ versionNum: 150017 }, { versionNum: num })[0];
    expect(version(150020)).toMatchObject({
      verdict: 'expected',
      before: '150017',
      after: '150020',
      why: 'this is the upgrade',
    });
    expect(version(150017)).toMatchObject({ verdict: 'unexpected', why: 'expected 150020' });
  });

  it.each<[string, Partial<Snapshot>, Partial<Snapshot>, unknown[]]>([
    [
      'system identifier',
      {},
      server({ 'system identifier': '8' }),
      [['unexpected', 'system identifier', null]],
    ],
    ['timeline', {}, server({ timeline: '2' }), [['unexpected', 'timeline', null]]],
    [
      'start',
      {},
      server({ 'server start': 'now' }),
      [['expected', 'server start', 'the server was restarted']],
    ],
    ['roles', {}, server({ roles: '2' }), [['unexpected', 'roles', null]]],
    ['setting', {}, { settings: { work_mem: '1 kB' } }, [['unexpected', 'setting work_mem', null]]],
    ['new setting', { settings: {} }, { settings: { a: '1' } }, [['unexpected', 'setting a', 'new']]],
    ['gone setting', { settings: { a: '1' } }, { settings: {} }, [['unexpected', 'setting a', 'gone']]],
    [
      'waiting setting',
      { settings: { a: 'waits for a restart' } },
      { settings: { a: '1' } },
      [['expected', 'setting a', 'it waited for a restart']],
    ],
    [
      'waiting setting that is gone',
      { settings: { a: 'waits for a restart' } },
      { settings: {} },
      [['unexpected', 'setting a', 'gone']],
    ],
    [
      'setting that waits now',
      { settings: { a: '1' } },
      { settings: { a: 'waits for a restart' } },
      [['unexpected', 'setting a', null]],
    ],
    ['standby', {}, { replication: [] }, [['unexpected', 'streaming standbys', null]]],
    [
      'standby that catches up',
      {},
      { replication: [{ name: 'b', state: 'catchup', sync: 'async', lagBytes: 1 }] },
      [['unexpected', 'streaming standbys', null]],
    ],
    ['slot gone', { slots: [slot] }, {}, [['unexpected', 'replication slot s', 'gone']]],
    ['slot new', {}, { slots: [slot] }, [['unexpected', 'replication slot s', 'new']]],
    [
      'slot plugin',
      { slots: [slot] },
      { slots: [{ ...slot, plugin: 'x' }] },
      [['unexpected', 'replication slot s', 'type or plugin changed']],
    ],
    [
      'slot lost',
      { slots: [slot] },
      { slots: [{ ...slot, walStatus: 'lost' }] },
      [['unexpected', 'replication slot s', 'lost: its consumer cannot go on']],
    ],
    [
      'slot lost before',
      { slots: [{ ...slot, walStatus: 'lost' }] },
      { slots: [{ ...slot, walStatus: 'lost' }] },
      [],
    ],
    [
      'slot inactive',
      { slots: [slot] },
      { slots: [{ ...slot, active: false }] },
      [['alert', 'replication slot s', 'its consumer has not come back']],
    ],
    [
      'archiver',
      {},
      { archiver: { mode: 'on', archived: 5, failed: 1, failing: true } },
      [['unexpected', 'archiver', 'WAL does not reach the archive any more']],
    ],
    [
      'archiver that failed before',
      { archiver: { mode: 'on', archived: 5, failed: 1, failing: true } },
      { archiver: { mode: 'on', archived: 5, failed: 2, failing: true } },
      [],
    ],
    [
      'clients',
      {},
      { connections: [] },
      [['alert', 'client connections', 'less than a tenth of the clients came back so far']],
    ],
    [
      'objects',
      {},
      app({ objects: [{ schema: 'public', kind: 'tables', count: 11 }] }),
      [['unexpected', 'app: objects of public', null]],
    ],
    ['grants', {}, app({ grants: { objects: 2, hash: 'bb' } }), [['unexpected', 'app: grants', null]]],
    ['extension', {}, app({ extensions: [] }), [['unexpected', 'app: extension plpgsql', null]]],
    [
      'more invalid',
      {},
      app({ invalid: { indexes: 2, constraints: 0 } }),
      [['unexpected', 'app: invalid indexes', null]],
    ],
    [
      'fewer invalid',
      {},
      app({ invalid: { indexes: 0, constraints: 0 } }),
      [['expected', 'app: invalid indexes', 'somebody mended them']],
    ],
    [
      'sum',
      {},
      app({ sequences: { count: 2, summed: 2, sum: '9', compared: 2, behind: [] } }),
      [['unexpected', 'app: sum of ascending sequences', 'a sequence went back']],
    ],
    [
      'large sums',
      app({ sequences: { count: 2, summed: 2, sum: '9223372036854775807000', compared: 2, behind: [] } }),
      app({ sequences: { count: 2, summed: 2, sum: '9223372036854775807001', compared: 2, behind: [] } }),
      [['expected', 'app: sum of ascending sequences', 'applications went on writing']],
    ],
    [
      'behind',
      {},
      app({ sequences: { count: 2, summed: 2, sum: '10', compared: 2, behind: ['s'] } }),
      [['unexpected', 'app: sequences behind their column', 's: the next number is taken already']],
    ],
    [
      'behind before, too',
      app({ sequences: { count: 2, summed: 2, sum: '10', compared: 2, behind: ['s'] } }),
      app({ sequences: { count: 2, summed: 2, sum: '10', compared: 2, behind: ['s'] } }),
      [],
    ],
    [
      'behind, not looked at before',
      app({ sequences: { count: 2, summed: 2, sum: '10', compared: 1, behind: [] } }),
      app({ sequences: { count: 2, summed: 2, sum: '10', compared: 2, behind: ['s'] } }),
      [['alert', 'app: sequences behind their column', 's: the next number is taken already']],
    ],
    [
      'rows',
      {},
      app({
        tables: { count: 12, bytes: 1, rows: 1, largest: [{ name: 'public.t', bytes: 900, rows: 4999 }] },
      }),
      [['alert', 'app: rows of public.t', 'nearly all rows are gone, by estimate: count them']],
    ],
    [
      'some rows',
      {},
      app({
        tables: { count: 12, bytes: 1, rows: 1, largest: [{ name: 'public.t', bytes: 900, rows: 5000 }] },
      }),
      [],
    ],
    [
      'rollbacks of a few',
      {},
      app({
        activity: { commits: 5400, rollbacks: 600, blocksHit: 1, blocksRead: 1, deadlocks: 0, since: null },
      }),
      [],
    ],
    [
      'many rollbacks',
      {},
      app({
        activity: { commits: 5400, rollbacks: 1900, blocksHit: 1, blocksRead: 1, deadlocks: 0, since: null },
      }),
      [['alert', 'app: transactions rolled back', 'most transactions fail since the upgrade']],
    ],
    [
      'a database less',
      { databases: [database(), database({}, 'b')] },
      {},
      [['unexpected', 'database b', 'gone']],
    ],
    [
      'a database more',
      {},
      { databases: [database(), database({}, 'b')] },
      [['unexpected', 'database b', 'new']],
    ],
  ])('%s', (_, before, after, expected) => expect(found(before, after)).toEqual(expected));

  it('expects what the route changes on purpose, and only that', () =>
    expect(found({}, server({ 'system identifier': '8', timeline: '2' }), ['system identifier'])).toEqual([
      ['expected', 'system identifier', 'this upgrade changes it'],
      ['unexpected', 'timeline', null],
    ]));

  it('never takes a gap for equal', () => {
    const missing = [{ what: 'settings', why: 'too slow', state: '57014' }];
    for (const [before, after] of [
      [{ settings: null, missing }, {}],
      [{}, { settings: null, missing }],
      [
        { settings: null, missing },
        { settings: null, missing },
      ],
    ] as const)
      expect(diff({ ...before }, { ...after }).find(({ name }) => name === 'settings')).toMatchObject({
        verdict: 'not-compared',
        why: expect.stringContaining('too slow'),
      });
    const nothing = {
      settings: null,
      connections: null,
      replication: null,
      slots: null,
      archiver: null,
      statements: null,
      log: null,
      server: {},
      databases: [emptyDatabase('app')],
    };
    const all = diff(nothing, nothing);
    expect(all.filter(({ verdict }) => verdict === 'equal')).toEqual([]);
    expect(all.filter(({ why }) => why === null)).toEqual([]);
  });

  it('takes a server that breaks at what it could read before for damage', () => {
    const missing = [{ what: 'app: objects', why: 'missing chunk', state: 'XX001' }];
    expect(found({}, { ...app({ objects: null }), missing })).toEqual([
      ['unexpected', 'app: objects', 'not measured after: missing chunk'],
    ]);
    const unreachable = [{ what: 'database app', why: 'refused', state: null }];
    expect(found({}, { databases: [emptyDatabase('app')], missing: unreachable })).toEqual([
      ['unexpected', 'database app', 'refused'],
    ]);
  });

  it.each([
    [
      'slower',
      statement(60, 600),
      statement(120, 600 + 60 * 21),
      [['alert', 'app: SELECT k', '2.1 times as slow, in 60 calls']],
    ],
    ['not by the factor', statement(60, 600), statement(120, 600 + 60 * 20), []],
    ['below the milliseconds', statement(60, 60), statement(120, 60 + 60 * 19), []],
    [
      'after a reset',
      statement(600, 6000),
      statement(60, 60 * 30),
      [['alert', 'app: SELECT k', '3.0 times as slow, in 60 calls']],
    ],
    ['too few since', statement(60, 600), statement(109, 60_000), []],
    ['too few before', statement(49, 490), statement(200, 60_000), []],
  ])('statements: %s', (_, before, after, expected) => {
    expect(found({ statements: [before] }, { statements: [after] })).toEqual(expected);
  });

  it('tells of statements with too few calls in one item', () => {
    const many = Array.from({ length: 50 }, (_, i) => statement(1, 1, `k${i}`));
    expect(
      diff({ statements: many }, { statements: many }).filter(({ group }) => group === 'statements'),
    ).toMatchObject([{ verdict: 'not-compared', name: 'statements with too few calls', after: '50 of 50' }]);
  });

  it.each<[string, ReturnType<typeof line>[], ReturnType<typeof line>[], object, unknown[]]>([
    ['a new error', [], [line('x')], {}, [['alert', 'ERROR: x']]],
    ['a known error', [line('x', { last: '2026-11-20 11:30:00' })], [line('x')], {}, []],
    ['an old error', [], [line('x', { last: '2026-11-20 11:59:00' })], {}, []],
    [
      'an error of an old file',
      [],
      [line('x', { last: '2026-11-20 11:59:00' })],
      { source: 'other' },
      [['alert', 'ERROR: x']],
    ],
    ['a warning', [], [line('x', { severity: 'WARNING' })], {}, []],
    ['a panic', [], [line('x', { severity: 'PANIC' })], {}, [['unexpected', 'PANIC: x']]],
    [
      'a panic of before, again',
      [line('x', { severity: 'PANIC', last: 'a' })],
      [line('x', { severity: 'PANIC', count: 2 })],
      {},
      [['unexpected', 'PANIC: x']],
    ],
    [
      'a panic of before',
      [line('x', { severity: 'PANIC', last: '2026-11-20 11:00:00' })],
      [line('x', { severity: 'PANIC', last: '2026-11-20 11:00:00' })],
      {},
      [],
    ],
    [
      'damage',
      [],
      [line('invalid page in block N of relation base/N/N')],
      {},
      [['unexpected', 'ERROR: invalid page in block N of relation base/N/N']],
    ],
    [
      'known damage',
      [line('missing chunk number N', { last: 'a' })],
      [line('missing chunk number N')],
      {},
      [['alert', 'ERROR: missing chunk number N']],
    ],
    [
      'a restart',
      [],
      [
        line('terminating connection due to administrator command', { severity: 'FATAL' }),
        line('the database system is starting up', { severity: 'FATAL' }),
      ],
      {},
      [['expected', 'messages of the restart']],
    ],
    [
      'many',
      [],
      Array.from({ length: 9 }, (_, i) => line(`x${i}`)),
      {},
      [...Array.from({ length: 5 }, (_, i) => ['alert', `ERROR: x${i}`]), ['alert', 'other new errors']],
    ],
  ])('log: %s', (_, before, after, more, expected) => {
    const items = found({ log: log(before, { to: '2026-11-20 12:00:00' }) }, { log: log(after, more) });
    expect(items.map((item) => (item as unknown[]).slice(0, 2))).toEqual(expected);
  });

  it('counts lines, and tells a rate only where an hour or more was read', () => {
    const told = (classes: ReturnType<typeof line>[], more = {}) =>
      diff({ log: log([], { to: null }) }, { log: log(classes, more) }).filter(
        ({ group }) => group === 'log',
      );
    expect(told([line('x', { count: 2 })], { to: '2026-11-20 11:00:07' })[0]).toMatchObject({
      before: '0 lines',
      after: '2 lines',
      why: 'read were the last 100 B of log',
    });
    expect(told([line('x', { count: 3 })])[0]).toMatchObject({ after: '3 lines, 1.5 per hour' });
    expect(told([line('x'), line('y', { count: 1002 })]).map(({ after }) => after)).toEqual([
      '1,003 lines, 501.5 per hour',
      'once',
      '1,002 times',
    ]);
  });

  it('stays readable: many schemas, many databases, and nothing loses its verdict', () => {
    const objects = Array.from({ length: 400 }, (_, i) => ({ schema: `s${i}`, kind: 'tables', count: 1 }));
    expect(diff(app({ objects }), app({ objects })).length).toBeLessThan(60);
    const changed = objects.map((row) => ({ ...row, count: 2 }));
    const all = diff(app({ objects }), app({ objects: changed }));
    expect(all.length).toBeLessThanOrEqual(300);
    expect(unexpectedOf(all).at(-1)).toMatchObject({ name: expect.stringMatching(/more of objects$/) });
    const databases = Array.from({ length: 400 }, (_, i) => database({}, `d${i}`));
    const broken = databases.map((each, i) =>
      i === 399 ? { ...each, grants: { objects: 2, hash: 'x' } } : each,
    );
    const many = diff({ databases }, { databases: broken });
    expect(many.length).toBeLessThanOrEqual(300);
    expect(unexpectedOf(many)).toMatchObject([{ name: 'd399: grants' }]);
  });

  it('does not count NOT NULL across majors', () => {
    const objects = [{ schema: 'public', kind: 'not-null constraints', count: 3 }];
    const items = diff(
      { ...app({ objects: [] }), versionNum: 170010 },
      { ...app({ objects }), versionNum: 180004 },
    );
    expect(unexpectedOf(items).map(({ name }) => name)).toEqual(['server version number']);
  });

  it('names standbys in order', () => {
    expect(standbysOf(snapshot({ replication: null }))).toBe('none');
    const follow = (name: string) => ({ name, state: 'streaming', sync: '', lagBytes: null });
    expect(standbysOf(snapshot({ replication: [follow('b'), follow('a')] }))).toBe('a, b');
  });
});
