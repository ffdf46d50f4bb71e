import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deliverRecord } from '../../src/action/deliver.ts';
import { startReceiver } from '../support/receiver.ts';

const text = '{"verdict": "15.17 → 15.20"}\n';
let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgu-deliver-'));
  file = join(folder, 'report.json');
  await writeFile(file, text);
  vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_URL', undefined);
  vi.stubEnv('ACTIONS_ID_TOKEN_REQUEST_TOKEN', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('deliverRecord', () => {
  it('posts the bytes of the record, without a signature where the job may have none', async () => {
    await using receiver = await startReceiver();
    expect(await deliverRecord(receiver.url, file)).toEqual({
      delivered: true,
      what: 'The record was delivered.',
    });
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/reports',
        body: text,
        headers: { 'content-type': 'application/json', 'user-agent': 'postgres-upgrade-action' },
      },
    ]);
    expect(receiver.received[0]?.headers.authorization).toBeUndefined();
  });

  it("signs with the job's token, made out to the receiver alone", async () => {
    await using receiver = await startReceiver();
    for (const [name, value] of Object.entries(receiver.environment)) vi.stubEnv(name, value);
    expect(await deliverRecord(receiver.url, file)).toEqual({
      delivered: true,
      what: 'The record was delivered.',
    });
    expect(receiver.audiences).toEqual([receiver.origin]);
    const token = receiver.received[0]?.headers.authorization?.replace('Bearer ', '') ?? '';
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ aud: receiver.origin, repository: 'octo-org/octo-repo' });
  });

  it.each([400, 401, 500])('tells HTTP %d and does not fail', async (status) => {
    await using receiver = await startReceiver();
    receiver.answer({ status });
    expect(await deliverRecord(receiver.url, file)).toEqual({
      delivered: false,
      what: `The record was not accepted: HTTP ${status}.`,
    });
  });

  it('follows no redirect: the record goes where the workflow says', async () => {
    await using elsewhere = await startReceiver();
    await using receiver = await startReceiver();
    receiver.answer({ status: 307, headers: { location: elsewhere.url } });
    expect(await deliverRecord(receiver.url, file)).toEqual({
      delivered: false,
      what: 'The record could not be delivered: fetch failed (unexpected redirect).',
    });
    expect(elsewhere.received).toEqual([]);
  });

  it('sends nothing where the job gets no token', async () => {
    await using receiver = await startReceiver();
    for (const [name, value] of Object.entries(receiver.environment)) vi.stubEnv(name, value);
    receiver.answerToken({
      status: 403,
      body: '{"message":"Forbidden"}',
      headers: { 'content-type': 'application/json' },
    });
    const { delivered, what } = await deliverRecord(receiver.url, file);
    expect([delivered, receiver.received]).toEqual([false, []]);
    expect(what).toMatch(/^The record could not be delivered: Error message: Failed to get ID Token/);
  });

  it('tells that nobody is there, and that there is no record', async () => {
    const receiver = await startReceiver();
    expect((await deliverRecord(receiver.url, join(folder, 'none'))).what).toMatch(
      /^The record could not be delivered: ENOENT: /,
    );
    await receiver[Symbol.asyncDispose]();
    expect(await deliverRecord(receiver.url, file)).toEqual({
      delivered: false,
      what: `The record could not be delivered: fetch failed (connect ECONNREFUSED ${new URL(receiver.origin).host}).`,
    });
  });
});
