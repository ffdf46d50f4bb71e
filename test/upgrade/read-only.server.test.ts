/** Whole upgrades with read-only mode and draining, under a client that keeps writing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fileStore } from '../../src/environments/file-store.ts';
import type { Connection } from '../../src/postgres/connection.ts';
import { openJournal } from '../../src/upgrade/journal.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { client, runOn, stateOf, storedSettings, urlOf } from './read-only-support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await testServer('15.17');
  await using admin = await server.connect();
  await admin.script('CREATE ROLE app LOGIN');
  await admin.script('CREATE DATABASE shop OWNER app');
  await using shop = await client(server, 'shop');
  await shop.script('CREATE TABLE ledger (id int PRIMARY KEY)');
});
afterAll(() => server?.[Symbol.asyncDispose]());
afterEach(async () => {
  if ((await version()) === '15.18') await runOn(server, '', { mode: 'rollback' });
});

async function version(): Promise<string> {
  await using connection = await server.connect();
  const [row] = await connection.query<{ v: string }>(
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS v",
  );
  return row?.v ?? '';
}

/** Every write with the time of its answer: `ok`, or the SQLSTATE. */
interface Written {
  id: number;
  at: number;
  state: string;
}

/** A pool of one: connects again only where its session was ended, never because a write was refused. */
function startWriter(): { done: () => Promise<Written[]> } {
  const written: Written[] = [];
  const stop = new AbortController();
  const worked = (async () => {
    let connection: Connection | null = null;
    for (let id = 1 + Math.trunc(performance.now() * 100); !stop.signal.aborted; id += 1) {
      try {
        connection ??= await client(server, 'shop');
        const state = await stateOf(connection, `INSERT INTO ledger VALUES (${id})`);
        written.push({ id, at: Date.now(), state });
        if (!/^(ok|25006)$/.test(state)) throw new Error(state);
      } catch {
        void connection?.close();
        connection = null;
      }
      await sleep(4);
    }
    await connection?.close();
  })();
  return {
    async done() {
      stop.abort();
      await worked;
      return written;
    },
  };
}

