/** The user's own SQL on a real server: what a pull request brings may not write, whatever it says of itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConnectionUrl } from '../../src/postgres/settings.ts';
import { askHealth } from '../../src/upgrade/ask-health.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { world } from './world.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer('15.18');
  await using connection = await server.connect();
  await connection.query('CREATE TABLE public.seen (at int)');
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function ask(onPullRequest: boolean): Promise<{ status: unknown[]; told: string[]; rows: string }> {
  using here = await world();
  const { run } = here;
  run.settings = readConnectionUrl(server.url, 'env:URL');
  run.context = {
    ...run.context,
    onPullRequest,
    files: new Map([['ops/write.sql', 'INSERT INTO public.seen VALUES (1);']]),
  };
  run.spec = { ...run.spec, health: [{ file: 'ops/write.sql', 'read-only': false, timeout: 30 }] };
  const asked = await askHealth(run, 'before');
  await using connection = await server.connect();
  const [row] = await connection.query<{ rows: string }>('SELECT count(*)::text AS rows FROM public.seen');
  return {
    status: asked.map(({ status, why }) => [status, why]),
    told: run.recorder.record.communication.map(({ what }) => what),
    rows: row?.rows ?? '',
  };
}

test('SQL that may write is asked read-only on a pull request, and the record says so', async () => {
  expect(await ask(true)).toEqual({
    status: [['error', expect.stringContaining('read-only transaction')]],
    told: ['ops/write.sql was asked read-only: a pull request started this run.'],
    rows: '0',
  });
  expect(await ask(false)).toEqual({ status: [['passed', null]], told: [], rows: '1' });
});
