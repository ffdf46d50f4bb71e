/** Deliveries to real servers on loopback: what is sent, what is tried again, and what a failure is called. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { mayReceive } from '../../src/notify/address.ts';
import { type Patience, post } from '../../src/notify/post.ts';
import { freePort } from '../../src/postgres/server.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const quick: Patience = { answer: 300, retry: 10 };
const forever = new AbortController().signal;

async function told(
  receiver: Receiver,
  patience: Patience = quick,
  signal: AbortSignal = forever,
): Promise<[string | null, number]> {
  const message = { url: receiver.url, contentType: 'application/json', body: '{}', token: null };
  return [await post(message, patience, signal), receiver.received.length];
}

it('posts the body with its type and its token', async () => {
  await using receiver = await startReceiver();
  const message = { url: receiver.url, contentType: 'text/x', body: '{"a":"ä"}', token: 't0ken' };
  expect(await post(message, quick, forever)).toBeNull();
  expect(receiver.received).toEqual([
    {
      method: 'POST',
      path: '/reports',
      body: '{"a":"ä"}',
      headers: expect.objectContaining({
        'content-type': 'text/x',
        authorization: 'Bearer t0ken',
        'user-agent': 'postgres-upgrade-action',
      }),
    },
  ]);
});

it.each([[500], [503], [429]])('HTTP %i is tried once more', async (status) => {
  await using receiver = await startReceiver();
  receiver.answer({ status, times: 1 });
  expect(await told(receiver)).toEqual([null, 2]);
  expect(receiver.received[0]?.headers.authorization).toBeUndefined();
  receiver.answer({ status });
  expect(await told(receiver)).toEqual([`HTTP ${status}`, 4]);
});

it.each([[400], [403], [404], [410]])('HTTP %i is not', async (status) => {
  await using receiver = await startReceiver();
  receiver.answer({ status });
  expect(await told(receiver)).toEqual([`HTTP ${status}`, 1]);
});

it('waits as long as the receiver asks, within bounds', async () => {
  await using receiver = await startReceiver();
  receiver.answer({ status: 429, times: 1, headers: { 'retry-after': '1' } });
  const begun = Date.now();
  expect(await told(receiver)).toEqual([null, 2]);
  expect(Date.now() - begun).toBeGreaterThanOrEqual(990);
  receiver.answer({ status: 429, times: 1, headers: { 'retry-after': '3600' } });
  expect(await told(receiver, quick, AbortSignal.timeout(100))).toEqual(['HTTP 429', 3]);
});

it('follows no redirect', async () => {
  await using receiver = await startReceiver();
  await using elsewhere = await startReceiver();
  receiver.answer({ status: 307, headers: { location: elsewhere.url } });
  expect(await told(receiver)).toEqual(['the answer was a redirect (HTTP 307), which is not followed', 1]);
  expect(elsewhere.received).toEqual([]);
});

it('does not wait for ever, and does not tell twice what may have arrived', async () => {
  await using receiver = await startReceiver();
  receiver.answer({ status: 200, stall: true });
  expect(await told(receiver)).toEqual(['no answer within 0.3 seconds', 1]);
  expect(await told(receiver, { answer: 60_000, retry: 10 }, AbortSignal.timeout(50))).toEqual([
    'there was no time left for it',
    2,
  ]);
});

it('says that nobody listens, and never where', async () => {
  const port = await freePort();
  const message = { url: `http://127.0.0.1:${port}/T0/B0/s3cret`, contentType: 'x', body: '', token: null };
  expect(await post(message, quick, forever)).toBe('the connection was refused');
});

it('tries a connection that breaks once more', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  const message = { url: `http://127.0.0.1:${address.port}/`, contentType: 'x', body: 'b', token: null };
  expect(await post(message, quick, forever)).toBe('the connection was closed');
  expect(connections).toBe(2);
  server.close();
});

it('does not spread a token that no header can hold', async () => {
  await using receiver = await startReceiver();
  const message = { url: receiver.url, contentType: 'x', body: '', token: 'two\nlines' };
  expect(await post(message, quick, forever)).toBe('the message could not be sent');
});

it.each([
  ['https://hooks.slack.com/services/T/B/x', true],
  ['http://127.0.0.1:8080/', true],
  ['http://localhost/', true],
  ['http://[::1]:1/', true],
  ['http://10.0.0.1/', false],
  ['http://127.0.0.1.example.com/', false],
  ['ftp://127.0.0.1/', false],
  ['hooks.slack.com', false],
  ['', false],
])('%s may receive: %s', (url, may) => expect(mayReceive(url)).toBe(may));
