/** The local end of a way to a port: programs stand in for what leads there. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { listen } from '../../src/process/reach.ts';

const refused = 'echo "Stdio forwarding request failed: Session open refused by peer" >&2; exit 255';

/** What a client reads through ways that behave like this, one after the other, and what people are told. */
async function through(...ways: string[]): Promise<{ read: string[]; told: string[] }> {
  const told: string[] = [];
  const left = [...ways];
  const tunnel = await listen(
    async () => ['sh', '-c', left.shift() ?? 'exit 1'],
    (said) => told.push(said),
  );
  const read: string[] = [];
  for (const _ of ways) {
    const socket = createConnection(tunnel.port, tunnel.host);
    await once(socket, 'connect');
    read.push(await text(socket));
  }
  tunnel.close();
  return { read, told };
}

test('who never got there is told why', async () => {
  const { read, told } = await through(refused);
  expect(read).toEqual(['']);
  expect(told).toEqual(['Stdio forwarding request failed: Session open refused by peer']);
});

test('a port that closes for a moment, while its server is restarted, is nothing to warn of', async () => {
  expect(await through('printf hello', refused, 'printf again')).toEqual({
    read: ['hello', '', 'again'],
    told: [],
  });
});
