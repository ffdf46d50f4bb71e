/** Health snapshots, their differences, and results of the user's own SQL. */
import type { FactRecord, QueryRecord } from '../../src/report/record.ts';
import type { DatabaseSnapshot, Snapshot } from '../../src/report/snapshot.ts';

function database(name: string, bytes: number): DatabaseSnapshot {
  return {
    name,
    bytes,
    objects: [
      { schema: 'public', kind: 'table', count: 42 },
      { schema: 'public', kind: 'index', count: 96 },
    ],
    grants: { objects: 12, hash: '9e107d9d372bb6826bd81d3542a419d6' },
    extensions: [
      { name: 'plpgsql', version: '1.0' },
      { name: 'pg_stat_statements', version: '1.10' },
    ],
    invalid: { indexes: 1, constraints: 0 },
    sequences: { count: 18, summed: 17, sum: '1842231', compared: 17, behind: ['public.orders_id_seq'] },
    tables: {
      count: 42,
      bytes: bytes * 0.9,
      rows: 1_234_567,
      largest: [
        { name: 'public.events', bytes: bytes * 0.6, rows: 1_000_000 },
        { name: 'public.orders', bytes: bytes * 0.2, rows: -1 },
      ],
    },
    activity: {
      commits: 9_812_331,
      rollbacks: 1_204,
      blocksHit: 992_000,
      blocksRead: 8_000,
      deadlocks: 2,
      since: '2026-10-01T00:00:00Z',
    },
  };
}

/** Every part of a snapshot. */
export const snapshot: Snapshot = {
  at: '2026-11-20T18:01:33.000Z',
  durationMs: 812,
  versionNum: 150001,
  server: { 'system identifier': '7445678901234567890', 'data checksums': 'on' },
  settings: { shared_buffers: '4 GiB', archive_command: 'text with md5 9e107d9d372bb6826bd81d3542a419d6' },
  databases: [database('orders', 2_254_857_830), database('billing', 412_316_860)],
  connections: [
    { state: 'active', count: 4 },
    { state: 'idle', count: 31 },
    { state: 'idle in transaction', count: 1 },
  ],
  replication: [{ name: 'standby1', state: 'streaming', sync: 'async', lagBytes: 16_384 }],
  slots: [
    {
      name: 'cdc_orders',
      type: 'logical',
      plugin: 'wal2json',
      active: false,
      walStatus: 'reserved',
      retainedBytes: 734_003_200,
    },
  ],
  archiver: { mode: 'on', archived: 4_811, failed: 3, failing: false },
  statements: [
    {
      key: 'a',
      database: 'orders',
      text: 'SELECT * FROM orders WHERE customer = $1 ORDER BY created_at DESC LIMIT $2',
      calls: 812_331,
      totalMs: 1_203_112,
      rows: 4_123_123,
    },
    {
      key: 'b',
      database: 'orders',
      text: 'COPY events FROM STDIN',
      calls: 12,
      totalMs: 61_000,
      rows: 912_000,
    },
  ],
  log: {
    source: '/var/log/postgresql/postgresql-15-main.log',
    bytes: 1_048_576,
    from: '2026-11-20 04:11:02 UTC',
    to: '2026-11-20 18:01:30 UTC',
    classes: [
      {
        severity: 'ERROR',
        state: '23505',
        message: 'duplicate key value',
        count: 41,
        last: '2026-11-20 17:59:11 UTC',
      },
      {
        severity: 'WARNING',
        state: null,
        message: 'there is no transaction in progress',
        count: 3,
        last: null,
      },
    ],
  },
  missing: [{ what: 'I/O by backend type', why: 'only from 16 on', state: null }],
};

/** The same with parts that nobody could measure. */
export const poorSnapshot: Snapshot = {
  ...snapshot,
  databases: [
    database('orders', 2_254_857_830),
    {
      name: 'closed',
      bytes: null,
      objects: null,
      grants: null,
      extensions: null,
      invalid: null,
      sequences: null,
      tables: null,
      activity: null,
    },
  ],
  settings: null,
  connections: null,
  replication: null,
  slots: null,
  archiver: null,
  statements: null,
  log: null,
  missing: [{ what: 'database closed', why: 'no right to connect', state: '42501' }],
};

