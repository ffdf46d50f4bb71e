import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/process/loopback.ts';
import { askApplication, awaitWell } from '../../src/upgrade/application-health.ts';
import { listen } from '../support/receiver.ts';

type Asked = Parameters<typeof askApplication>[0];

const shop = (health: string, changes: Partial<Asked> = {}): Asked => ({
  name: 'shop',
  health,
  'start-timeout': 5,
  'runs-on': 'target',
  ...changes,
});

const portOf = (origin: string): number => Number(new URL(origin).port);

describe('askApplication', () => {
  it.each([
    [200, true],
    [204, true],
    [302, false],
    [404, false],
    [503, false],
  ])('HTTP %i', async (status, well) => {
    await using server = await listen(
      async (_, response) => void response.writeHead(status, { location: '/elsewhere' }).end('x'),
    );
    expect(await askApplication(shop(server.origin), {})).toEqual({ well, seen: `HTTP ${status}` });
  });

  it('asks a loopback address as the machine of the target sees it, under its own name', async () => {
    const seen: string[] = [];
    await using there = await listen(async ({ headers, method, url }, response) => {
      seen.push(`${method} ${url} of ${headers.host}`);
      response.writeHead(204).end();
    });
    const reached: string[] = [];
    const place = {
      async reach(host: string, port: number) {
        reached.push(`${host} ${port}`);
        return { host: '127.0.0.1', port: portOf(there.origin) };
      },
    };
    for (const address of [
      'http://localhost:8080/health?deep=1',
      'http://127.1.2.3/',
      'http://[::1]:9/x',
      'http://127.1/',
    ])
      expect(await askApplication(shop(address), place)).toEqual({ well: true, seen: 'HTTP 204' });
    expect(reached).toEqual(['localhost 8080', '127.1.2.3 80', '::1 9', '127.0.0.1 80']);
    expect(seen).toEqual([
      'GET /health?deep=1 of localhost:8080',
      'GET / of 127.1.2.3',
      'GET /x of [::1]:9',
      'GET / of 127.0.0.1',
    ]);
  });

  it('asks one beside the runner, and any other address, directly', async () => {
    await using server = await listen(async (_, response) => void response.end());
    const place = { reach: () => Promise.reject(new Error('nobody asked for this')) };
    const local = shop(server.origin);
    expect(await askApplication({ ...local, 'runs-on': 'runner' }, place)).toEqual({
      well: true,
      seen: 'HTTP 200',
    });
    // Leads to this machine too, and is no loopback address.
    const elsewhere = shop(`http://0.0.0.0:${portOf(server.origin)}/`);
    expect(await askApplication(elsewhere, place)).toEqual({ well: true, seen: 'HTTP 200' });
    expect(await askApplication(local, place)).toEqual({ well: false, seen: 'nobody asked for this' });
    expect(isLoopback('db1.example.com')).toBe(false);
    expect(isLoopback('127.0.0.1.example.com')).toBe(false);
    expect(isLoopback('localhost.example.com')).toBe(false);
  });

  it('names the certificate that is wanted, also where the socket leads elsewhere, and trusts no other', async () => {
    const hello = Promise.withResolvers<Buffer>();
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .once('data', (bytes) => {
          hello.resolve(bytes);
          socket.destroy();
        }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const place = { reach: async () => ({ host: '127.0.0.1', port }) };
    const answer = await askApplication(shop('https://localhost/health'), place);
    expect(answer.well).toBe(false);
    expect((await hello.promise).toString('latin1')).toContain('localhost');
    server.close();
  });

  it('says why nobody answers', async () => {
    const gone = await listen(async () => {});
    await gone[Symbol.asyncDispose]();
    const port = portOf(gone.origin);
    expect((await askApplication(shop(gone.origin), {})).seen).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    // A name with two addresses: what node throws then has no message of its own.
    expect((await askApplication(shop(`http://localhost:${port}/`), {})).seen).toMatch(
      /^connect ECONNREFUSED /,
    );
  });

  it('does not read an answer that never ends', async () => {
    await using server = await listen(async (_, response) => void response.writeHead(200).write('x'));
    expect(await askApplication(shop(server.origin), {})).toEqual({ well: true, seen: 'HTTP 200' });
  });

  it('obeys a cancel', async () => {
    const stop = new AbortController();
    await using server = await listen(async () => stop.abort());
    await expect(askApplication(shop(server.origin), {}, stop.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('awaitWell', () => {
  it('asks at least once, and gives the last answer', async () => {
    await using server = await listen(async (_, response) => void response.writeHead(503).end());
    expect(await awaitWell(shop(server.origin), 0, {})).toEqual({ well: false, seen: 'HTTP 503' });
  });

  it('ends a wait that is cancelled', async () => {
    const stop = new AbortController();
    await using server = await listen(async (_, response) => {
      response.writeHead(503).end();
      stop.abort();
    });
    await expect(awaitWell(shop(server.origin), 60, {}, { signal: stop.signal })).rejects.toMatchObject({
      name: expect.stringMatching(/Error$/),
    });
  });
});
