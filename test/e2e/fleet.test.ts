/** Two targets in two waves, told to Slack and to a webhook: what dist does of it. */
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type ActionOptions, runAction, runPost, startAction } from '../support/runner.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { secretsIn } from './support.ts';

let servers: Record<'orders' | 'stock', TestServer>;
let slack: Receiver;
let audit: Receiver;
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;

/** A day that is not today, not yesterday and not tomorrow, wherever midnight falls while the test runs. */
const farDay = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7];

beforeAll(async () => {
  const [orders, stock] = await Promise.all([testServer('15.17'), testServer('15.17')]);
  servers = { orders, stock };
  [slack, audit] = await Promise.all([startReceiver(), startReceiver()]);
  folder = await mkdtempDisposable(join(tmpdir(), 'workspace-'));
  const target = (name: 'orders' | 'stock', wave: number, more: string): string => `  - name: ${name}
    wave: ${wave}
    postgres: "15.18"
    connection: env:${name.toUpperCase()}_URL
    environment: { kind: embedded, data: ${servers[name].data}, port: ${servers[name].port} }
    notify: [platform-team, audit]
${more}`;
  await writeFile(
    join(folder.path, 'postgres-upgrade.yaml'),
    `version: 1
channels:
  platform-team: { slack: env:SLACK_WEBHOOK_URL }
  audit: { webhook: env:AUDIT_URL, token: env:AUDIT_TOKEN }
targets:
${target('orders', 2, `    windows: [{ days: [${farDay}], hours: "02:00-03:00", time-zone: Europe/Berlin }]\n`)}${target('stock', 1, '')}`,
  );
});

afterAll(async () => {
  for (const each of [...Object.values(servers ?? {}), slack, audit]) await each?.[Symbol.asyncDispose]();
  await folder?.remove();
});

function options(inputs: Record<string, string>): ActionOptions {
  const secrets = {
    ORDERS_URL: servers.orders.url,
    STOCK_URL: servers.stock.url,
    SLACK_WEBHOOK_URL: `${slack.origin}/services/T0/B0/s3cret-path`,
    AUDIT_URL: audit.url,
    AUDIT_TOKEN: 't0ken-of-audit',
  };
  return {
    entry: 'dist/main.js',
    workspace: folder.path,
    inputs: { mode: 'upgrade', artifacts: 'none', 'output-directory': join(folder.path, 'out'), ...inputs },
    env: secrets,
  };
}

async function recordOf(name: string): Promise<UpgradeRecord> {
  return recordSchema.parse(
    JSON.parse(await readFile(join(folder.path, 'out', name, 'report.json'), 'utf8')),
  );
}

/** What the webhook was told since the last look: type, target, result. */
let seen = 0;
function events(): unknown[][] {
  const fresh = audit.received.slice(seen);
  seen = audit.received.length;
  return fresh.map(({ body }) => {
    const { type, subject, data } = JSON.parse(body);
    return [type, subject, data.result];
  });
}

test('the second wave alone is refused: neither its window is open, nor the first wave done', async () => {
  await using result = await runAction(options({ targets: 'orders' }));
  expect(result.exitCode).toBe(1);
  expect(result.outputs.result).toBe('refused');
  expect(result.annotations.map(({ level, title, file }) => [level, title, file])).toEqual([
    ['error', 'orders: window-closed', 'postgres-upgrade.yaml'],
    ['error', 'orders: wave-waits', 'postgres-upgrade.yaml'],
  ]);
  expect(result.annotations[0]?.message).toMatch(
    /opens in \d days?.*02:00 Europe\/Berlin.*input override: window/s,
  );
  expect(result.summary).toContain('stock (wave 1): no upgrade to 15.18 by this action is known here');
  expect(events()).toEqual([['postgres-upgrade.finished', 'orders', 'refused']]);
});

