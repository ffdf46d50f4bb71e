import { expect, it } from 'vitest';
import { completenessOf } from '../../src/report/completeness.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { planRecord, refusedRecord, rolledBackRecord, successRecord } from './fixture.ts';
import { upgradedRecord } from './fixture-check.ts';
import { at } from './fixture-parts.ts';

const listed = (record: UpgradeRecord): string =>
  completenessOf(record)
    .map(({ item, status, detail }) => `${item}: ${status}. ${detail}`)
    .join('\n');

const statusOf = (record: UpgradeRecord, item: string): string | undefined =>
  completenessOf(record).find((entry) => entry.item === item)?.status;

it('finds everything in a full record', () => {
  expect(listed(successRecord())).toMatchInlineSnapshot(`
    "Date and time: recorded. 2026-11-20 18:01:30 UTC to 2026-11-20 18:02:31 UTC.
    Versions before and after: recorded. 15.17 → 15.18.
    Duration of downtime: recorded. 0.36 s (3 of 1,210 attempts failed, one every 20 ms).
    Issues encountered and resolutions: recorded. None.
    Performance impact assessment: recorded. Median latency is 2 % higher than before, within the noise of 5 %.
    Backup location and verification: recorded. /var/backups/postgres-upgrade/orders-20261120T180140Z on db1: proved by a restore into 15.18, 42 tables and 1,234,567 rows compared, 2 things not compared.
    Teams notified and when: recorded. platform-team; first at 2026-11-20 18:01:31 UTC.
    Status updates provided: recorded. 1 update while it ran.
    Issues communicated: not applicable. No issue is in the record.
    Success confirmation sent: recorded. To platform-team at 2026-11-20 18:02:30 UTC."
  `);
});

it('says what a record of a rollback does not hold', () => {
  expect(listed(rolledBackRecord())).toMatchInlineSnapshot(`
    "Date and time: recorded. 2026-11-20 18:01:30 UTC to 2026-11-20 18:02:31 UTC.
    Versions before and after: recorded. 15.17, wanted 15.18.
    Duration of downtime: recorded. 8.42 s (420 of 1,210 attempts failed, one every 20 ms).
    Issues encountered and resolutions: recorded. 1 issue, each with its resolution.
    Performance impact assessment: not recorded. Nothing was measured before and after.
    Backup location and verification: recorded. /var/backups/postgres-upgrade/orders-20261120T180140Z on db1: proved by a restore into 15.18, 42 tables and 1,234,567 rows compared, 2 things not compared.
    Teams notified and when: recorded. platform-team; first at 2026-11-20 18:01:31 UTC. 1 message could not be delivered.
    Status updates provided: not recorded. No message between the first one and the end of the last step.
    Issues communicated: not recorded. No delivered message names server-did-not-start.
    Success confirmation sent: not applicable. There is no changed database to confirm."
  `);
});

it('asks nothing of a run that changed nothing', () => {
  for (const record of [planRecord(), refusedRecord()]) {
    expect(completenessOf(record).filter((item) => item.status === 'not recorded')).toEqual([]);
    expect(statusOf(record, 'Duration of downtime')).toBe('not applicable');
  }
});

it('never takes a failed delivery, an unproved backup or an open gap for recorded', () => {
  const record = successRecord();
  const undelivered = record.communication.map((message) => ({ ...message, delivered: false }));
  for (const item of ['Teams notified and when', 'Status updates provided', 'Success confirmation sent']) {
    expect(statusOf({ ...record, communication: undelivered }, item)).toBe('not recorded');
  }
  const early = record.communication.map((message) => ({ ...message, at: at('18:02:00.000') }));
  expect(statusOf({ ...record, communication: early }, 'Success confirmation sent')).toBe('not recorded');
  const { backup, downtime } = record;
  if (!backup || !downtime) throw new Error('the fixture has both');
  const unproved = { ...backup, proof: { ...backup.proof, verdict: 'not-proved' as const } };
  expect(statusOf({ ...record, backup: unproved }, 'Backup location and verification')).toBe('not recorded');
  expect(statusOf({ ...record, backup: null }, 'Backup location and verification')).toBe('not recorded');
  expect(statusOf({ ...record, downtime: { ...downtime, firstSuccess: null } }, 'Duration of downtime')).toBe(
    'not recorded',
  );
  expect(statusOf({ ...record, finished: null }, 'Date and time')).toBe('not recorded');
});

it('takes the statistics of statements for a performance assessment', () => {
  const detail = (record: UpgradeRecord): string | undefined =>
    completenessOf(record).find(({ item }) => item === 'Performance impact assessment')?.detail;
  expect(detail(upgradedRecord())).toBe(
    'Median latency is 2 % higher than before, within the noise of 5 %. 1 fact about statements compared, 1 alert.',
  );
  expect(detail({ ...upgradedRecord(), performance: null })).toBe(
    '1 fact about statements compared, 1 alert.',
  );
});
