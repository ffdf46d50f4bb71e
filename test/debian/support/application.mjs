// A small real application, for tests: takes orders in a loop, and remembers what the server promised to keep.
// Environment: DATABASE_URL, HEALTH_PORT, ACKNOWLEDGED (the file that gets a line for each order: number, time).
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const { DATABASE_URL, HEALTH_PORT, ACKNOWLEDGED } = process.env;
let stopping = false;
let lastWrite = 0;
let client = null;
let number = null;

// A server that vanished sends no reset.
const patience = 2_000;

async function open() {
  const opened = new pg.Client({
    connectionString: DATABASE_URL,
    application_name: 'storefront',
    connectionTimeoutMillis: patience,
    query_timeout: patience,
  });
  // Told by the next query, too.
  opened.on('error', () => {});
  await opened.connect();
  return opened;
}

async function order() {
  client ??= await open();
  if (number === null) {
    const { rows } = await client.query('SELECT coalesce(max(id), 0)::int AS last FROM orders');
    number = rows[0].last;
  }
  number += 1;
  await client.query('INSERT INTO orders (id) VALUES ($1)', [number]);
  appendFileSync(ACKNOWLEDGED, `${number} ${new Date().toISOString()}\n`);
  lastWrite = Date.now();
}

createServer((_request, response) => {
  const ok = Date.now() - lastWrite < 2_000;
  response.writeHead(ok ? 200 : 503, { 'content-type': 'text/plain' }).end(ok ? 'ok\n' : 'no write in 2 s\n');
}).listen(Number(HEALTH_PORT), '127.0.0.1');

process.on('SIGTERM', () => {
  stopping = true;
});
while (!stopping) {
  try {
    await order();
    await sleep(20);
  } catch (cause) {
    process.stderr.write(`${cause.message}\n`);
    client?.end().catch(() => {});
    client = null;
    await sleep(50);
  }
}
await client?.end().catch(() => {});
process.exit(0);
