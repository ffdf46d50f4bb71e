/** What leaves the machine: reports always, the dump only encrypted, and nothing that was not verified. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unencryptedConsent } from '../../src/spec/schema.ts';
import { type ArtifactService, startArtifactService } from '../support/artifact-service.ts';
import { type Target, target } from './support.ts';

let orders: Target;
let service: ArtifactService;
let identity: string;
let recipient: string;

const repository = (visibility: string): { name: string; payload: unknown } => ({
  name: 'workflow_dispatch',
  payload: { repository: { visibility, private: visibility !== 'public' } },
});

beforeAll(async () => {
  [orders, service] = await Promise.all([target('15.17', '15.18'), startArtifactService()]);
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
});

test('a dump in clear is refused before anything is done', async () => {
  await using result = await orders.run('upgrade', {
    inputs: { artifacts: 'all' },
    env: service.environment,
    event: repository('private'),
  });

  expect(result.exitCode).toBe(1);
  expect(result.annotations).toEqual([
    expect.objectContaining({
      level: 'error',
      title: 'dump-in-clear',
      file: 'postgres-upgrade.yaml',
      line: 3,
      message: expect.stringContaining('The dump of orders would be uploaded in clear.'),
    }),
  ]);
  expect(service.requests()).toEqual([]);
  expect(await orders.version()).toBe('15.17');
});

test('a public repository gets no dump, encrypted or not', async () => {
  await orders.spec({ more: `    backup: { encrypt-to: [${recipient}] }` });
  await using result = await orders.run('upgrade', {
    inputs: { artifacts: 'all' },
    env: service.environment,
    event: repository('public'),
  });

  expect(result.annotations.map(({ title }) => title)).toEqual(['dump-public']);
  expect(await orders.version()).toBe('15.17');
});

test('the dump goes up encrypted, and comes back as the backup that was proved', async () => {
  await orders.spec({ more: `    backup: { encrypt-to: [${recipient}] }` });
  await using result = await orders.run('upgrade', {
    inputs: { artifacts: 'all' },
    env: service.environmentOf('dump', 'job'),
    event: repository('private'),
  });
  expect(result.exitCode).toBe(0);

  const dump = service
    .artifacts()
    .find(({ name }) => name === 'postgres-upgrade-orders-upgrade.dump.tar.age');
  expect(String(dump?.id)).toBe(result.outputs['dump-artifact-id']);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const folder = await mkdtemp(join(tmpdir(), 'dump-'));
  await writeFile(join(folder, 'dump.tar'), await decrypter.decrypt(dump?.content ?? new Uint8Array()));
  execFileSync('tar', ['-xf', 'dump.tar'], { cwd: folder });
  const [backup] = (await readdir(folder)).filter((name) => name.startsWith('orders-'));
  expect((await readdir(join(folder, backup ?? ''))).sort()).toEqual([
    'db-1',
    'db-2',
    'db-3',
    'db-4',
    'globals.sql',
    'inventory.json',
    'manifest.json',
    'snapshot.json',
  ]);
  await rm(folder, { recursive: true });
  // The packed file does not stay behind; the backup itself does.
  expect((await readdir(join(orders.output, 'orders'))).sort()).toEqual([
    'report.html',
    'report.json',
    'summary.md',
  ]);
  await using back = await orders.run('rollback');
  expect(back.outputs.result).toBe('rolled-back');
});

test('in clear only with the sentence that says so', async () => {
  await orders.spec({ more: `    backup: { publish-unencrypted: "${unencryptedConsent}" }` });
  await using result = await orders.run('upgrade', {
    inputs: { artifacts: 'all' },
    env: service.environmentOf('clear', 'job'),
    event: repository('private'),
  });
  expect(result.exitCode).toBe(0);
  expect(service.artifacts().map(({ name }) => name)).toContain('postgres-upgrade-orders-upgrade.dump.tar');
  await orders.spec();
});

test('an artifact that the service holds differently is not called uploaded', async () => {
  service.faults.lie({ digest: 'sha256:0000' });
  service.faults.plant('FinalizeArtifact', { status: 403 });
  await using result = await orders.run('plan', {
    inputs: { artifacts: 'reports' },
    env: service.environmentOf('lie', 'job'),
  });
  service.faults.clear();

  expect(result.exitCode).toBe(0);
  const { artifacts } = await orders.record();
  expect(artifacts.map(({ state }) => state)).toContain('failed');
  expect(
    result.annotations
      .filter(({ level }) => level === 'warning')
      .map(({ message }) => message)
      .join('\n'),
  ).toContain('Not uploaded: ');
  expect(await readdir(join(orders.output, 'orders'))).toContain('report.html');
});

test('a GitHub server without the service: the files are kept, and it is said', async () => {
  await using result = await orders.run('plan', {
    inputs: { artifacts: 'reports' },
    env: { ...service.environment, GITHUB_SERVER_URL: 'https://github.example.com' },
  });

  expect(result.exitCode).toBe(0);
  // The version runs already, so there is no plan to keep.
  expect((await orders.record()).artifacts.map(({ name, state }) => [name, state])).toEqual(
    ['report.html', 'report.json'].map((name) => [`postgres-upgrade-orders-plan.${name}`, 'kept']),
  );
  expect(result.log).toContain('this GitHub server has no artifact service');
});
