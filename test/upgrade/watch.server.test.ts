/** Real upgrades that are observed: each planted fault ends with a server that serves, and the application on. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { serverPid } from '../../src/postgres/server.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { until } from '../support/targets.ts';
import { type Application, application, carryOut } from './watch-support.ts';

let server: TestServer;
let shop: Application;

beforeAll(async () => {
  server = await testServer('15.17');
  await using connection = await server.connect();
  await connection.query('CREATE TABLE public.refresh (last_error text)');
});
afterAll(() => server?.[Symbol.asyncDispose]());

beforeEach(async () => {
  shop = await application();
  await shop.start();
  await until(shop.isWell, (well) => well);
});
afterEach(async () => {
  await shop[Symbol.asyncDispose]();
  const back = await carryOut(server, { mode: 'rollback' });
  expect(['rolled-back', 'failed', 'skipped']).toContain(back.record.result);
  expect(await version()).toBe('15.17');
});

async function version(): Promise<string> {
  await using connection = await server.connect();
  const [row] = await connection.query<{ v: string }>(
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS v",
  );
  return row?.v ?? '';
}

const spec = (applications: string, watch = '{ for: 3s, every: 1 }', more = ''): string =>
  `applications:\n${applications}\nwatch: ${watch}\n${more}`;

/** Does something once, when the target has been observed for so many looks. */
function atLook(
  looks: number,
  act: (stop: AbortController) => unknown,
): (line: string, stop: AbortController) => void {
  let done = false;
  return (line, stop) => {
    if (done || !line.includes(`observing: `) || !line.includes(`, ${looks} look`)) return;
    done = true;
    void act(stop);
  };
}

const steps = ({ steps: all }: UpgradeRecord): string[] => all.map(({ id, state }) => `${id} ${state}`);

test('an upgrade that is observed to the end', async () => {
  const { record, lines } = await carryOut(server, {
    more: spec(shop.stopped, '{ for: 2s, every: 1 }'),
  });
  expect(record).toMatchObject({ result: 'success', versions: { now: '15.18' } });
  expect(steps(record).slice(-2)).toEqual(['start-applications done', 'watch done']);
  expect(record.watch).toMatchObject({
    applications: [{ name: 'shop', before: 'well', beforeSeen: 'HTTP 200', looks: 3, failures: 0 }],
    observed: {
      looks: 3,
      connections: { attempts: 3, failures: 0 },
      log: expect.stringMatching(/\.log$/),
      limit: null,
    },
  });
  expect(lines.join('\n')).toContain(
    'left, 1 look, 1 new connection, none failed; shop answered 1 of 1 times',
  );
  expect(await shop.isWell()).toBe(true);
});

test('the server is killed: noticed at once, and the version before serves again', async () => {
  const { record } = await carryOut(server, {
    more: spec(shop.stopped, '{ for: 1m, every: 30 }'),
    onLine: atLook(1, async () => {
      const pid = await serverPid(server.data);
      if (pid !== null) process.kill(pid, 'SIGKILL');
    }),
  });
  // The next look would come after 30 seconds, a new connection comes after 10: two tries later it is certain.
  expect(record).toMatchObject({
    result: 'rolled-back',
    versions: { now: '15.17' },
    state: 'PostgreSQL 15.17 serves clients.',
    watch: { observed: { limit: { name: 'connections' }, connections: { failures: 3 }, looks: 1 } },
  });
  expect(record.issues.map(({ code }) => code)).toEqual(['watch-limit']);
  expect(await shop.isWell()).toBe(true);
});

test('the application dies a second after its start: taken back, and started again', async () => {
  await shop.make('dies');
  const { record } = await carryOut(server, {
    more: spec(shop.stopped, '{ for: 20s, every: 1 }'),
    // What ails it is the new version.
    onLine: (line) => void (line.includes('Going back') && rm(join(shop.folder, 'dies'))),
  });
  expect(record).toMatchObject({
    result: 'rolled-back',
    versions: { now: '15.17' },
    watch: { observed: { limit: { name: 'applications' } } },
  });
  expect(record.verdict).toMatch(
    /shop does not answer at http:\/\/localhost:\d+\/health \(connect ECONNREFUSED .*\) \(since .*\)\. The target went back to PostgreSQL 15\.17\.$/,
  );
  expect(record.steps.find(({ id }) => id === 'applications')?.output).toEqual([
    expect.stringMatching(/^shop does not answer \(connect ECONNREFUSED .*\): it is started again$/),
  ]);
  expect(record.switchedOff.filter(({ id }) => id === 'application:shop')).toMatchObject([
    { what: 'application shop is stopped', putBackAt: expect.any(String) },
    { what: 'application shop does not answer since the way back', putBackAt: expect.any(String) },
  ]);
  expect(await shop.starts()).toBe(3);
  expect(await shop.isWell()).toBe(true);
});

test('an application that was sick before is told of, and takes nothing back', async () => {
  await shop.make('sick');
  const warning =
    /^warning orders: shop does not answer: http:\/\/localhost:\d+\/health: HTTP 503\. Nothing was changed yet/;
  const plan = await carryOut(server, { mode: 'plan', more: spec(shop.watched) });
  expect(plan.record).toMatchObject({
    result: 'success',
    watch: { applications: [{ before: 'unwell' }], observed: null },
  });
  expect(plan.lines.filter((line) => warning.test(line))).toHaveLength(1);
  const { record, lines } = await carryOut(server, { more: spec(shop.watched, '{ for: 2s, every: 1 }') });
  expect(lines.filter((line) => warning.test(line))).toHaveLength(1);
  expect(record).toMatchObject({
    result: 'success',
    versions: { now: '15.18' },
    watch: { applications: [{ before: 'unwell', beforeSeen: 'HTTP 503', looks: 3, failures: 3 }] },
  });
});

