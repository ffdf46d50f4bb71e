/** A whole rehearsal on real servers: what it does, what it leaves, what it finds. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSample } from '../../scripts/sample/load.ts';
import { packBackup } from '../../src/backup/encrypt.ts';
import type { Outside } from '../../src/upgrade/context.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { processesWith } from '../support/targets.ts';
import { type Rehearsed, rehearse, stagesOf } from './rehearse.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer('15.17', { settings: { log_statement: 'mod', work_mem: '5MB' } });
  await loadSample(server, { scale: 0.01, progress: () => {} });
  await sql('CREATE EXTENSION pg_trgm VERSION "1.5" SCHEMA public', 'postgres');
  await sql(`CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION no_ddl()`);
  await sql("CREATE ROLE watcher LOGIN PASSWORD 'see nothing'; GRANT pg_monitor TO watcher", 'postgres');
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function sql(text: string, database = 'shop'): Promise<void> {
  await using connection = await server.connect(database);
  await connection.script(text);
}

const passed = ['scratch', 'backup', 'restore', 'advice', 'checks', 'compare'].map((id) => `${id} passed`);

/** Nothing but the backups and what is remembered of rehearsals is left beside the target. */
async function expectNothingLeft(backups: number): Promise<void> {
  const state = `${server.data}.upgrade`;
  expect(await processesWith(`${state}/backups`)).toEqual([]);
  expect((await readdir(state)).sort()).toEqual(['backups', 'rehearsals']);
  const names = await readdir(join(state, 'backups'));
  expect(names.filter((name) => !name.startsWith('orders-'))).toEqual([]);
  expect(names).toHaveLength(backups);
}

const lineOf = ({ record }: Rehearsed, id: string): string[] =>
  record.rehearsal?.stages.find((stage) => stage.id === id)?.output ?? [];

test('passes on a copy of exactly the wanted version, changes nothing on the target, and is remembered', async () => {
  const written = (await server.log()).length;
  await using first = await rehearse(server, {
    wanted: '15.18',
    more: ['health: [ops/health.sql]', 'rehearsal: { smoke: [ops/smoke.sql] }'],
    files: {
      'ops/health.sql': 'SELECT count(*) AS orders FROM app.orders;',
      'ops/smoke.sql':
        "SELECT 1 / (current_setting('server_version_num')::int = 150018)::int AS new_version;",
    },
    context: { variables: { URL: server.url.replace(/\/[^/]*$/, '/shop') } },
  });
  const { record } = first;
  expect(record.verdict).toMatch(
    /^The upgrade of 15\.17 to 15\.18 was rehearsed on a restored copy, and it passed\. Expected downtime: \d/,
  );
  expect([record.result, record.changed, record.issues]).toEqual(['success', false, []]);
  expect(stagesOf(record)).toEqual([...passed, 'health passed', 'smoke passed', 'restart passed']);
  expect(record.rehearsal).toMatchObject({ passed: true, exact: true, ranOn: '15.18' });
  const { measures, scratch, backup } = record.rehearsal ?? {};
  expect(measures?.expectedDowntimeMs).toBe((measures?.stopMs ?? 0) + (measures?.startMs ?? 0));
  expect(measures?.restoreMs).toBeGreaterThan(measures?.indexBuildMs ?? 0);
  expect(measures?.indexBuildMs).toBeGreaterThan(0);
  expect(measures?.neededBytes).toBe((measures?.dumpBytes ?? 0) + (measures?.restoredBytes ?? 0));
  expect(scratch?.isolation).toContain('event triggers are disabled: 1');
  expect(backup).toMatchObject({ from: 'fresh', server: '15.17' });
  expect(record.backup?.proof).toMatchObject({ verdict: 'proved', differences: [] });
  expect(lineOf(first, 'advice')).toContain('extension-updates: 1 of 1 done');
  expect(record.checks.some(({ when }) => when === 'after')).toBe(true);
  expect(record.queries.map(({ file, status }) => [file, status])).toEqual([
    ['ops/health.sql', 'passed'],
    ['ops/smoke.sql', 'passed'],
  ]);
  await expectNothingLeft(1);
  // log_statement: mod tells of everything that writes.
  expect((await server.log()).slice(written)).not.toMatch(/statement:|execute /);
  expect(record.rehearsed).toBeNull();

  await using second = await rehearse(server, { wanted: '15.18' });
  expect(second.record.rehearsed).toMatchObject({
    passed: true,
    exact: true,
    from: '15.17',
    wanted: '15.18',
    expectedDowntimeMs: measures?.expectedDowntimeMs,
    failure: null,
  });
  await expectNothingLeft(2);
}, 60_000);

