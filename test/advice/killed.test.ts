/** Runs with `advice: apply` that are killed, cancelled or hit: every way back leads back, and nothing is forgotten. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverPid } from '../../src/postgres/server.ts';
import { runPost } from '../support/runner.ts';
import { until } from '../support/targets.ts';
import { type Patient, patient, plant, sick } from './support.ts';

let shop: Patient;
const own = (): string => join(shop.workspace, 'ops/after.sql');

/** A validation that sleeps until it is told otherwise: the place where a run is killed. */
const sleepy =
  "SELECT CASE WHEN current_setting('server_version_num')::int > 150001 THEN pg_sleep(40)::text END AS slept";

beforeEach(async () => {
  shop = await patient();
  await mkdir(join(shop.workspace, 'ops'));
  await shop.ask(
    '    advice: apply\n    backup: { prove: checksum }\n    health: [{ file: ops/after.sql, timeout: 60 }]',
  );
  await writeFile(own(), sleepy);
});
afterEach(() => shop?.[Symbol.asyncDispose]());

const result = async () => (await shop.record()).result;
const invalid = () =>
  shop.sql('SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid');
const setting = () =>
  shop.sql("SELECT count(*)::int AS n FROM pg_file_settings WHERE name = 'output_plugin_libraries'");
const active = (pattern: string) =>
  shop.sql(
    `SELECT pid FROM pg_stat_activity WHERE query LIKE '${pattern}' AND wait_event_type IS NOT NULL AND state = 'active' AND pid <> pg_backend_pid()`,
  );

async function killedInValidation(): Promise<void> {
  const action = shop.start('upgrade');
  await until(
    () => shop.sql("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").catch(() => []),
    (list) => list.length === 1,
    90,
  );
  action.kill9();
  await action.done;
  await shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
}

test('the way back of an unfinished upgrade is killed with the server stopped: rollback goes on', async () => {
  await plant(shop, sick.slot);
  await killedInValidation();
  await writeFile(own(), 'SELECT 1');
  const back = shop.start('rollback');
  await back.line(/Undo: Restart/);
  await until(
    async () => existsSync(join(shop.server.data, 'postmaster.pid')),
    (there) => !there,
  );
  back.kill9();
  await back.done;
  await using again = await shop.run('rollback');
  expect([again.exitCode, await result(), await shop.version()]).toEqual([0, 'rolled-back', '15.1']);
  expect(await setting()).toEqual([{ n: 0 }]);
  // It is finished: nothing is left to go back from, and an upgrade may begin anew.
  await using nothing = await shop.run('rollback');
  expect([nothing.exitCode, (await shop.record()).issues[0]?.code]).toEqual([1, 'nothing-to-roll-back']);
});

test('a resumed run that finds the new version bad takes back the setting that an earlier process wrote', async () => {
  await plant(shop, sick.slot);
  await killedInValidation();
  await writeFile(
    own(),
    "SELECT 'critical' AS status WHERE current_setting('server_version_num')::int > 150001",
  );
  await using resumed = await shop.run('resume');
  expect([resumed.exitCode, await result(), await shop.version()]).toEqual([1, 'rolled-back', '15.1']);
  expect(await setting()).toEqual([{ n: 0 }]);
});

test('the new server crashes during the validation: it is started again, stopped cleanly, and left', async () => {
  await plant(shop, sick.slot);
  const action = shop.start('upgrade');
  await until(
    () => shop.sql("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").catch(() => []),
    (list) => list.length === 1,
    90,
  );
  const pid = await serverPid(shop.server.data);
  process.kill(pid ?? 0, 'SIGKILL');
  const done = await action.done;
  expect([done.exitCode, (await shop.record()).verdict, await result(), await shop.version()]).toEqual([
    1,
    expect.anything(),
    'rolled-back',
    '15.1',
  ]);
  expect(await setting()).toEqual([{ n: 0 }]);
});

test.each(['cancel', 'kill'] as const)(
  'a %s while an index is rebuilt: the upgrade stays, the half-built copy goes, resume finishes',
  async (how) => {
    await plant(shop, sick.brin);
    await writeFile(own(), 'SELECT 1');
    const action = shop.start('upgrade');
    await action.line(/Validate/);
    await until(
      () => shop.version().catch(() => ''),
      (version) => version === shop.wanted.version,
      90,
    );
    await using older = await shop.server.connect('shop');
    await older.script('BEGIN; INSERT INTO reading VALUES (now())');
    await until(
      () => active('REINDEX INDEX CONC%'),
      (list) => list.length > 0,
      60,
    );
    if (how === 'cancel') action.cancel();
    else action.kill9();
    const stopped = await action.done;
    await older.script('COMMIT');
    await using post = await runPost(stopped);
    expect(post.log).not.toContain('rolled-back');
    expect(await invalid()).toEqual([]);
    await shop.sql('CREATE TABLE made_by_an_application ()');
    await using resumed = await shop.run('resume');
    expect([resumed.exitCode, await result(), await shop.version()]).toEqual([
      0,
      'success',
      shop.wanted.version,
    ]);
    expect(await invalid()).toEqual([]);
    expect((await shop.record()).advice.find(({ id }) => id === 'brin-null-handling')?.state).toBe('done');
  },
);

test('applications that take every connection keep advice from being carried out, and nothing else', async () => {
  await plant(shop, sick.brin);
  await writeFile(own(), 'SELECT 1');
  const greedy = join(shop.workspace, 'greedy.mjs');
  await writeFile(
    greedy,
    `import { spawn } from 'node:child_process';
     import { createRequire } from 'node:module';
     const pg = createRequire('${join(import.meta.dirname, '../../package.json')}')('pg');
     if (process.argv[2] === 'start') { spawn(process.execPath, [process.argv[1], 'run'], { detached: true, stdio: 'ignore' }).unref(); await new Promise((r) => setTimeout(r, 2000)); }
     else if (process.argv[2] === 'run') { setTimeout(() => process.exit(), 25000); for (let i = 0; i < 60; i += 1) { const c = new pg.Client('${shop.server.url}'); c.on('error', () => {}); await c.connect().catch(() => {}); } }\n`,
  );
  const call = (verb: string): string => JSON.stringify([process.execPath, greedy, verb]);
  await shop.ask(
    `    advice: apply\n    backup: { prove: checksum }\n    applications:\n      - { name: greedy, stop: ${call('stop')}, start: ${call('start')} }`,
  );
  await using done = await shop.run('upgrade');
  const record = await shop.record();
  expect(record.issues.map(({ code }) => code)).toContain('advice-failed');
  expect(record.steps.map(({ id }) => id)).not.toContain('undo-restart');
  expect(done.log).not.toContain('rolled back');
});
