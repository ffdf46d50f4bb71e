/** Drift on a real server: what was approved is what is carried out, or nothing is. */
import { existsSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { planFileOf } from '../../src/action/plan-file.ts';
import { serverPid, startServer } from '../../src/postgres/server.ts';
import type { PlanFile } from '../../src/report/plan-file.ts';
import type { Mode, UpgradeRecord } from '../../src/report/record.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import { binariesOf, type TestServer, testServer } from '../support/servers.ts';
import { world } from './world.ts';

let server: TestServer;
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;

beforeAll(async () => {
  server = await testServer('15.1', { settings: { autovacuum: 'off' } });
  folder = await mkdtempDisposable(join(tmpdir(), 'pgu-drift-'));
  await sql('CREATE TABLE spans (span interval)');
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.remove();
});
afterEach(async () => {
  await sql('DROP INDEX IF EXISTS spans_span');
});

async function sql(text: string): Promise<void> {
  await using connection = await server.connect();
  await connection.script(text);
}

async function run(mode: Mode, more = '', approved: PlanFile | null = null): Promise<UpgradeRecord> {
  const text = [
    'version: 1',
    'targets:',
    '  - name: orders',
    '    postgres: "15.18"',
    '    connection: env:ORDERS_URL',
    `    environment: { kind: embedded, data: ${server.data}, port: ${server.port} }`,
    more,
    '',
  ].join('\n');
  const [target] = load(text);
  if (!target) throw new Error('the spec has no target');
  using here = await world({ mode });
  return await runTarget(target, {
    ...here.run.context,
    now: () => new Date(),
    variables: { ORDERS_URL: server.url },
    outputDirectory: folder.path,
    planDigest: approved?.plan.digest ?? '',
    approvedPlan: approved,
  });
}

/** The plan as somebody approves it. */
async function plan(more = ''): Promise<PlanFile> {
  const file = planFileOf(await run('plan', more));
  if (!file) throw new Error('no plan was made');
  return file;
}

/** Upgrades with what was approved before: it must be refused, and nothing may have been touched. */
async function refused(approved: PlanFile, more = ''): Promise<string> {
  const pid = await serverPid(server.data);
  const record = await run('upgrade', more, approved);
  expect(record).toMatchObject({ result: 'refused', changed: false, steps: [], checks: [], backup: null });
  expect(record.issues.map(({ code }) => code)).toEqual(['plan-drift']);
  expect(await serverPid(server.data)).toBe(pid);
  expect(existsSync(join(`${server.data}.upgrade`, 'journal.jsonl'))).toBe(false);
  const said = /Changed since: (.*)\. Nothing was changed\.$/.exec(record.verdict)?.[1];
  expect(record.verdict).toContain(`approved was ${approved.plan.digest.slice(0, 12)}`);
  return said ?? record.verdict;
}

test('two plans in a row are the same on a server that works', async () => {
  const first = await plan();
  let stopped = false;
  const work = (async () => {
    for (let i = 0; !stopped; i += 1)
      await sql(
        `CREATE TABLE busy_${i} (id int PRIMARY KEY); INSERT INTO busy_${i} SELECT generate_series(1, 500);
         CREATE TEMP TABLE t (i int); SELECT pg_switch_wal(); ANALYZE busy_${i}; DROP TABLE busy_${i}`,
      );
  })();
  const second = await plan();
  stopped = true;
  await work;
  await server.stop();
  await server.start();
  const third = await plan();
  expect(second.plan).toEqual(first.plan);
  expect(third.plan.digest).toBe(first.plan.digest);
});

test('the plan of a real server says what it can break, its risk, and that nobody measured the downtime', async () => {
  const { plan: made } = await plan();
  expect(made.steps.filter(({ risks }) => risks.length === 0)).toEqual([]);
  expect(made.risk.class).toBe('known-bad');
  expect(made.risk.reasons).toEqual([
    expect.stringMatching(/^PostgreSQL 15\.18, which is wanted, is known for this: /),
    expect.stringMatching(
      /^15\.1 → 15\.18 is a minor version, 17 releases further: .* It fixes \d+ CVEs, \d+ of them with a score of 7 or more\.$/,
    ),
  ]);
  expect(made.downtime).toEqual({
    expectedMs: null,
    basis: 'nobody measured it yet, mode rehearse does',
  });
});

test('an application that came into the spec', async () => {
  const approved = await plan();
  expect(
    await refused(approved, '    applications: [{ name: storefront, stop: ["false"], start: ["false"] }]'),
  ).toBe(
    'an application was added: storefront; a step was added: Stop storefront; a step was added: Start storefront',
  );
});

test('advice that applies since somebody made an index', async () => {
  const approved = await plan();
  await sql('CREATE INDEX spans_span ON spans (span)');
  expect(await refused(approved)).toBe('advice applies that did not: btree-interval-dedup');
});

test('a check that was switched off', async () => {
  const approved = await plan();
  expect(await refused(approved, '    checks: { disable: [disk-space] }')).toBe(
    'a check was switched off: disk-space',
  );
});

test('a running version that somebody changed by hand', async () => {
  const approved = await plan();
  const newer = await binariesOf('15.17');
  await server.stop();
  await startServer({
    binaries: newer,
    data: server.data,
    args: ['-p', String(server.port)],
    log: join(server.folder, 'server.log'),
    user: server.user,
  });
  const said = await refused(approved);
  expect(said).toMatch(/^the running version: 15\.1 → 15\.17; server programs: \S+ → \S+; .*; and \d+ more$/);
});
