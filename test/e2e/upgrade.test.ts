/** The main job through the built action, as the runner starts it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWriter } from '../../scripts/sample/writer.ts';
import { serverPid } from '../../src/postgres/server.ts';
import { type ArtifactService, startArtifactService } from '../support/artifact-service.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Result } from '../support/runner.ts';
import { secretsIn, type Target, target } from './support.ts';

let orders: Target;
let service: ArtifactService;

beforeAll(async () => {
  [orders, service] = await Promise.all([target('15.17', '15.18'), startArtifactService()]);
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
});

/** Runs of one workflow share artifacts; each test is a run of its own. */
let job = 0;
const uploading = (): { inputs: Record<string, string>; env: Record<string, string> } => {
  job += 1;
  return { inputs: { artifacts: 'reports' }, env: service.environmentOf(`run-${job}`, `job-${job}`) };
};

function digestOf(result: Result): string {
  return result.outputs['plan-digest'] ?? '';
}

test('plan changes nothing and says what would be done', async () => {
  await using plan = await orders.run('plan');

  expect(plan.log).toContain('orders: PostgreSQL 15.17 → 15.18 by minor-in-place');
  expect(plan.exitCode).toBe(0);
  expect(plan.outputs).toMatchObject({
    result: 'success',
    changed: 'false',
    'from-version': '15.17',
    'to-version': '15.17',
  });
  expect(digestOf(plan)).toMatch(/^[0-9a-f]{64}$/);
  expect((await orders.record()).plan?.steps.map(({ id }) => id)).toEqual([
    'backup',
    'preflight',
    'checkpoint',
    'restart',
    'validate',
  ]);
  expect(await orders.version()).toBe('15.17');
  await using again = await orders.run('plan');
  expect(digestOf(again)).toBe(digestOf(plan));
});

test('a plan that was not approved is refused', async () => {
  await using result = await orders.run('upgrade', { inputs: { 'plan-digest': 'a'.repeat(64) } });

  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ result: 'refused', changed: 'false' });
  expect(result.annotations.map(({ title }) => title)).toContain('orders: plan-drift');
  expect(await orders.version()).toBe('15.17');
});

test('upgrades under load, proves the backup, loses nothing, and leaves the record', async () => {
  await using plan = await orders.run('plan');
  const writer = await startWriter(orders.server.settings('shop'));
  await using receiver = await startReceiver();
  const upload = uploading();
  await using result = await orders.run('upgrade', {
    inputs: { ...upload.inputs, 'plan-digest': digestOf(plan), 'report-url': receiver.url },
    env: { ...upload.env, ...receiver.environment },
    post: true,
  });
  const totals = await writer.stop();

  expect(result.log).toContain('SUCCESS: PostgreSQL 15.17 was upgraded to 15.18.');
  expect(result.exitCode).toBe(0);
  expect(await orders.version()).toBe('15.18');
  await using shop = await orders.server.connect('shop');
  expect(await writer.verify(shop)).toEqual([]);
  expect(totals.acknowledged).toBeGreaterThan(50);

  const record = await orders.record();
  expect(record).toMatchObject({
    result: 'success',
    changed: true,
    versions: { from: '15.17', wanted: '15.18', now: '15.18' },
    state: 'PostgreSQL 15.18 serves clients.',
    next: null,
    backup: { proof: { verdict: 'proved', restoredInto: '15.18', databases: 4, differences: [] } },
    run: { actor: expect.any(String), commit: expect.stringMatching(/^[0-9a-f]{40}$/) },
  });
  expect(record.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'backup done',
    'preflight done',
    'checkpoint done',
    'restart done',
    'validate done',
  ]);
  expect(record.downtime?.failures).toBeGreaterThan(0);
  expect(record.downtime?.longestGapMs).toBeGreaterThan(10);
  expect(record.downtime?.longestGapMs).toBeLessThan(10_000);
  expect(record.performance?.before.transactions).toBeGreaterThanOrEqual(100);
  expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
  expect(record.facts.find(({ name }) => name === 'server version number')).toMatchObject({
    before: '150017',
    after: '150018',
    verdict: 'expected',
  });
  expect(record.switchedOff).toEqual([
    expect.objectContaining({ id: 'server', putBackAt: expect.any(String) }),
  ]);

  expect(result.outputs).toMatchObject({
    result: 'success',
    changed: 'true',
    'from-version': '15.17',
    'to-version': '15.18',
  });
  expect(Number(result.outputs['downtime-ms'])).toBe(Math.round(record.downtime?.longestGapMs ?? 0));
  expect(JSON.parse(result.outputs.targets ?? '')).toEqual([
    expect.objectContaining({ name: 'orders', result: 'success' }),
  ]);
  expect(result.summary).toContain('PostgreSQL 15.17 was upgraded to 15.18.');
  expect(result.summary).toContain('```mermaid');
  expect(result.post?.exitCode).toBe(0);
  expect(result.post?.summary).toBe('');

  const artifacts = service.artifacts();
  expect(artifacts.map(({ name }) => name).sort()).toEqual([
    'postgres-upgrade-orders-upgrade.report.html',
    'postgres-upgrade-orders-upgrade.report.json',
  ]);
  expect(String(artifacts.find(({ name }) => name.endsWith('.html'))?.id)).toBe(
    result.outputs['report-artifact-id'],
  );
  expect(service.mismatches()).toEqual([]);
  expect(receiver.received).toHaveLength(1);
  expect(record.communication.at(-1)).toMatchObject({ what: 'The record was delivered.', delivered: true });

  const html = await readFile(join(orders.output, 'orders', 'report.html'), 'utf8');
  for (const text of [
    result.log,
    result.rawLog.replaceAll(/^::add-mask::.*$/gm, ''),
    result.summary,
    html,
    JSON.stringify(record),
    ...artifacts.map(({ content }) => content.toString()),
  ]) {
    expect(secretsIn(text)).toEqual([]);
  }
});

test('the upgraded server outlives the job: the runner kills whatever carries its tracking id', async () => {
  const pid = await serverPid(orders.server.data);
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8');

  expect(environment).not.toMatch(/RUNNER_TRACKING_ID|ACTIONS_|INPUT_|GITHUB_|ORDERS_DATABASE_URL/);
});

test('a second run has nothing to do', async () => {
  await using result = await orders.run('upgrade');

  expect(result.exitCode).toBe(0);
  expect(result.outputs).toMatchObject({ result: 'skipped', changed: 'false', 'to-version': '15.18' });
  expect((await orders.record()).steps).toEqual([]);
});

test('rollback goes back on the same data, and a later upgrade forward again', async () => {
  const writer = await startWriter(orders.server.settings('shop'));
  await using back = await orders.run('rollback');
  expect(back.log).toContain('ROLLED BACK: PostgreSQL 15.18 went back to 15.17.');
  expect(back.exitCode).toBe(0);
  expect(back.outputs).toMatchObject({ result: 'rolled-back', changed: 'true', 'to-version': '15.17' });
  expect(await orders.version()).toBe('15.17');

  await using twice = await orders.run('rollback');
  expect(twice.outputs.result).toBe('skipped');

  await using forward = await orders.run('upgrade');
  await writer.stop();
  expect(forward.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  await using shop = await orders.server.connect('shop');
  expect(await writer.verify(shop)).toEqual([]);
});