test('an unknown gate is refused before anything', async () => {
  await using result = await runAction(options({ override: 'windows' }));
  expect(result.annotations).toMatchObject([
    { title: 'input', message: expect.stringContaining('The input override is "windows".') },
  ]);
});

test('a run that is killed: the post step tells the end', async () => {
  // Main waits for an answer that never comes.
  slack.answer({ status: 200, stall: true, times: 1 });
  const action = startAction(options({ targets: 'stock' }));
  await expect.poll(() => audit.received.length, { timeout: 60_000 }).toBe(seen + 1);
  action.kill9();
  await using result = await action.done;
  expect(events()).toEqual([['postgres-upgrade.started', 'stock', null]]);
  await using post = await runPost(result);
  expect(post.exitCode).toBe(0);
  expect(events()).toEqual([['postgres-upgrade.finished', 'stock', 'cancelled']]);
  expect(JSON.parse(slack.received.at(-1)?.body ?? '{}').text).toMatch(
    /^stock: cancelled: The run was killed/,
  );
  expect((await recordOf('stock')).communication).toContainEqual(
    expect.objectContaining({
      to: 'webhook audit',
      what: expect.stringMatching(/^cancelled: /),
      delivered: true,
    }),
  );
});

test('both waves in one run: the first is green for the second, the window is overridden by name', async () => {
  const before = slack.received.length;
  await using result = await runAction(options({ override: 'window' }));
  expect(result.exitCode).toBe(0);
  expect(JSON.parse(result.outputs.targets ?? '[]')).toMatchObject([
    { name: 'stock', result: 'success' },
    { name: 'orders', result: 'success' },
  ]);
  expect(events()).toEqual([
    ['postgres-upgrade.started', 'stock', null],
    ['postgres-upgrade.finished', 'stock', 'success'],
    ['postgres-upgrade.started', 'orders', null],
    ['postgres-upgrade.finished', 'orders', 'success'],
  ]);
  const { headers, body } = audit.received.at(-1) ?? { headers: {}, body: '{}' };
  expect(headers).toMatchObject({
    'content-type': 'application/cloudevents+json; charset=utf-8',
    authorization: 'Bearer t0ken-of-audit',
  });
  expect(JSON.parse(body)).toMatchObject({
    specversion: '1.0',
    id: 'octo-org/octo-repo/1658821493/1/orders/upgrade/end',
    source: 'https://github.com/octo-org/octo-repo',
    datacontenttype: 'application/json',
    data: {
      now: '15.18',
      actor: 'octocat',
      url: 'https://github.com/octo-org/octo-repo/actions/runs/1658821493',
      overrides: [{ gate: 'window', by: 'octocat' }],
    },
  });
  expect(slack.received.slice(before).map(({ body: text }) => JSON.parse(text).text)).toEqual([
    'stock: Upgrade of stock from PostgreSQL 15.17 to 15.18 starts.',
    'stock: success: PostgreSQL 15.17 was upgraded to 15.18.',
    'orders: Upgrade of orders from PostgreSQL 15.17 to 15.18 starts.',
    'orders: success: PostgreSQL 15.17 was upgraded to 15.18.',
  ]);

  const record = await recordOf('orders');
  expect(record.overrides).toMatchObject([{ gate: 'window', by: 'octocat' }]);
  expect(record.communication.filter(({ to }) => to === 'Slack channel platform-team')).toMatchObject([
    { delivered: true, why: null },
    { delivered: true, why: null },
  ]);
  expect(result.annotations).toContainEqual(
    expect.objectContaining({ level: 'warning', title: 'orders: override of window' }),
  );
  const page = await readFile(join(folder.path, 'out', 'orders', 'report.html'), 'utf8');
  expect(page).toContain('Overridden by name');
  const everything = [JSON.stringify(record), page, result.log, result.summary].join('\n');
  expect(secretsIn(everything)).toEqual([]);
  for (const secret of ['s3cret-path', 't0ken-of-audit', audit.url]) expect(everything).not.toContain(secret);
});
