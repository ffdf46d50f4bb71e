/** How long a server may take to answer, with a host that only says whether its process is there. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { awaitServer, type ClusterRecipe, type Control } from '../../../src/environments/debian/control.ts';
import { readConnectionUrl } from '../../../src/postgres/settings.ts';
import { localHost } from '../../../src/process/local-host.ts';
import { failureOf } from '../../support/targets.ts';

const recipe: ClusterRecipe = {
  version: 15,
  cluster: 'main',
  supervisor: 'pg_ctlcluster',
  data: '/var/lib/postgresql/15/main',
  log: null,
  oomScoreAdj: 0,
};

/** A port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** @param process what the host's look for the server's process prints */
async function control(process: string, startTimeout: number): Promise<Control> {
  const settings = readConnectionUrl(
    `postgresql://postgres@127.0.0.1:${await closedPort()}/postgres`,
    'test',
  );
  return {
    host: { ...localHost(null), script: async () => ({ code: 0, stdout: process, stderr: '' }) },
    jobs: '/nonexistent',
    settings: async () => settings,
    progress: () => {},
    startTimeout,
  };
}

const end = { code: 0, output: 'what the supervisor said' };

it('a server that runs and does not answer is waited for, and no longer than its limit', async () => {
  const begun = performance.now();
  const failure = await failureOf(
    awaitServer(await control('4711\n/usr/lib/postgresql/15/bin/postgres\n0', 400), recipe, end),
  );
  expect(failure).toMatchObject({
    code: 'server-start',
    message: 'The cluster 15/main does not answer after 0 seconds.',
    hint: 'what the supervisor said',
  });
  expect(performance.now() - begun).toBeGreaterThan(400);
});

it('one whose process is gone is not waited for', async () => {
  const begun = performance.now();
  const failure = await failureOf(awaitServer(await control('', 60_000), recipe, end));
  expect(failure).toMatchObject({ code: 'server-start', message: 'The cluster 15/main did not start.' });
  expect(performance.now() - begun).toBeLessThan(5000);
});
