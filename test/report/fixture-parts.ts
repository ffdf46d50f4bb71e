/** The longer parts of the fixture's records. */
import type { UpgradeRecord } from '../../src/report/record.ts';

type Check = UpgradeRecord['checks'][number];

/** Time on the day of the upgrade: `at('18:02:11.360')`. */
export function at(clock: string): string {
  return `2026-11-20T${clock}Z`;
}

/** A check that passed. */
export function passedCheck(id: string, title: string): Check {
  return { id, title, when: 'before', status: 'passed', seen: [], fix: null, docs: `checks.md#${id}` };
}

/** A check that warns. */
export const warning: Check = {
  id: 'long-transactions',
  title: 'No transaction has been open for long',
  when: 'before',
  status: 'warning',
  seen: ['pid 4711, role reporting, open for 1 min 31 s'],
  fix: 'End it, or wait for it.',
  docs: 'checks.md#long-transactions',
};

/** A backup that was restored and compared. */
export const backup: UpgradeRecord['backup'] = {
  location: '/var/backups/postgres-upgrade/orders-20261120T180140Z',
  host: 'db1',
  databases: [
    { name: 'orders', bytes: 734_003_200, sourceBytes: 2_254_857_830, durationMs: 14_200 },
    { name: 'postgres', bytes: 9_216, sourceBytes: 7_602_176, durationMs: 310 },
  ],
  bytes: 734_012_416,
  files: 47,
  manifestSha256: '4f2d9c1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d',
  clients: '/usr/lib/postgresql/15/bin/pg_dump (PostgreSQL) 15.18',
  started: at('18:01:40.000'),
  finished: at('18:01:54.600'),
  keepDays: 14,
  proof: {
    method: 'restore',
    verdict: 'proved',
    restoredInto: '15.18',
    databases: 2,
    tables: 42,
    rows: 1_234_567,
    sequences: 18,
    largeObjects: 3,
    objects: 611,
    notCompared: [
      'orders.public.audit_log: 120 GiB is over the limit, counted only',
      'unlogged table orders.public.cache',
    ],
    differences: [],
    durationMs: 12_900,
  },
};

/** A restart with new packages. */
export const plan: UpgradeRecord['plan'] = {
  digest: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
  route: 'minor-in-place',
  from: '15.17',
  wanted: '15.18',
  steps: [
    {
      id: 'install',
      title: 'Install the packages of 15.18',
      does: ['apt-get install --only-upgrade postgresql-15=15.18-1.pgdg12+1'],
      undo: 'Installs 15.17-1.pgdg12+1 again',
      breaks: null,
      risks: ['The packages may not be there: then nothing was changed.'],
      interruptible: false,
    },
    {
      id: 'restart',
      title: 'Restart the server',
      does: ['CHECKPOINT', 'pg_ctlcluster 15 main restart -m fast'],
      undo: null,
      breaks: 'Connections are closed; new ones wait for about a second',
      risks: [
        'The new server may refuse to start: then 15.17 is started again.',
        'Queries are slower until caches are warm.',
      ],
      interruptible: false,
    },
  ],
  notes: ['Indexes of type brin may need REINDEX after 15.18: 0 found.'],
  decision: { from: '"15.17"', wanted: '"15.18"' },
  risk: {
    class: 'known-bad',
    reasons: [
      'PostgreSQL 15.18, which is wanted, is known for this: a standby can hang.',
      '15.17 → 15.18 is a minor version, the next release.',
    ],
  },
  downtime: { expectedMs: 360, basis: 'measured by the rehearsal of 2026-11-19 18:00:00 UTC' },
};