test('an application that is only watched and does not come back after the restart', async () => {
  const { record } = await carryOut(server, {
    more: spec(shop.watched),
    onLine: (line) => {
      if (/^\d+\/\d+ Restart on/.test(line)) void shop.make('sick');
      if (line.includes('Going back')) void rm(join(shop.folder, 'sick'));
    },
  });
  expect(record.result).toBe('rolled-back');
  expect(record.verdict).toContain(
    `shop was not stopped, but ${shop.health} did not answer within 3 seconds (HTTP 503).`,
  );
  expect(steps(record)).toContain('start-applications failed');
  expect(await shop.isWell()).toBe(true);
});

test('errors of an extension that appear while it is observed', async () => {
  const { record } = await carryOut(server, {
    more: spec(
      shop.stopped,
      '{ for: 20s, every: 1 }',
      'extensions: { plpgsql: { database: postgres, errors-sql: SELECT count(last_error) FROM public.refresh } }',
    ),
    onLine: atLook(2, async () => {
      await using connection = await server.connect();
      await connection.query("INSERT INTO public.refresh VALUES ('division by zero')");
    }),
  });
  expect(record).toMatchObject({ result: 'rolled-back', versions: { now: '15.17' } });
  expect(record.verdict).toContain('the errors of plpgsql in postgres grew from 0 to 1');
  await using connection = await server.connect();
  const rows = await connection.query('DELETE FROM public.refresh RETURNING last_error');
  expect(rows).toHaveLength(1);
});

test('a database that takes no new connections', async () => {
  const allow = async (allowed: boolean): Promise<void> => {
    await using connection = await server.connect('template1');
    await connection.query(`ALTER DATABASE postgres WITH ALLOW_CONNECTIONS ${allowed}`);
  };
  const { record } = await carryOut(server, {
    more: spec(shop.stopped, '{ for: 1m, every: 1 }'),
    onLine: (line, stop) => {
      atLook(2, () => allow(false))(line, stop);
      if (line.includes('Going back')) void allow(true);
    },
  });
  expect(record).toMatchObject({
    result: 'rolled-back',
    watch: { observed: { limit: { name: 'connections' }, connections: { failures: 3 } } },
  });
  expect(record.verdict).toContain('is not currently accepting connections');
});

test('cancelled in the middle: the upgrade stays; resume observes anew', async () => {
  const more = spec(shop.stopped, '{ for: 1m, every: 1 }');
  const { record } = await carryOut(server, { more, onLine: atLook(2, (stop) => stop.abort()) });
  expect(record).toMatchObject({
    result: 'cancelled',
    versions: { now: '15.18' },
    verdict:
      'The run was cancelled while the target was observed: PostgreSQL 15.18 serves and was found good; it was not observed to the end.',
    next: 'Run the action with mode: resume and targets: orders. It observes the target anew, and finishes. To go back: mode: rollback.',
    watch: { observed: { looks: 2, limit: null } },
  });
  expect(steps(record).at(-1)).toBe('watch interrupted');
  expect(await shop.isWell()).toBe(true);
  const resumed = await carryOut(server, {
    mode: 'resume',
    more: spec(shop.stopped, '{ for: 1s, every: 1 }'),
  });
  expect(resumed.record).toMatchObject({ result: 'success', versions: { now: '15.18' } });
  expect(steps(resumed.record).slice(-3)).toEqual([
    'validate already-done',
    'start-applications done',
    'watch done',
  ]);
});

test('rolled back by hand while the application is down: it is started again', async () => {
  const more = spec(shop.stopped, '{ for: 1s, every: 1 }');
  expect((await carryOut(server, { more })).record.result).toBe('success');
  await shop.stop();
  const { record } = await carryOut(server, { mode: 'rollback', more });
  expect(record).toMatchObject({
    result: 'rolled-back',
    versions: { now: '15.17' },
    switchedOff: expect.arrayContaining([
      expect.objectContaining({ id: 'application:shop', putBackAt: expect.any(String) }),
    ]),
  });
  expect(steps(record).at(-1)).toBe('applications done');
  expect(await shop.isWell()).toBe(true);
});

test('on-failure: stop leaves the new version, and resume observes it anew', async () => {
  const more = (watch: string): string => spec(shop.stopped, watch, 'on-failure: stop');
  const { record } = await carryOut(server, {
    more: more('{ for: 20s, every: 1 }'),
    onLine: atLook(2, () => shop.make('sick')),
  });
  expect(record).toMatchObject({
    result: 'failed',
    versions: { now: '15.18' },
    watch: { observed: { limit: { name: 'applications' } } },
  });
  await rm(join(shop.folder, 'sick'));
  const resumed = await carryOut(server, { mode: 'resume', more: more('{ for: 1s, every: 1 }') });
  expect(resumed.record).toMatchObject({ result: 'success', watch: { observed: { looks: 2, limit: null } } });
});
