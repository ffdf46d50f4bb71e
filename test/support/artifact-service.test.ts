import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DefaultArtifactClient } from '@actions/artifact';
import { getIDToken } from '@actions/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ArtifactService, startArtifactService } from './artifact-service.ts';
import { parseObject, startReceiver } from './receiver.ts';
import { startAction } from './runner.ts';

const client = new DefaultArtifactClient();
let service: ArtifactService;
let folder: string;

beforeEach(async () => {
  service = await startArtifactService();
  folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
  enter(service.environment);
  // The client writes its progress and debug lines to stdout.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function enter(environment: Record<string, string>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

function claimsOf(token: string | undefined): Record<string, unknown> {
  return { ...parseObject(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()) };
}

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('the real client', () => {
  test('uploads, lists, downloads and deletes a zip', async () => {
    const path = await file('report.json', '{"outcome":"success"}');
    const { id, size, digest } = await client.uploadArtifact('record', [path], folder, { retentionDays: 7 });
    const [stored, ...others] = service.artifacts();
    expect(others).toEqual([]);
    expect(stored).toMatchObject({ name: 'record', id, size, sha256: digest, mimeType: 'application/zip' });
    expect(id).toBeGreaterThan(2 ** 31);
    expect(stored?.content.subarray(0, 2).toString()).toBe('PK');
    const days = ((stored?.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    expect(service.mismatches()).toEqual([]);

    const { artifacts } = await client.listArtifacts();
    expect(artifacts).toMatchObject([{ name: 'record', id, size, digest: `sha256:${digest}` }]);
    const { artifact } = await client.getArtifact('record');
    const target = join(folder, 'down');
    const expectedHash = artifact.digest ?? '';
    expect(await client.downloadArtifact(artifact.id, { path: target, expectedHash })).toMatchObject({
      digestMismatch: false,
    });
    expect(await readFile(join(target, 'report.json'), 'utf8')).toBe('{"outcome":"success"}');

    expect(await client.deleteArtifact('record')).toEqual({ id });
    expect(service.artifacts()).toEqual([]);
    await expect(client.getArtifact('record')).rejects.toThrow('Artifact not found for name: record');
  });

  test('uploads a file as it is, in several blocks, and gets the same bytes under the same name', async () => {
    const content = randomBytes(17 * 1024 * 1024);
    const path = await file('orders.dump', content);
    const { id, digest } = await client.uploadArtifact('ignored', [path], folder, { skipArchive: true });
    expect(digest).toBe(sha256(content));
    expect(service.artifacts()).toMatchObject([
      { name: 'orders.dump', id, size: content.length, sha256: digest },
    ]);
    expect(service.requests().filter((operation) => operation === 'PutBlock')).toHaveLength(3);

    const target = join(folder, 'down');
    await client.downloadArtifact(id ?? 0, { path: target });
    expect(await readdir(target)).toEqual(['orders.dump']);
    expect(sha256(await readFile(join(target, 'orders.dump')))).toBe(digest);
  });

  test('stores an empty file', async () => {
    const path = await file('empty.txt', '');
    await client.uploadArtifact('', [path], folder, { skipArchive: true });
    expect(service.artifacts()).toMatchObject([{ name: 'empty.txt', size: 0, mimeType: 'text/plain' }]);
    expect(service.mismatches()).toEqual([]);
  });

  test('is refused a name that the run already has, from another job too', async () => {
    const path = await file('a.txt', 'a');
    enter(service.environmentOf('run-1', 'first'));
    await client.uploadArtifact('same', [path], folder);
    enter(service.environmentOf('run-1', 'second'));
    await expect(client.uploadArtifact('same', [path], folder)).rejects.toThrow(
      '(409) Conflict: an artifact with this name already exists on the workflow run',
    );
    expect((await client.listArtifacts()).artifacts).toHaveLength(1);

    enter(service.environmentOf('run-2', 'first'));
    expect((await client.listArtifacts()).artifacts).toEqual([]);
    await client.uploadArtifact('same', [path], folder);
    expect(service.artifacts()).toHaveLength(2);
  });

  test('is turned away with a token that the service did not give', async () => {
    vi.stubEnv('ACTIONS_RUNTIME_TOKEN', `${service.runtimeToken}x`);
    await expect(client.listArtifacts()).rejects.toThrow('(401) Unauthorized: invalid token');
  });
});

describe('faults', () => {
  test('403 stops an upload at once', async () => {
    const path = await file('a.txt', 'a');
    service.faults.plant('CreateArtifact', {
      status: 403,
      code: 'permission_denied',
      msg: 'insufficient usage',
    });
    await expect(client.uploadArtifact('a', [path], folder)).rejects.toThrow('quota');
    expect(service.requests()).toEqual(['CreateArtifact']);
    service.faults.clear();
    await client.uploadArtifact('a', [path], folder);
    expect(service.artifacts()).toHaveLength(1);
  });

  test('500 once is overcome by the second attempt', async () => {
    const path = await file('a.txt', 'a');
    service.faults.plant('FinalizeArtifact', { status: 500, times: 1 });
    await client.uploadArtifact('a', [path], folder);
    expect(service.requests().slice(-2)).toEqual(['FinalizeArtifact', 'FinalizeArtifact']);
  });

  test('a finalize that is refused leaves the artifact pending', async () => {
    const path = await file('a.txt', 'a');
    service.faults.refuse('FinalizeArtifact');
    await expect(client.uploadArtifact('a', [path], folder)).rejects.toThrow(
      'response from backend was not ok',
    );
    expect(service.artifacts()).toEqual([]);
    expect(service.pending()).toEqual(['a']);
  });

  test('a cut connection is a network error', async () => {
    service.faults.plant('ListArtifacts', { status: 'reset' });
    await expect(client.listArtifacts()).rejects.toThrow('ECONNRESET');
  });

  test('a lost block shows as a mismatch between the claim and the bytes', async () => {
    const content = randomBytes(9 * 1024 * 1024);
    const path = await file('b.dump', content);
    service.faults.dropBlock(0);
    await client.uploadArtifact('', [path], folder, { skipArchive: true });
    const rest = content.subarray(8 * 1024 * 1024);
    expect(service.mismatches()).toEqual([
      {
        name: 'b.dump',
        claimed: { size: content.length, sha256: sha256(content) },
        received: { size: rest.length, sha256: sha256(rest) },
      },
    ]);
    expect(service.artifacts()).toMatchObject([{ size: rest.length, sha256: sha256(rest) }]);
  });

  test('a lie about the digest is told by the list, never by artifacts()', async () => {
    const path = await file('a.txt', 'a');
    const { digest } = await client.uploadArtifact('a', [path], folder);
    service.faults.lie({ digest: `sha256:${'0'.repeat(64)}`, size: 1 });
    const { artifact } = await client.getArtifact('a');
    expect(artifact).toMatchObject({ digest: `sha256:${'0'.repeat(64)}`, size: 1 });
    expect(service.artifacts()).toMatchObject([{ sha256: digest }]);
    const options = { path: join(folder, 'down'), expectedHash: artifact.digest ?? '' };
    expect(await client.downloadArtifact(artifact.id, options)).toMatchObject({ digestMismatch: true });
  });

  test('a blob address works in its own direction only, unchanged', async () => {
    const [, run, job] =
      /Actions\.Results:([^:]+):(\S+)/.exec(String(claimsOf(service.runtimeToken).scp)) ?? [];
    const create = 'twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact';
    const body = { workflow_run_backend_id: run, workflow_job_run_backend_id: job, name: 'x', version: 7 };
    const response = await fetch(service.resultsUrl + create, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.runtimeToken}` },
      body: JSON.stringify(body),
    });
    const upload = String(parseObject(await response.text())?.signed_upload_url);
    expect((await fetch(upload)).status).toBe(403);
    expect((await fetch(`${upload}0&comp=block&blockid=MQ==`, { method: 'PUT', body: 'x' })).status).toBe(
      403,
    );
    expect((await fetch(`${upload}&comp=block&blockid=MQ==`, { method: 'PUT', body: 'x' })).status).toBe(201);
    const list = '<BlockList><Latest>Mg==</Latest></BlockList>';
    const missing = await fetch(`${upload}&comp=blocklist`, { method: 'PUT', body: list });
    expect([missing.status, missing.headers.get('x-ms-error-code')]).toEqual([400, 'InvalidBlockList']);
  });
});

test('an action cancelled while it uploads leaves a name and no artifact', async () => {
  const library = JSON.stringify(
    resolve(import.meta.dirname, '../../node_modules/@actions/artifact/lib/artifact.js'),
  );
  const entry = await file(
    'main.mjs',
    `import { DefaultArtifactClient } from ${library};
     console.log('token ' + process.env.ACTIONS_RUNTIME_TOKEN);
     await new DefaultArtifactClient().uploadArtifact('half', [process.argv[1]], process.cwd());`,
  );
  service.faults.plant('PutBlock', { status: 'hang' });
  await using action = startAction({ entry, workspace: folder, env: service.environment });
  await expect.poll(() => service.requests(), { timeout: 8_000 }).toContain('PutBlock');
  action.cancel();
  expect(await action.done).toMatchObject({ signal: 'SIGINT', conclusion: 'cancelled' });
  expect(await action.line(/^token/)).toBe('token ***');
  expect([service.pending(), service.artifacts()]).toEqual([['half'], []]);
});

describe('the receiver', () => {
  test('records a report with its identity token, and answers as planted', async () => {
    await using receiver = await startReceiver({ claims: { environment: 'production' } });
    enter(receiver.environment);
    receiver.answer({ status: 503, times: 1 });
    const report = async () => {
      const authorization = `Bearer ${await getIDToken('upgrades')}`;
      const init = { method: 'POST', headers: { authorization }, body: '{"outcome":"success"}' };
      return (await fetch(receiver.url, init)).status;
    };
    expect([await report(), await report()]).toEqual([503, 202]);
    expect(receiver.audiences).toEqual(['upgrades', 'upgrades']);
    expect(receiver.received).toHaveLength(2);
    const [first] = receiver.received;
    expect(first).toMatchObject({ method: 'POST', path: '/reports', body: '{"outcome":"success"}' });
    const claims = { aud: 'upgrades', environment: 'production', repository: 'octo-org/octo-repo' };
    expect(claimsOf(first?.headers.authorization)).toMatchObject(claims);
  });

  test('gives no token to a job that may not have one', async () => {
    await using receiver = await startReceiver();
    enter({ ...receiver.environment, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'another' });
    await expect(getIDToken('upgrades')).rejects.toThrow('Error Code : 401');
    enter(receiver.environment);
    receiver.answerToken({ status: 404, body: '{}' });
    await expect(getIDToken('upgrades')).rejects.toThrow('Response json body do not have ID Token field');
  });
});
