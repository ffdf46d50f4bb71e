/** Mode check from 15.1 to Debian's newest: names what concerns this database, and nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { mendStatsViews, type Patient, patient, plant, sick } from './support.ts';

let shop: Patient;
beforeAll(async () => {
  shop = await patient();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

async function check(): Promise<UpgradeRecord> {
  await using result = await shop.run('check');
  const record = await shop.record();
  expect({ exitCode: result.exitCode, result: record.result, verdict: record.verdict }).toEqual({
    exitCode: 0,
    result: 'success',
    verdict: `Ready: nothing blocks the upgrade to PostgreSQL ${shop.wanted.version}. Nothing was changed.`,
  });
  return record;
}

const applying = ({ advice }: UpgradeRecord) => advice.filter(({ state }) => state === 'applies');

test('a cluster that 15.1 made: the views of CVE-2024-4317, in every database, and nothing else', async () => {
  const record = await check();
  expect(applying(record).map(({ id, certainty }) => [id, certainty])).toEqual([
    ['cve-2024-4317-stats-views', 'exact'],
  ]);
  expect([...new Set(applying(record)[0]?.objects.map(({ database }) => database))]).toEqual([
    'postgres',
    'shop',
    'template1',
    'template0',
  ]);
  expect(
    record.checks
      .filter(({ status }) => status !== 'passed')
      .map(({ id, status, seen }) => [id, status, seen]),
  ).toEqual([]);
});

test('a clean database: a short and calm report', async () => {
  await mendStatsViews(shop);
  const record = await check();
  expect(applying(record)).toEqual([]);
  const page = await readFile(join(shop.output, 'orders', 'report.html'), 'utf8');
  expect(page).toContain(
    `Nothing in the release notes from 15.1 to ${shop.wanted.version} was found to concern this database.`,
  );
  const summary = await readFile(join(shop.output, 'orders', 'summary.md'), 'utf8');
  expect(summary.split('<details>')[0]?.split('\n').length).toBeLessThan(40);
});

test('a foreign key of a detached partition, a BRIN index on a nullable column, a slot of wal2json: exactly these', async () => {
  await mendStatsViews(shop);
  await plant(shop, [...sick.foreignKey, ...sick.brin, ...sick.slot]);
  const before = await shop.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
  const record = await check();
  expect(
    applying(record).map(({ id, objects }) => [
      id,
      objects.map(({ database, name, sql }) => [database, name, sql]),
    ]),
  ).toEqual([
    ['brin-null-handling', [['shop', 'public.reading_at', 'REINDEX INDEX CONCURRENTLY public.reading_at;']]],
    [
      'detached-partition-fk',
      [
        [
          'shop',
          expect.stringContaining('child_1'),
          expect.stringMatching(
            /ALTER TABLE .*child_1.* DROP CONSTRAINT .*child_parent_id_fkey.*ADD CONSTRAINT .*child_parent_id_fkey.* FOREIGN KEY \(parent_id\) REFERENCES .*parent\(id\)/s,
          ),
        ],
      ],
    ],
    [
      'output-plugin-allowlist',
      [
        [
          null,
          'wal2json',
          expect.stringContaining(
            'ALTER SYSTEM SET output_plugin_libraries = "pgoutput", "test_decoding", "wal2json"',
          ),
        ],
      ],
    ],
  ]);
  expect(record.release).toMatchObject({ behind: 19, mustRead: [] });
  expect(record.release?.cves).toHaveLength(100);
  // Nothing was changed: no version, no setting, no index; what checks read leaves at most a hint in WAL.
  expect(await shop.version()).toBe('15.1');
  expect(
    await shop.sql("SELECT count(*)::int AS n FROM pg_file_settings WHERE name LIKE 'output_plugin%'"),
  ).toEqual([{ n: 0 }]);
  expect(before).toHaveLength(1);
});
