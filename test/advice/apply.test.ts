/** advice: apply on a real upgrade from 15.1 to Debian's newest, and every way back from it. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Patient, patient, plant, sick } from './support.ts';

let shop: Patient;
beforeEach(async () => {
  shop = await patient();
  await plant(shop, [...sick.foreignKey, ...sick.brin, ...sick.slot]);
});
afterEach(() => shop?.[Symbol.asyncDispose]());

const decoded = async (): Promise<unknown> => {
  await shop.sql('INSERT INTO reading VALUES (now())');
  const [row] = await shop.sql(
    "SELECT count(*)::int > 0 AS some FROM pg_logical_slot_get_changes('cdc', NULL, NULL)",
  );
  return row?.some;
};
const plugins = () => shop.sql("SELECT current_setting('output_plugin_libraries', true) AS value");
const automatic = () => readFile(join(shop.server.data, 'postgresql.auto.conf'), 'utf8');

async function upgraded(advice: 'apply' | 'report'): Promise<void> {
  await shop.ask(`    advice: ${advice}`);
  await using result = await shop.run('upgrade');
  expect([result.exitCode, (await shop.record()).verdict]).toEqual([
    0,
    expect.stringContaining('was upgraded'),
  ]);
  expect(await shop.version()).toBe(shop.wanted.version);
}

test('apply: what is safe is done, the rest is named, and a rollback takes the setting back first', async () => {
  const [index] = await shop.sql("SELECT pg_relation_filenode('reading_at')::int AS node");
  await upgraded('apply');

  const record = await shop.record();
  expect(record.advice.filter(({ by }) => by === 'action').map(({ id, state }) => [id, state])).toEqual([
    ['brin-null-handling', 'done'],
    ['cve-2024-4317-stats-views', 'done'],
    ['output-plugin-allowlist', 'done'],
  ]);
  expect(record.advice.find(({ id }) => id === 'detached-partition-fk')).toMatchObject({
    state: 'applies',
    by: 'person',
  });
  expect(await plugins()).toEqual([{ value: 'pgoutput, test_decoding, wal2json' }]);
  expect(await decoded()).toBe(true);
  expect(await shop.sql("SELECT pg_relation_filenode('reading_at')::int AS node")).not.toEqual([index]);
  for (const database of ['postgres', 'template1', 'shop'])
    expect(
      await shop.sql(
        "SELECT pg_get_viewdef('pg_catalog.pg_stats_ext'::regclass) LIKE '%relowner%' AS mended",
        database,
      ),
    ).toEqual([{ mended: true }]);
  // template0 was opened for its script, and closed again.
  expect(await shop.sql("SELECT datallowconn FROM pg_database WHERE datname = 'template0'")).toEqual([
    { datallowconn: false },
  ]);
  expect(record.switchedOff.every(({ putBackAt }) => putBackAt !== null)).toBe(true);

  await using back = await shop.run('rollback');
  expect([back.exitCode, await shop.version()]).toEqual([0, '15.1']);
  expect(await automatic()).not.toContain('output_plugin');
  expect(await decoded()).toBe(true);
  const steps = (await shop.record()).steps.map(({ id }) => id);
  expect(steps.indexOf('undo-configure')).toBeLessThan(steps.indexOf('undo-restart'));
});

test('report: nothing is done and everything is told; a setting written by hand is taken back by a rollback', async () => {
  await upgraded('report');
  const record = await shop.record();
  expect(record.advice.filter(({ state }) => state === 'applies').map(({ id, by }) => [id, by])).toEqual([
    ['brin-null-handling', 'person'],
    ['cve-2024-4317-stats-views', 'person'],
    ['detached-partition-fk', 'person'],
    ['output-plugin-allowlist', 'person'],
  ]);
  await expect(decoded()).rejects.toThrow('library "wal2json" may not be used as an output plugin');

  // The statement of the report, word for word.
  const fix = record.advice.find(({ id }) => id === 'output-plugin-allowlist')?.objects[0]?.sql ?? '';
  for (const statement of fix.split(';').filter((each) => each.trim() !== '')) await shop.sql(statement);
  await expect.poll(plugins).toEqual([{ value: 'pgoutput, test_decoding, wal2json' }]);
  expect(await decoded()).toBe(true);

  await using back = await shop.run('rollback');
  expect([back.exitCode, await shop.version()]).toEqual([0, '15.1']);
  expect(await automatic()).not.toContain('output_plugin');
});

test('a setting that somebody wrote into postgresql.conf: the rollback says where, and stops nothing', async () => {
  await upgraded('report');
  const file = join(shop.server.data, 'postgresql.conf');
  const text = await readFile(file, 'utf8');
  await appendFile(file, "output_plugin_libraries = 'pgoutput, wal2json'\n");
  const [started] = await shop.sql('SELECT pg_postmaster_start_time()::text AS at');

  await using refused = await shop.run('rollback');
  expect(refused.exitCode).toBe(1);
  expect((await shop.record()).issues[0]).toMatchObject({
    code: 'rollback-setting',
    what: expect.stringMatching(/^output_plugin_libraries stands in .*postgresql\.conf, line \d+/),
  });
  expect(await shop.version()).toBe(shop.wanted.version);
  expect(await shop.sql('SELECT pg_postmaster_start_time()::text AS at')).toEqual([started]);

  await writeFile(file, text);
  await using back = await shop.run('rollback');
  expect([back.exitCode, await shop.version()]).toEqual([0, '15.1']);
});

test('a validation that fails after the setting was written goes back without it', async () => {
  await shop.ask('    advice: apply\n    health: [ops/after.sql]');
  await mkdir(join(shop.workspace, 'ops'));
  await writeFile(
    join(shop.workspace, 'ops/after.sql'),
    "SELECT CASE WHEN current_setting('server_version_num')::int > 150001 THEN 'critical' ELSE 'ok' END AS status;\n",
  );
  await using result = await shop.run('upgrade');
  expect([result.exitCode, (await shop.record()).result]).toEqual([1, 'rolled-back']);
  expect(await shop.version()).toBe('15.1');
  expect(await automatic()).not.toContain('output_plugin');
  expect(await decoded()).toBe(true);
});