test('a role that may only look rehearses a backup that is there already', async () => {
  const url = new URL(server.url);
  url.username = 'watcher';
  url.password = 'see%20nothing';
  await using result = await rehearse(server, {
    wanted: '15.18',
    context: { variables: { URL: url.href }, rehearseFrom: `${server.data}.upgrade/backups` },
  });
  expect(result.record.issues).toEqual([]);
  expect(result.record.result).toBe('success');
  expect(stagesOf(result.record)).toEqual([
    'backup passed',
    'scratch passed',
    'restore passed',
    'advice passed',
    'checks passed',
    'compare passed',
    'restart passed',
  ]);
  // It could not dump, and need not.
  expect(result.record.checks.filter(({ status }) => status === 'blocked')).toEqual([]);
  const newest = (await readdir(`${server.data}.upgrade/backups`)).sort().at(-1);
  expect(result.record.rehearsal?.backup).toMatchObject({
    from: 'path',
    location: `${server.data}.upgrade/backups/${newest}`,
  });
  await expectNothingLeft(2);

  await using fresh = await rehearse(server, { wanted: '15.18', context: { variables: { URL: url.href } } });
  expect(fresh.record).toMatchObject({ result: 'failed', issues: [{ code: 'backup-role' }] });
  await expectNothingLeft(2);
}, 60_000);

test('a damaged backup does not pass', async () => {
  const folder = `${server.data}.upgrade/backups`;
  const newest = join(folder, (await readdir(folder)).sort().at(-1) ?? '');
  const globals = join(newest, 'globals.sql');
  const text = await readFile(globals, 'utf8');
  await writeFile(globals, text.replace('LOGIN', 'Login'));
  await using result = await rehearse(server, { wanted: '15.18', context: { rehearseFrom: newest } });
  await writeFile(globals, text);
  // Nothing is started by what a damaged backup says of itself.
  expect(stagesOf(result.record)).toEqual(['backup failed']);
  expect(result.record.verdict).toBe(
    'The rehearsal of 15.17 to 15.18 failed at "Find the backup": The backup of 15.17 cannot be restored as it was: globals.sql was changed: its sha256 is another one The target was only read.',
  );
});

test('the newest artifact is fetched, decrypted and rehearsed; without the right identity it is not', async () => {
  const identity = await generateIdentity();
  const folder = `${server.data}.upgrade/backups`;
  const newest = join(folder, (await readdir(folder)).sort().at(-1) ?? '');
  const asked: string[] = [];
  const outside: Outside = {
    approvedPlan: async () => null,
    lastRecord: async () => null,
    async latestDump(target, into, signal) {
      asked.push(target);
      await mkdir(into, { recursive: true });
      const file = join(into, 'postgres-upgrade-orders-rehearse.dump.tar.age');
      await packBackup(newest, file, [await identityToRecipient(identity)], signal);
      return { file, where: 'postgres-upgrade-orders-rehearse.dump.tar.age of run 7', encrypted: true };
    },
  };
  const variables = { URL: server.url, AGE: `${identity}\n`, WRONG: await generateIdentity() };
  const context = { outside, variables, rehearseFrom: 'latest-artifact' };
  await using result = await rehearse(server, {
    wanted: '15.18',
    more: ['rehearsal: { identity: env:AGE }'],
    context,
  });
  expect(result.record).toMatchObject({ result: 'success', issues: [] });
  expect(result.record.rehearsal?.backup).toMatchObject({
    from: 'latest-artifact',
    location: 'postgres-upgrade-orders-rehearse.dump.tar.age of run 7',
    server: '15.17',
  });
  expect(asked).toEqual(['orders']);
  expect(JSON.stringify(result.record) + result.lines.join()).not.toContain(identity);
  await expectNothingLeft(2);

  await using wrong = await rehearse(server, {
    wanted: '15.18',
    more: ['rehearsal: { identity: env:WRONG }'],
    context,
  });
  expect([stagesOf(wrong.record), wrong.record.issues.map(({ code }) => code)]).toEqual([
    ['backup failed'],
    ['unpack-failed'],
  ]);
  await using unnamed = await rehearse(server, { wanted: '15.18', context });
  expect(unnamed.record.issues.map(({ code }) => code)).toEqual(['identity-missing']);
  await using alone = await rehearse(server, {
    wanted: '15.18',
    context: { ...context, outside: null },
  });
  expect(alone.record.issues.map(({ code }) => code)).toEqual(['outside-missing']);
  await expectNothingLeft(2);
}, 60_000);

