/** Records as a run would leave them: 15.17 → 15.18 on a Debian server, and what else can happen. */
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { at, backup, passedCheck, plan, warning } from './fixture-parts.ts';

/** A minor upgrade that went well. */
export function successRecord(): UpgradeRecord {
  return recordSchema.parse({
    version: 1,
    id: '16200001-1-orders',
    action: { name: 'postgres-upgrade-action', version: '0.1.0' },
    mode: 'upgrade',
    target: {
      name: 'orders',
      environment: 'debian',
      spec: 'postgres-upgrade.yaml:4',
      systemIdentifier: '7445678901234567890',
    },
    run: {
      repository: 'example/shop',
      actor: 'octocat',
      event: 'workflow_dispatch',
      workflow: 'Upgrade PostgreSQL',
      job: 'upgrade',
      runId: '16200001',
      attempt: 1,
      ref: 'main',
      commit: '9fceb02d0ae598e95dc970b74767f19372d61af8',
      url: 'https://github.com/example/shop/actions/runs/16200001',
      runner: 'Linux X64, self-hosted',
    },
    host: 'db1',
    started: at('18:01:30.000'),
    finished: at('18:02:31.000'),
    result: 'success',
    verdict: 'orders runs PostgreSQL 15.18; clients waited 0.36 s.',
    state: 'Running 15.18 and open to clients.',
    next: null,
    changed: true,
    versions: { from: '15.17', wanted: '15.18', now: '15.18' },
    plan,
    steps: [
      step('stop-application', 'Stop storefront', '18:02:08.100', '18:02:09.300', []),
      step('install', 'Install the packages of 15.18', '18:02:09.300', '18:02:10.900', [
        'Unpacking postgresql-15 (15.18-1.pgdg12+1)',
      ]),
      step('restart', 'Restart the server', '18:02:11.020', '18:02:11.560', [
        'waiting for server to start.... done',
      ]),
      step('start-application', 'Start storefront', '18:02:11.700', '18:02:14.200', []),
    ],
    checks: [
      passedCheck('disk-space', 'Enough free space where the run writes'),
      warning,
      passedCheck('prepared-transactions', 'No prepared transaction is left behind'),
      { ...passedCheck('version', 'The server runs the wanted version'), when: 'after' },
    ],
    health: { before: null, after: null },
    queries: [],
    release: null,
    advice: [],
    facts: [
      {
        group: 'server',
        rule: 'must be equal',
        measure: null,
        name: 'server version',
        before: '15.17',
        after: '15.18',
        verdict: 'expected',
        why: 'the upgrade',
      },
      {
        group: 'server',
        rule: 'must be equal',
        measure: null,
        name: 'replication slots',
        before: '2',
        after: '2',
        verdict: 'equal',
        why: null,
      },
      {
        group: 'server',
        rule: 'must be equal',
        measure: null,
        name: 'row count of public.orders',
        before: '120411',
        after: null,
        verdict: 'not-compared',
        why: 'clients write to it',
      },
    ],
    backup,
    downtime: {
      longestGapMs: 360,
      firstFailure: at('18:02:11.140'),
      firstSuccess: at('18:02:11.480'),
      attempts: 1210,
      failures: 3,
      from: at('18:01:58.000'),
      to: at('18:02:20.000'),
      everyMs: 20,
    },
    performance: {
      before: { transactions: 600, medianMs: 0.82, p95Ms: 1.61 },
      after: { transactions: 610, medianMs: 0.84, p95Ms: 1.7 },
      assessment: 'Median latency is 2 % higher than before, within the noise of 5 %.',
    },
    extensions: [],
    watch: null,
    switchedOff: [
      {
        id: 'storefront',
        what: 'Application storefront',
        at: at('18:02:08.100'),
        putBackAt: at('18:02:14.200'),
      },
    ],
    issues: [],
    communication: [
      {
        at: at('18:01:31.000'),
        to: 'platform-team',
        what: 'Upgrade of orders to 15.18 starts',
        delivered: true,
        why: null,
      },
      {
        at: at('18:02:00.000'),
        to: 'platform-team',
        what: 'Backup proved, upgrading now',
        delivered: true,
        why: null,
      },
      {
        at: at('18:02:30.000'),
        to: 'platform-team',
        what: 'Upgrade of orders to 15.18 completed',
        delivered: true,
        why: null,
      },
    ],
    overrides: [],
    change: null,
    rehearsal: null,
    rehearsed: null,
    artifacts: [
      {
        name: 'upgrade-orders',
        id: 991,
        bytes: 48_213,
        sha256: '0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9',
        state: 'uploaded',
        why: null,
      },
    ],
  } satisfies UpgradeRecord);
}

