/** Gates and notifications of real upgrades: two servers in two waves, channels that fail in every way. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LineStore } from '../../src/environments/environment.ts';
import { fileStore } from '../../src/environments/file-store.ts';
import { freePort } from '../../src/postgres/server.ts';
import type { Annotation } from '../../src/process/log.ts';
import type { Gate, Mode, UpgradeRecord } from '../../src/report/record.ts';
import type { Rehearsed } from '../../src/report/record-rehearsal.ts';
import type { RunContext } from '../../src/upgrade/context.ts';
import { openJournal } from '../../src/upgrade/journal.ts';
import { basisOf } from '../../src/upgrade/rehearsed.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { world } from './world.ts';

let servers: Record<'orders' | 'stock', TestServer>;
let receivers: Record<'slack' | 'audit' | 'broken' | 'silent' | 'moved', Receiver>;
let nobody: number;
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;

/** The clock of the runs: Friday evening, and as much later as a test says. */
const friday = Date.parse('2026-11-20T18:00:00.000Z');
const startedAt = Date.now();
const hour = 3_600_000;

beforeAll(async () => {
  const [orders, stock] = await Promise.all([testServer('15.17'), testServer('15.17')]);
  servers = { orders, stock };
  const [slack, audit, broken, silent, moved] = (await Promise.all(
    Array.from({ length: 5 }, () => startReceiver()),
  )) as [Receiver, Receiver, Receiver, Receiver, Receiver];
  receivers = { slack, audit, broken, silent, moved };
  broken.answer({ status: 500 });
  silent.answer({ status: 200, stall: true });
  moved.answer({ status: 302, headers: { location: audit.url } });
  nobody = await freePort();
  folder = await mkdtempDisposable(join(tmpdir(), 'pgu-fleet-'));
});
afterAll(async () => {
  for (const each of [...Object.values(servers ?? {}), ...Object.values(receivers ?? {})])
    await each[Symbol.asyncDispose]();
  await folder?.remove();
});

const targetText = (name: 'orders' | 'stock', more: string): string =>
  [
    `  - name: ${name}`,
    '    postgres: "15.18"',
    `    connection: env:${name.toUpperCase()}_URL`,
    `    environment: { kind: embedded, data: ${servers[name].data}, port: ${servers[name].port} }`,
    '    backup: { prove: checksum }',
    more,
    '',
  ].join('\n');

const spec = (ofStock: string): string => `version: 1
soak: 12h
channels:
  team: { slack: env:SLACK_URL }
  audit: { webhook: env:AUDIT_URL, token: env:AUDIT_TOKEN, at: [end] }
  broken: { slack: env:BROKEN_URL, at: [start] }
  silent: { webhook: env:SILENT_URL, at: [start] }
  moved: { webhook: env:MOVED_URL, at: [start] }
  nobody: { webhook: env:NOBODY_URL, at: [start] }
  clear: { webhook: env:CLEAR_URL, at: [start] }
  unset: { webhook: env:UNSET_URL, at: [start] }
targets:
${targetText('orders', '    wave: 2\n    windows: [{ days: [sun], hours: "02:00-03:00" }]\n    notify: [team, audit]')}
${targetText('stock', ofStock)}`;

interface Ran {
  record: UpgradeRecord;
  annotations: Annotation[];
  took: number;
}

async function run(
  name: 'orders' | 'stock',
  mode: Mode,
  {
    hours = 0,
    overrides = [] as Gate[],
    signal = new AbortController().signal,
    more = '    notify: [audit, team]',
  } = {},
): Promise<Ran> {
  using here = await world();
  const annotations: Annotation[] = [];
  const target = load(spec(more)).find((each) => each.spec.name === name);
  if (!target) throw new Error('the spec has no such target');
  const context: RunContext = {
    ...here.run.context,
    mode,
    signal,
    log: { ...here.run.context.log, annotate: (annotation) => void annotations.push(annotation) },
    variables: {
      ORDERS_URL: servers.orders.url,
      STOCK_URL: servers.stock.url,
      SLACK_URL: `${receivers.slack.origin}/services/T0/B0/s3cret`,
      AUDIT_URL: receivers.audit.url,
      AUDIT_TOKEN: 't0ken-of-audit',
      BROKEN_URL: receivers.broken.url,
      SILENT_URL: receivers.silent.url,
      MOVED_URL: receivers.moved.url,
      NOBODY_URL: `http://127.0.0.1:${nobody}/s3cret`,
      CLEAR_URL: 'http://192.0.2.1/s3cret',
    },
    outputDirectory: folder.path,
    overrides: new Set(overrides),
    now: () => new Date(friday + Date.now() - startedAt + hours * hour),
  };
  const begun = Date.now();
  const record = await runTarget(target, context);
  return { record, annotations, took: Date.now() - begun };
}