test('every acknowledged write is there, none was accepted meanwhile, and a pool writes again afterwards', async () => {
  const writer = startWriter();
  const before = await storedSettings(server);
  const { record, lines } = await runOn(
    server,
    'read-only: { databases: [shop, postgres], verify: env:APP }\ndrain: { at-most: 0, timeout: 30 }\nadvice: apply',
    { variables: { APP: urlOf(server, 'shop') } },
  );
  // A pool that kept a read-only session would be refused for ever.
  await sleep(300);
  const written = await writer.done();

  expect(record.issues).toEqual([]);
  expect([record.result, await version()]).toEqual(['success', '15.18']);
  const at = (text: string): number => {
    const line = lines.find((each) => each.text.includes(text));
    if (!line) throw new Error(`nobody said ${text}`);
    return line.at;
  };
  const from = at('verified in a new session: a write fails with 25006');
  const to = at('Putting back: database');
  const during = written.filter((each) => each.at >= from && each.at <= to);
  expect(during.filter(({ state }) => state === 'ok')).toEqual([]);
  expect(during.filter(({ state }) => state === '25006').length).toBeGreaterThan(5);
  // The client that measures commits meanwhile: being read-only is no downtime.
  expect(record.downtime?.failures).toBeGreaterThan(0);
  expect(Date.parse(record.downtime?.firstSuccess ?? '')).toBeLessThan(to);
  const end = at('verified in a new session: it is not read-only');
  expect(written.filter((each) => each.at > end).map(({ state }) => state)).toContain('ok');
  expect(written.filter((each) => each.at > end).map(({ state }) => state)).not.toContain('25006');
  await using shop = await server.connect('shop');
  const acknowledged = written.filter(({ state }) => state === 'ok').map(({ id }) => id);
  const kept = new Set((await shop.query<{ id: number }>('SELECT id FROM ledger')).map(({ id }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(50);

  expect(record.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'backup done',
    'preflight done',
    'read-only done',
    'drain done',
    'checkpoint done',
    'restart done',
    'collations done',
    'validate done',
    'read-write done',
    'advice done',
  ]);
  expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
  expect(record.switchedOff.map(({ id, putBackAt }) => [id, putBackAt !== null])).toEqual([
    ['read-only:database:shop', true],
    ['read-only:database:postgres', true],
    ['server', true],
  ]);
  expect(await storedSettings(server)).toEqual(before);
  expect(JSON.stringify([record, lines])).not.toContain('s3cret-of');
});

describe('what does not go well', () => {
  test('draining that gives up: nothing was changed, and the verdict says so', async () => {
    await using stubborn = await client(server, 'postgres');
    await stubborn.script('BEGIN; SELECT 1');
    const { record } = await runOn(
      server,
      'read-only: { databases: [shop] }\ndrain: { at-most: 0, timeout: 1 }\non-failure: stop',
    );
    expect(record).toMatchObject({
      result: 'rolled-back',
      changed: false,
      verdict:
        '1 transaction is still open after 1 seconds, and at most 0 may be. PostgreSQL 15.17 was not stopped, and serves as before.',
      state: 'PostgreSQL 15.17 serves clients.',
      issues: [{ code: 'drain-timeout', resolution: 'PostgreSQL 15.17 was not stopped.' }],
      next: expect.stringMatching(/^process \d+ of "app"/),
    });
    expect(await stateOf(stubborn, 'SELECT 1')).toBe('ok');
    expect(await storedSettings(server)).toEqual([]);
    // Nothing is left to finish.
    const store = fileStore(`${server.data}.upgrade`);
    expect((await openJournal(store, () => new Date())).state().begin).toBeNull();
  });

  test('draining that ends sessions goes on', async () => {
    await using stubborn = await client(server, 'postgres');
    await stubborn.script('BEGIN; SELECT 1');
    const { record } = await runOn(server, 'drain: { at-most: 0, timeout: 1, then: end }');
    expect([record.result, await version()]).toEqual(['success', '15.18']);
    expect(record.steps.find(({ id }) => id === 'drain')?.output[0]).toMatch(/^ended: process \d+ of "app"/);
  });

  test('a failure after the restart: the old version serves, and accepts writes', async () => {
    const { record } = await runOn(
      server,
      'read-only: { databases: [shop] }\nhealth: [{ file: ops.sql, database: shop }]',
      {
        context: {
          files: new Map([
            [
              'ops.sql',
              `SELECT CASE WHEN current_setting('server_version') LIKE '15.18%' THEN 'critical' ELSE 'ok' END AS status`,
            ],
          ]),
        },
      },
    );
    expect([record.result, record.issues.map(({ code }) => code), await version()]).toEqual([
      'rolled-back',
      ['validation-health'],
      '15.17',
    ]);
    expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
    expect(await storedSettings(server)).toEqual([]);
    await using fresh = await client(server, 'shop');
    expect(await stateOf(fresh, 'INSERT INTO ledger VALUES (-1)')).toBe('ok');
  });

  test('a cancel while it is read-only: writes are accepted again', async () => {
    const stop = new AbortController();
    await using stubborn = await client(server, 'postgres');
    await stubborn.script('BEGIN; SELECT 1');
    const { record } = await runOn(
      server,
      'read-only: { databases: [shop] }\ndrain: { at-most: 0, timeout: 60 }',
      {
        context: { signal: stop.signal },
        heard: (line) => line.includes('1 transaction is open') && stop.abort(),
      },
    );
    expect([record.result, record.verdict]).toEqual([
      'cancelled',
      'The run was cancelled; PostgreSQL 15.17 was not changed.',
    ]);
    expect(await storedSettings(server)).toEqual([]);
  });

  /** What a run leaves that was killed in the step read-only: its journal, and perhaps the setting. */
  async function killed(): Promise<void> {
    const journal = await openJournal(fileStore(`${server.data}.upgrade`), () => new Date());
    await journal.begin({ run: 'r', mode: 'upgrade', from: '15.17', wanted: '15.18', target: 'orders' });
    await journal.step('backup', 'done');
    await journal.step('read-only', 'started');
    await journal.switchedOff({
      id: 'read-only:database:shop',
      what: 'database "shop" is read-only',
      detail: { held: { kind: 'database', name: 'shop', before: 'off' }, before: false },
    });
  }

  test.each([
    ['before the setting', 'off'],
    ['behind it', 'on'],
  ])('a run that was killed %s: the next one puts back first, then goes on', async (_, value) => {
    await using admin = await server.connect();
    await admin.script(`ALTER DATABASE shop SET default_transaction_read_only = ${value}`);
    await killed();
    const { record, lines } = await runOn(server, 'read-only: { databases: [shop] }', { mode: 'resume' });
    expect([record.result, await version()]).toEqual(['success', '15.18']);
    expect(await storedSettings(server)).toEqual(['shop {default_transaction_read_only=off}']);
    expect(lines.findIndex(({ text }) => text === 'Putting back: database "shop" is read-only')).toBeLessThan(
      lines.findIndex(({ text }) => text.includes('a write fails with 25006')),
    );
    expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
    await using own = await server.connect();
    await own.script('ALTER DATABASE shop RESET ALL');
  });

  test('a run that was killed behind the restart: the next one validates against a snapshot taken read-only', async () => {
    const first = await runOn(
      server,
      'read-only: { databases: [shop] }\non-failure: stop\nhealth: [{ file: ops.sql, database: shop }]',
      {
        context: {
          files: new Map([
            [
              'ops.sql',
              `SELECT CASE WHEN current_setting('server_version') LIKE '15.18%' THEN 'critical' ELSE 'ok' END AS status`,
            ],
          ]),
        },
      },
    );
    expect([first.record.result, await version()]).toEqual(['failed', '15.18']);
    expect(await storedSettings(server)).toEqual([]);
    const { record } = await runOn(server, 'read-only: { databases: [shop] }\non-failure: stop', {
      mode: 'resume',
    });
    expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
    expect(record.result).toBe('success');
  });

  test('a server that crashed while it was read-only is started, and accepts writes', async () => {
    await using admin = await server.connect();
    await admin.script('ALTER DATABASE shop SET default_transaction_read_only = on');
    await killed();
    await server.stop('immediate');
    const { record } = await runOn(server, '', { mode: 'resume' });
    expect([record.result, await version()]).toEqual(['success', '15.18']);
    expect(await storedSettings(server)).toEqual(['shop {default_transaction_read_only=off}']);
  });
});
