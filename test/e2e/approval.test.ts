/** A plan is made in one job, approved, and carried out in another; what drifted meanwhile is refused by name. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { serverPid } from '../../src/postgres/server.ts';
import { type PlanFile, planFileSchema } from '../../src/report/plan-file.ts';
import { digestOf } from '../../src/upgrade/digest.ts';
import { type ArtifactService, startArtifactService } from '../support/artifact-service.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { jobToken } from '../support/github-routes.ts';
import type { Result } from '../support/runner.ts';
import { secretsIn, type Target, target } from './support.ts';

let orders: Target;
let service: ArtifactService;
let github: GitHub;

beforeAll(async () => {
  [orders, service, github] = await Promise.all([
    target('15.17', '15.18'),
    startArtifactService(),
    startGitHub(),
  ]);
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  await github?.[Symbol.asyncDispose]();
});
afterEach(() => orders.spec());

const storefront = '    applications: [{ name: storefront, stop: ["false"], start: ["false"] }]';

/** The first job: plans, and uploads. */
async function planned(run: string): Promise<{ result: Result; file: PlanFile; text: string }> {
  const result = await orders.run('plan', {
    inputs: { artifacts: 'reports' },
    env: service.environmentOf(run, 'plan'),
    post: true,
  });
  expect(result.exitCode).toBe(0);
  const id = result.outputs['plan-artifact-id'];
  const uploaded = service.artifacts().find((artifact) => String(artifact.id) === id);
  const text = uploaded?.content.toString('utf8') ?? '';
  return { result, text, file: planFileSchema.parse(JSON.parse(text)) };
}

/** The second job must refuse, name what changed, and leave the server alone. */
async function refused(
  inputs: Record<string, string>,
  env: Record<string, string>,
  changed: string,
): Promise<void> {
  const pid = await serverPid(orders.server.data);
  await using result = await orders.run('upgrade', { inputs, env, post: true });
  expect(result.outputs).toMatchObject({ result: 'refused', changed: 'false', 'plan-file': '' });
  expect(result.exitCode).toBe(1);
  const drift = result.annotations.find(({ title }) => title === 'orders: plan-drift');
  expect(drift?.message).toContain(changed);
  expect(result.summary).toContain('The plan is not the one that was approved');
  expect(await serverPid(orders.server.data)).toBe(pid);
  expect(await orders.version()).toBe('15.17');
}