function step(
  id: string,
  title: string,
  started: string,
  finished: string,
  output: string[],
): UpgradeRecord['steps'][number] {
  return { id, title, state: 'done', started: at(started), finished: at(finished), output };
}

/** What a run leaves that changed nothing. */
const untouched = {
  changed: false,
  versions: { from: '15.17', wanted: '15.18', now: '15.17' },
  state: 'Running 15.17, as before.',
  steps: [],
  facts: [],
  backup: null,
  downtime: null,
  performance: null,
  switchedOff: [],
} as const satisfies Partial<UpgradeRecord>;

/** A check blocked it. */
export function refusedRecord(): UpgradeRecord {
  return recordSchema.parse({
    ...successRecord(),
    ...untouched,
    result: 'refused',
    verdict: 'orders was not upgraded: 1 check blocks it.',
    next: 'Roll back or commit the prepared transaction, then run this again:\n  psql -h db1 -c "ROLLBACK PREPARED \'batch-17\'" "postgres://ops@db1/orders"',
    checks: [
      passedCheck('disk-space', 'Enough free space where the run writes'),
      warning,
      {
        ...passedCheck('prepared-transactions', 'No prepared transaction is left behind'),
        status: 'blocked',
        seen: ['batch-17 in orders, 3 days old'],
        fix: 'COMMIT PREPARED or ROLLBACK PREPARED it.',
      },
      {
        ...passedCheck('slots', 'Replication slots are usable and hold back little WAL'),
        status: 'error',
        seen: ['permission denied for view pg_replication_slots'],
        fix: 'Grant pg_monitor to the role.',
      },
    ],
    communication: [],
  } satisfies UpgradeRecord);
}

/** The restart failed, the packages were taken back, one application stayed off. */
export function rolledBackRecord(): UpgradeRecord {
  const record = successRecord();
  return recordSchema.parse({
    ...record,
    result: 'rolled-back',
    verdict: 'orders is back on PostgreSQL 15.17: the server did not start with 15.18.',
    state: 'Running 15.17 and open to clients; storefront is still stopped.',
    next: 'Start the application:\n  systemctl start storefront',
    versions: { from: '15.17', wanted: '15.18', now: '15.17' },
    steps: [
      ...record.steps.slice(0, 2),
      {
        id: 'restart',
        title: 'Restart the server',
        state: 'failed',
        started: at('18:02:11.020'),
        finished: at('18:02:13.900'),
        output: ['FATAL:  could not load library "pg_tviews.so"'],
      },
      {
        ...step('install-undo', 'Undo: install the packages of 15.17', '18:02:13.900', '18:02:19.200', []),
        state: 'undone',
      },
    ],
    facts: [
      {
        group: 'server',
        rule: 'must be equal',
        measure: null,
        name: 'extension pg_tviews',
        before: '1.4',
        after: null,
        verdict: 'unexpected',
        why: 'its library is missing',
      },
    ],
    downtime: {
      longestGapMs: 8_420,
      firstFailure: at('18:02:11.140'),
      firstSuccess: at('18:02:19.540'),
      attempts: 1210,
      failures: 420,
      from: at('18:01:58.000'),
      to: at('18:02:25.000'),
      everyMs: 20,
    },
    performance: null,
    switchedOff: [
      { id: 'storefront', what: 'Application storefront', at: at('18:02:08.100'), putBackAt: null },
    ],
    issues: [
      {
        at: at('18:02:13.900'),
        code: 'server-did-not-start',
        what: 'The server did not start within 60 s.',
        hint: 'Install pg_tviews for 15.18 first.',
        resolution: 'Rolled back to 15.17.',
      },
    ],
    communication: [
      {
        at: at('18:01:31.000'),
        to: 'platform-team',
        what: 'Upgrade of orders to 15.18 starts',
        delivered: true,
        why: null,
      },
      {
        at: at('18:02:20.000'),
        to: 'platform-team',
        what: 'server-did-not-start: rolled back to 15.17',
        delivered: false,
        why: 'HTTP 503',
      },
    ],
  } satisfies UpgradeRecord);
}

/** Nothing but a plan, made outside GitHub. */
export function planRecord(): UpgradeRecord {
  return recordSchema.parse({
    ...successRecord(),
    ...untouched,
    mode: 'plan',
    run: null,
    verdict: 'orders can go from 15.17 to 15.18 in 2 steps.',
    checks: [],
    communication: [],
    artifacts: [],
  } satisfies UpgradeRecord);
}