function fact(part: Partial<FactRecord> & Pick<FactRecord, 'group' | 'name' | 'verdict'>): FactRecord {
  return { before: null, after: null, why: null, rule: 'must be equal', measure: null, ...part };
}

/** A fact of every verdict, some with measures. */
export const diff: FactRecord[] = [
  fact({ group: 'settings', name: 'shared_buffers', before: '4 GiB', after: '4 GiB', verdict: 'equal' }),
  fact({ group: 'settings', name: 'work_mem', before: '64 MiB', after: '64 MiB', verdict: 'equal' }),
  fact({
    group: 'server',
    name: 'server version',
    before: '15.1',
    after: '15.20',
    verdict: 'expected',
    why: 'the upgrade',
    rule: 'is the wanted one afterwards',
  }),
  fact({
    group: 'objects',
    name: 'orders: size',
    before: '2254857830',
    after: '2261000000',
    verdict: 'expected',
    why: 'applications went on writing',
    rule: 'may grow',
    measure: { before: 2_254_857_830, after: 2_261_000_000, unit: 'bytes' },
  }),
  fact({
    group: 'objects',
    name: 'rows of public.events',
    before: '1000000',
    verdict: 'not-compared',
    why: 'clients write to it',
  }),
  fact({
    group: 'statements',
    name: 'SELECT * FROM orders WHERE customer = $1',
    before: '1.48 ms',
    after: '4.12 ms',
    verdict: 'alert',
    why: 'mean time is 2.8 times as long',
    rule: 'mean time at most twice as long',
    measure: { before: 1.48, after: 4.12, unit: 'ms' },
  }),
  fact({
    group: 'activity',
    name: 'cache hit ratio',
    before: '0.992',
    after: '0.911',
    verdict: 'alert',
    why: 'the cache is cold after the restart',
    rule: 'at most 5 points less',
    measure: { before: 0.992, after: 0.911, unit: 'share' },
  }),
  fact({
    group: 'objects',
    name: 'orders: triggers',
    before: '12',
    after: '11',
    verdict: 'unexpected',
    why: 'a trigger is gone',
    measure: { before: 12, after: 11, unit: 'count' },
  }),
];

function query(part: Partial<QueryRecord> & Pick<QueryRecord, 'line' | 'sql'>): QueryRecord {
  return {
    file: 'health/orders.sql',
    when: 'before',
    database: 'orders',
    columns: [],
    rows: [],
    total: 0,
    durationMs: 12,
    status: 'passed',
    why: null,
    ...part,
  };
}

/** One statement that passed, one that is blocked with rows that are cut, one that failed. */
export const queries: QueryRecord[] = [
  query({
    line: 3,
    sql: 'SELECT count(*) AS open FROM orders WHERE state = 1;',
    columns: ['open'],
    rows: [['4112']],
    total: 1,
  }),
  query({
    line: 21,
    sql: 'SELECT count(*) FROM no_such_table;',
    status: 'error',
    why: 'relation "no_such_table" does not exist',
  }),
  query({
    line: 9,
    sql: '-- health: must-be-empty\nSELECT id, customer, paid, note FROM orders\nWHERE paid AND customer IS NULL;',
    columns: ['id', 'customer', 'paid', 'note'],
    rows: [
      ['17', null, 't', 'moved from the old shop'],
      ['18', null, 't', ''],
    ],
    total: 1204,
    status: 'blocked',
    why: '1,204 rows where there must be none',
  }),
];

/** What the first statement returned after the upgrade. */
export const queriesAfter: QueryRecord[] = [
  { ...(queries[0] as QueryRecord) },
  { ...(queries[0] as QueryRecord), when: 'after' },
  query({ line: 30, sql: 'SELECT max(id) FROM orders;', columns: ['max'], rows: [['100']], total: 1 }),
  query({
    line: 30,
    sql: 'SELECT max(id) FROM orders;',
    columns: ['max'],
    rows: [['107']],
    total: 1,
    when: 'after',
  }),
];