test('the plan is a file, an artifact and outputs, and its summary is fit for approval', async () => {
  const { result, file, text } = await planned('run-1');
  await using _ = result;
  expect(file).toMatchObject({
    version: 1,
    target: 'orders',
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
  expect(file.plan.digest).toBe(result.outputs['plan-digest']);
  expect(digestOf(file.plan.decision)).toBe(file.plan.digest);
  expect(result.outputs['plan-file']).toBe(join(orders.output, 'orders', 'plan.json'));
  expect(await readFile(result.outputs['plan-file'] ?? '', 'utf8')).toBe(text);
  expect(service.artifacts().map(({ name }) => name)).toContain('postgres-upgrade-orders-plan.plan.json');
  expect(JSON.parse(result.outputs.targets ?? '')).toMatchObject([
    { name: 'orders', 'plan-file': result.outputs['plan-file'] },
  ]);
  expect(secretsIn(text)).toEqual([]);
  const open = result.summary.split('<details>')[0] ?? '';
  expect(open).toContain('### The plan: 15.17 → 15.18, 5 steps');
  expect(open).toContain('**Risk: known-bad**');
  expect(open).toContain('**Expected downtime: not known: nobody measured it yet, mode rehearse does**');
  expect(open).toContain(`plan-digest \`${file.plan.digest}\``);
  expect(result.log).toContain(
    'risk: 15.18 may refuse to start: then 15.17 is started again on the same data.',
  );
});

test('another job of the same run finds the plan by its digest', async () => {
  const { result, file } = await planned('run-2');
  await using _ = result;
  await orders.spec({ more: storefront });
  await refused(
    { 'plan-digest': file.plan.digest },
    service.environmentOf('run-2', 'upgrade'),
    'Changed since: an application was added: storefront; ',
  );
});

test('another run finds it among the artifacts of the repository', async () => {
  const { result, file, text } = await planned('run-3');
  await using _ = result;
  github.addArtifact('postgres-upgrade-orders-plan.plan.json', text);
  await orders.spec({ more: '    on-failure: stop' });
  await refused(
    { 'plan-digest': file.plan.digest, 'github-token': jobToken },
    { ...github.environment, ...service.environmentOf('run-4', 'upgrade') },
    'Changed since: what happens after a failure (on-failure): rollback → stop.',
  );
});

test('the file itself may be given', async () => {
  const { result, file, text } = await planned('run-5');
  await using _ = result;
  await writeFile(join(orders.workspace, 'approved.json'), text);
  await orders.spec({ more: '    advice: apply' });
  await refused(
    { 'plan-digest': file.plan.digest, 'plan-file': 'approved.json' },
    {},
    'Changed since: whether advice is carried out (advice): report → apply; a step was added: ',
  );
});

test('where nobody finds it, it is refused and that is said', async () => {
  await refused(
    { 'plan-digest': 'a'.repeat(64) },
    {},
    'What was approved could not be read, so nobody can say here what changed: the input plan-file is empty, and no artifact plan.json with this digest was found.',
  );
});

test('a file that was changed is refused before any target is opened', async () => {
  const { result, file } = await planned('run-6');
  await using _ = result;
  const forged = { ...file, plan: { ...file.plan, decision: { ...file.plan.decision, from: '"15.1"' } } };
  await writeFile(join(orders.workspace, 'approved.json'), JSON.stringify(forged));
  await using upgrade = await orders.run('upgrade', {
    inputs: { 'plan-digest': file.plan.digest, 'plan-file': 'approved.json' },
  });
  expect(upgrade.annotations).toEqual([
    expect.objectContaining({ title: 'plan-file', message: expect.stringContaining('it was changed') }),
  ]);
  expect(upgrade.exitCode).toBe(1);
});

test('one digest cannot approve two targets', async () => {
  const stock = [
    '  - name: stock',
    '    postgres: "15.18"',
    '    connection: env:ORDERS_DATABASE_URL',
    `    environment: { kind: embedded, data: ${orders.server.data}2, port: 1 }`,
  ];
  await orders.spec({ more: stock.join('\n') });
  await using upgrade = await orders.run('upgrade', { inputs: { 'plan-digest': 'a'.repeat(64) } });
  expect(upgrade.annotations).toEqual([
    expect.objectContaining({
      title: 'input',
      message: expect.stringContaining(
        'The input plan-digest names the plan of one target, and 2 are to run: orders, stock.',
      ),
    }),
  ]);
  await using one = await orders.run('plan', {
    inputs: { 'plan-digest': 'a'.repeat(64), targets: 'orders' },
  });
  expect(one.annotations.map(({ title }) => title)).toContain('orders: plan-drift');
});

test('what was approved and did not drift is carried out', async () => {
  const { result, file, text } = await planned('run-7');
  await using _ = result;
  await writeFile(join(orders.workspace, 'approved.json'), text);
  await using upgrade = await orders.run('upgrade', {
    inputs: { 'plan-digest': file.plan.digest, 'plan-file': 'approved.json' },
  });
  expect(upgrade.log).toContain('SUCCESS: PostgreSQL 15.17 was upgraded to 15.18.');
  expect((await orders.record()).plan).toMatchObject({ digest: file.plan.digest, risk: file.plan.risk });
  expect(await orders.version()).toBe('15.18');
});

test('the way back is a plan with its own risk, and nothing that could be approved', async () => {
  await using back = await orders.run('rollback', { inputs: { 'plan-digest': 'a'.repeat(64) } });
  expect(back.outputs).toMatchObject({ result: 'rolled-back', 'plan-file': '', 'plan-artifact-id': '' });
  const { plan } = await orders.record();
  expect(plan).toMatchObject({
    from: '15.18',
    wanted: '15.17',
    risk: {
      class: 'minor',
      reasons: [
        '15.18 goes back to 15.17: minor versions of one major read the same data files, and nothing that was written since is lost.',
        'What was fixed since 15.17 is open again: 8 CVEs, 5 of them with a score of 7 or more.',
      ],
    },
    downtime: {
      expectedMs: null,
      basis: 'the way back breaks clients as the upgrade did; nobody measures it beforehand',
    },
  });
  expect(plan?.digest).toBe(digestOf(plan?.decision));
  expect(plan?.steps.filter(({ risks }) => risks.length === 0)).toEqual([]);
});