async function version(name: 'orders' | 'stock'): Promise<string> {
  await using connection = await servers[name].connect();
  const [row] = await connection.query<{ v: string }>('SHOW server_version');
  return String(Object.values(row ?? {})[0]).replace(/ .*/, '');
}

/** To whom, what, whether it arrived, and why not. */
type Told = [string, string, boolean, string | null];

/** Channels are told at the same time. */
const byChannel = ([a]: Told, [b]: Told): number => (a < b ? -1 : a > b ? 1 : 0);

const told = ({ communication }: UpgradeRecord): Told[] =>
  communication
    .filter(({ to }) => to !== 'terminal')
    .map(({ to, what, delivered, why }): Told => [to, what, delivered, why])
    .toSorted(byChannel);

/** The journal of an upgrade that died in a step. */
async function unfinished(name: 'orders' | 'stock', step: string): Promise<LineStore> {
  const store = fileStore(`${servers[name].data}.upgrade`);
  const journal = await openJournal(store, () => new Date(friday));
  await journal.begin({ run: 'r', mode: 'upgrade', from: '15.17', wanted: '15.18', target: name });
  await journal.step(step, 'started');
  return store;
}

describe('a fleet of two', () => {
  test('a plan says what an upgrade would be refused for, and tells nobody', async () => {
    const { record, annotations } = await run('orders', 'plan');
    expect([record.result, record.verdict]).toEqual([
      'success',
      'Ready, but at this time an upgrade would be refused: its maintenance window is closed, and an earlier wave is not done. Nothing was changed.',
    ]);
    expect(record.next).toMatch(
      /^Wait until the maintenance window is open, and the earlier waves are done\.\n/,
    );
    expect(record.plan?.notes.filter((note) => note.startsWith('At this time'))).toEqual([
      expect.stringContaining('No maintenance window of orders is open.'),
      expect.stringContaining('stock (wave 1): no upgrade to 15.18 by this action is known here.'),
    ]);
    expect(annotations.filter(({ title }) => title.includes('at this time'))).toHaveLength(2);
    expect(told(record)).toEqual([]);
  });

  test('the second wave is refused, outside of its window too; both are told together', async () => {
    const { record, annotations } = await run('orders', 'upgrade');
    expect(record).toMatchObject({
      result: 'refused',
      changed: false,
      overrides: [],
      issues: [
        { code: 'window-closed', resolution: 'Nothing was changed.' },
        { code: 'wave-waits', resolution: 'Nothing was changed.' },
      ],
      state: 'PostgreSQL 15.17 serves clients.',
    });
    expect(record.verdict).toMatch(
      /^No maintenance window of orders is open\. .* orders \(wave 2\) waits for a target of an earlier wave\. .* Nothing was changed\.$/,
    );
    expect(record.next).toMatch(/override: window.*\n.*override: wave/s);
    expect(record.checks).toEqual([]);
    expect(annotations.map(({ title }) => title)).toEqual(['orders: window-closed', 'orders: wave-waits']);
    // It never started; that it was refused is told nevertheless.
    expect(told(record)).toEqual([
      ['Slack channel team', `refused: ${record.verdict}`, true, null],
      ['webhook audit', `refused: ${record.verdict}`, true, null],
    ]);
    expect(receivers.audit.received).toHaveLength(1);
    expect(receivers.audit.received[0]?.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      authorization: 'Bearer t0ken-of-audit',
    });
  });

  test('a run that died in its backup has begun nothing: the next one is refused again', async () => {
    const journal = await unfinished('orders', 'backup');
    const { record } = await run('orders', 'upgrade');
    expect([record.result, ...record.issues.map(({ code }) => code)]).toEqual([
      'refused',
      'window-closed',
      'wave-waits',
    ]);
    expect((await openJournal(journal, () => new Date())).state().begin).not.toBeNull();
    await journal.discard();
  });

  test('the first wave is upgraded, whatever becomes of its notifications', async () => {
    const { record, annotations, took } = await run('stock', 'upgrade', {
      more: '    notify: [audit, team, broken, silent, moved, nobody, clear, unset]',
    });
    expect([record.result, await version('stock')]).toEqual(['success', '15.18']);
    const starts = 'Upgrade of stock from PostgreSQL 15.17 to 15.18 starts.';
    const expected: Told[] = [
      ['Slack channel team', starts, true, null],
      ['Slack channel broken', starts, false, 'HTTP 500'],
      ['webhook silent', starts, false, 'no answer within 5 seconds'],
      ['webhook moved', starts, false, 'the answer was a redirect (HTTP 302), which is not followed'],
      ['webhook nobody', starts, false, 'the connection was refused'],
      ['webhook clear', starts, false, 'its address is not an https URL'],
      ['webhook unset', starts, false, 'The environment variable UNSET_URL is not set'],
      ['webhook audit', 'success: PostgreSQL 15.17 was upgraded to 15.18.', true, null],
      ['Slack channel team', 'success: PostgreSQL 15.17 was upgraded to 15.18.', true, null],
    ];
    expect(told(record)).toEqual(expected.toSorted(byChannel));
    expect(
      annotations
        .filter(({ level }) => level === 'warning')
        .map(({ title }) => title)
        .toSorted(),
    ).toEqual([
      'stock: Slack channel broken was not told',
      'stock: webhook clear was not told',
      'stock: webhook moved was not told',
      'stock: webhook nobody was not told',
      'stock: webhook silent was not told',
      'stock: webhook unset was not told',
    ]);
    expect(receivers.broken.received).toHaveLength(2);
    expect(receivers.silent.received).toHaveLength(1);
    expect(took).toBeLessThan(60_000);
    const text = JSON.stringify([record, annotations]);
    for (const secret of ['s3cret', 't0ken-of-audit', receivers.broken.url])
      expect(text).not.toContain(secret);

    const event = JSON.parse(receivers.audit.received.at(-1)?.body ?? '{}');
    expect(event).toMatchObject({
      specversion: '1.0',
      id: `${record.id}/end`,
      type: 'postgres-upgrade.finished',
      subject: 'stock',
      data: {
        from: '15.17',
        wanted: '15.18',
        now: '15.18',
        result: 'success',
        planDigest: record.plan?.digest,
      },
    });
    expect(event.data.downtimeMs).toBe(record.downtime?.longestGapMs);
    expect(receivers.slack.received.map(({ path, body }) => [path, JSON.parse(body).text])).toEqual([
      ['/services/T0/B0/s3cret', expect.stringMatching(/^orders: refused: /)],
      ['/services/T0/B0/s3cret', expect.stringMatching(/^orders: refused: /)],
      ['/services/T0/B0/s3cret', `stock: ${starts}`],
      ['/services/T0/B0/s3cret', 'stock: success: PostgreSQL 15.17 was upgraded to 15.18.'],
    ]);
  });

  test('nothing to do is no news, and does not begin the soak anew', async () => {
    const before = receivers.slack.received.length;
    const { record } = await run('stock', 'upgrade', { hours: 11 });
    expect([record.result, told(record)]).toEqual(['skipped', []]);
    expect(receivers.slack.received).toHaveLength(before);
  });

  test('the second wave waits until the first has soaked', async () => {
    const { record } = await run('orders', 'upgrade', { hours: 11, overrides: ['window'] });
    expect(record.result).toBe('refused');
    expect(record.issues.map(({ code }) => code)).toEqual(['wave-waits']);
    expect(record.verdict).toMatch(
      /stock \(wave 1\): green since 2026-11-20 18:0\d:\d\d UTC, and must be for 12 hours: (1 hour|1 hour 1 minute|5\d minutes|60 minutes) to go\. Nothing was changed\.$/,
    );
    expect(await version('orders')).toBe('15.17');
  });

  test('then it starts; the window is overridden by name, and the record shows it', async () => {
    const { record, annotations } = await run('orders', 'upgrade', {
      hours: 13,
      overrides: ['window', 'wave'],
    });
    expect([record.result, await version('orders')]).toEqual(['success', '15.18']);
    expect(record.overrides).toEqual([
      {
        gate: 'window',
        by: expect.stringMatching(/ on /),
        what: expect.stringMatching(
          /^No maintenance window of orders is open\..*Sunday 22 November 2026, 02:00 UTC/,
        ),
      },
    ]);
    expect(annotations.map(({ title }) => title)).toContain('orders: override of window');
    expect(record.communication.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^Override of window by .*: No maintenance window/),
    );
    const event = JSON.parse(receivers.audit.received.at(-1)?.body ?? '{}');
    expect(event.data.overrides).toEqual(record.overrides);
  });

  test('the way back is never refused, and is told', async () => {
    const { record } = await run('stock', 'rollback', { hours: 14 });
    expect(record.result).toBe('rolled-back');
    expect(told(record).filter(([to]) => to === 'Slack channel team')).toEqual([
      ['Slack channel team', 'Rollback of stock from PostgreSQL 15.18 to 15.17 starts.', true, null],
      ['Slack channel team', 'rolled-back: PostgreSQL 15.18 went back to 15.17.', true, null],
    ]);
  });

  test('an upgrade that demands a rehearsal waits for one that passed and is recent', async () => {
    const more = '    require-rehearsal: 7d';
    const upgrade = (hours: number): Promise<Ran> => run('stock', 'upgrade', { hours, more });
    using here = await world();
    const asked = load(spec(more)).find((each) => each.spec.name === 'stock');
    if (!asked) throw new Error('the spec has no such target');
    const basis = basisOf({ spec: asked.spec, context: here.run.context });
    const plant = async (hours: number, changes: Partial<Rehearsed>): Promise<void> => {
      const now = new Date(friday + hours * hour);
      const journal = await openJournal(
        fileStore(join(`${servers.stock.data}.upgrade`, 'rehearsals')),
        () => now,
      );
      await journal.begin({ run: 'r', mode: 'rehearse', from: '15.17', wanted: '15.18' });
      await journal.rehearsed({
        ...{
          at: now.toISOString(),
          passed: true,
          from: '15.17',
          wanted: '15.18',
          exact: true,
          run: 'nightly',
        },
        ...{ expectedDowntimeMs: 300, restoreMs: 900, failure: null, taken: null, basis, ...changes },
      });
      await journal.end('success', 'archive');
    };
    const refusal = async (hours: number): Promise<string> => {
      const { record } = await upgrade(hours);
      expect([record.result, ...record.issues.map(({ code }) => code)]).toEqual([
        'refused',
        'rehearsal-missing',
      ]);
      return record.verdict;
    };

    expect(await refusal(15)).toContain('No rehearsal from 15.17 to 15.18 is known here.');
    await plant(16, { passed: false, failure: 'Restore: a view broke' });
    expect(await refusal(17)).toContain(
      'The last one (nightly, 2026-11-21 10:00:00 UTC) failed: Restore: a view broke.',
    );
    await plant(17, { basis: 'other SQL' });
    expect(await refusal(17)).toContain('failed: Restore: a view broke.');
    await plant(18, {});
    expect(await refusal(18 + 24 * 8)).toMatch(/is 8 days old/);
    await plant(18, { taken: new Date(friday - 30 * 24 * hour).toISOString() });
    expect(await refusal(18)).toContain('used a backup that is 30 days 18 hours old, and may be 7 days');
    await plant(18, {});
    expect(await refusal(18 + 24 * 8)).toMatch(/is 8 days old, and may be 7 days\. Nothing was changed\.$/);
    expect((await upgrade(19)).record.result).toBe('success');
    expect((await run('stock', 'rollback', { hours: 20 })).record.result).toBe('rolled-back');
  });

  test('an upgrade that was begun is finished at any hour', async () => {
    await unfinished('stock', 'checkpoint');
    const { record } = await run('stock', 'upgrade', {
      hours: 21,
      more: '    windows: [{ days: [sun], hours: "02:00-03:00" }]',
    });
    expect([record.result, record.overrides]).toEqual(['success', []]);
    expect((await run('stock', 'rollback', { hours: 22 })).record.result).toBe('rolled-back');
  });

  test('a run that is being cancelled tells it within three seconds', async () => {
    const stop = new AbortController();
    stop.abort();
    receivers.slack.answer({ status: 200, stall: true, times: 1 });
    const { record, took } = await run('stock', 'upgrade', { hours: 23, signal: stop.signal });
    expect(record.result).toBe('cancelled');
    expect(told(record)).toEqual([
      [
        'Slack channel team',
        'cancelled: The run was cancelled before anything was changed.',
        false,
        expect.stringMatching(/^(no answer within 3 seconds|there was no time left for it)$/),
      ],
      ['webhook audit', 'cancelled: The run was cancelled before anything was changed.', true, null],
    ]);
    expect(took).toBeLessThan(8000);
  });
});