test('where the exact version cannot be had it stops, unless the nearest is allowed; that is never taken for the exact one', async () => {
  await using refused = await rehearse(server, { wanted: '15.20' });
  expect(stagesOf(refused.record)).toEqual(['scratch failed']);
  expect(refused.record).toMatchObject({
    result: 'failed',
    issues: [{ code: 'binaries-unavailable' }, { code: 'scratch-version' }],
    backup: null,
  });
  await expectNothingLeft(2);

  await using nearest = await rehearse(server, { wanted: '15.20', more: ['rehearsal: { nearest: allow }'] });
  expect(nearest.record.verdict).toMatch(
    /^The upgrade of 15\.17 was rehearsed on 15\.18, not on the wanted 15\.20, and it passed there\./,
  );
  expect(nearest.record.rehearsal).toMatchObject({ passed: true, exact: false, ranOn: '15.18' });
  await expectNothingLeft(3);
}, 60_000);

test('where the version runs already, it shows that the backup restores', async () => {
  await using result = await rehearse(server, {
    wanted: '15.17',
    context: { rehearseFrom: `${server.data}.upgrade/backups` },
  });
  expect(result.record).toMatchObject({ result: 'success', next: null, issues: [] });
  expect(result.record.verdict).toMatch(
    /^The backup of orders was restored into PostgreSQL 15\.17, which runs already\. Expected downtime: /,
  );
}, 60_000);

test('smoke queries and own health SQL that fail, fail the rehearsal; all of it is tried in one night', async () => {
  await using result = await rehearse(server, {
    wanted: '15.18',
    more: [
      'health: [ops/health.sql]',
      'rehearsal: { smoke: [{ file: ops/smoke.sql, database: shop, read-only: false }] }',
    ],
    files: {
      'ops/health.sql': "SELECT 'critical' AS status, 'nobody is home' AS message;",
      'ops/smoke.sql': 'INSERT INTO app.orders DEFAULT VALUES;\nSELECT no_such_function();',
    },
    context: { rehearseFrom: `${server.data}.upgrade/backups` },
  });
  expect(stagesOf(result.record).slice(-3)).toEqual(['health failed', 'smoke failed', 'restart passed']);
  expect(result.record.issues.map(({ code }) => code)).toEqual(['rehearsal-health', 'rehearsal-smoke']);
}, 60_000);

test('a cancel in the middle leaves nothing, and the target as it was', async () => {
  const stop = new AbortController();
  const context = { signal: stop.signal };
  const running = rehearse(server, {
    wanted: '15.18',
    context: {
      ...context,
      log: {
        info: () => {},
        annotate: () => {},
        startGroup: () => {},
        endGroup: () => {},
        progress: (line) => {
          if (line.includes('restoring into')) stop.abort();
        },
      },
    },
  });
  await using result = await running;
  expect(result.record).toMatchObject({ result: 'cancelled', changed: false });
  await expectNothingLeft(3);
  expect(await readdir(`${server.data}.upgrade/rehearsals`)).not.toContain('journal.jsonl');
}, 60_000);
