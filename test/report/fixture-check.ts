/** Records of what a check finds before 15.1 → 15.20, and of that upgrade. */
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { refusedRecord, rolledBackRecord, successRecord } from './fixture.ts';
import { brokenExtension } from './fixture-extensions.ts';
import { diff, queries, queriesAfter, snapshot } from './fixture-health.ts';
import { passedCheck } from './fixture-parts.ts';
import { carriedOut, release, richAdvice } from './fixture-release.ts';
import { crossed } from './fixture-watch.ts';

const versions = { from: '15.1', wanted: '15.20', now: '15.1' };

/** A check that finds something of everything. */
export function richCheckRecord(): UpgradeRecord {
  const refused = refusedRecord();
  return recordSchema.parse({
    ...refused,
    mode: 'check',
    plan: null,
    artifacts: [],
    verdict:
      '2 checks and 2 of your own statements block the upgrade to PostgreSQL 15.20. Nothing was changed.',
    state: 'Running 15.1, as before.',
    versions,
    checks: [
      ...refused.checks,
      {
        ...passedCheck('archiver', 'WAL is archived'),
        status: 'disabled',
        seen: ['Switched off in the spec.'],
      },
    ],
    health: { before: snapshot, after: null },
    release,
    advice: richAdvice,
    queries,
  } satisfies UpgradeRecord);
}

/** A check that finds nothing to do. */
export function cleanCheckRecord(): UpgradeRecord {
  const clean = structuredClone(snapshot);
  return recordSchema.parse({
    ...refusedRecord(),
    mode: 'check',
    plan: null,
    artifacts: [],
    result: 'success',
    verdict: 'Ready: nothing blocks the upgrade to PostgreSQL 15.20. Nothing was changed.',
    state: 'Running 15.1, as before.',
    next: null,
    versions,
    checks: [
      passedCheck('disk-space', 'Enough free space where the run writes'),
      passedCheck('prepared-transactions', 'No prepared transaction is left behind'),
      passedCheck('slots', 'Replication slots are usable and hold back little WAL'),
    ],
    health: { before: { ...clean, missing: [] }, after: null },
    release: { ...release, mustRead: [], cvesUnknown: [] },
    advice: richAdvice.filter(({ state }) => state === 'does-not-apply'),
    queries: [],
  } satisfies UpgradeRecord);
}

/** The upgrade, carried out, with alerts and differences that were expected. */
export function upgradedRecord(): UpgradeRecord {
  return recordSchema.parse({
    ...successRecord(),
    verdict: 'orders runs PostgreSQL 15.20; clients waited 0.36 s.',
    state: 'Running 15.20 and open to clients.',
    versions: { from: '15.1', wanted: '15.20', now: '15.20' },
    facts: diff.filter(({ verdict }) => verdict !== 'unexpected'),
    health: { before: snapshot, after: { ...snapshot, at: '2026-11-20T18:02:25.000Z', versionNum: 150020 } },
    release: { ...release, mustRead: [] },
    advice: [...carriedOut, ...richAdvice.filter(({ state }) => state !== 'applies')],
    queries: queriesAfter,
  } satisfies UpgradeRecord);
}

/** A record in which every part has something: went wrong, rolled back. */
export function fullRecord(): UpgradeRecord {
  return recordSchema.parse({
    ...rolledBackRecord(),
    versions: { from: '15.1', wanted: '15.20', now: '15.1' },
    facts: diff,
    health: { before: snapshot, after: snapshot },
    release: { ...release, cves: release.cves.slice(0, 12) },
    advice: [...richAdvice.slice(0, 8), ...carriedOut],
    queries: [...queries, ...queriesAfter],
    watch: crossed,
    extensions: [brokenExtension],
  } satisfies UpgradeRecord);
}
