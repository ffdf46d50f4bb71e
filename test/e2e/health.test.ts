/** The user's own SQL, switched-off checks, thresholds and mode check, through the built action. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Target, target } from './support.ts';

let orders: Target;
beforeAll(async () => {
  orders = await target('15.17', '15.18', { checksums: true });
  await mkdir(join(orders.workspace, 'ops'));
});
afterAll(() => orders?.[Symbol.asyncDispose]());

const file = (name: string, text: string): Promise<void> => writeFile(join(orders.workspace, name), text);
const codes = async (): Promise<string[]> => (await orders.record()).issues.map(({ code }) => code);

test('check looks at everything and changes nothing', async () => {
  await file('ops/ok.sql', "SELECT 'fine' AS status, 1 AS n;\nSELECT 2 AS n");
  await orders.spec({
    more: '    health: [ops/ok.sql]\n    checks: { disable: [event-triggers], thresholds: { connections-warning: 0.001 } }',
  });
  await using result = await orders.run('check');
  const record = await orders.record();
  expect([result.exitCode, record.result, await orders.version()]).toEqual([0, 'success', '15.17']);
  expect(
    record.queries.map(({ line, when, status, columns, rows }) => [line, when, status, columns, rows]),
  ).toEqual([
    [1, 'before', 'passed', ['status', 'n'], [['fine', '1']]],
    [2, 'before', 'passed', ['n'], [['2']]],
  ]);
  const check = (id: string) => record.checks.find((each) => each.id === id);
  expect(check('event-triggers')).toMatchObject({ status: 'disabled', seen: ['switched off in the spec'] });
  expect(check('connections')?.status).toBe('warning');
  expect(check('config-preflight')?.status).toBe('passed');
  expect(record.health.before?.databases.map(({ name }) => name)).toContain('shop');
  expect(record.health.after).toBe(null);
  expect(record.release?.lines[0]?.newest).toBe('15.20');
});

test('check says everything that blocks at once: the plan, the checks, the own SQL', async () => {
  await file('ops/bad.sql', "SELECT 'Backup FAILED yesterday' AS severity;\nSELECT 1/0");
  await orders.spec({ version: '15.16', more: '    health: [ops/bad.sql]' });
  await using result = await orders.run('check');
  expect(result.exitCode).toBe(1);
  expect(await codes()).toEqual(['downgrade', 'blocked']);
  const { queries } = await orders.record();
  expect(queries.map(({ status, why }) => [status, why])).toEqual([
    ['blocked', expect.stringContaining('Backup FAILED yesterday')],
    ['error', 'division by zero'],
  ]);
  expect(result.annotations.map(({ message }) => message).join('\n')).toContain('ops/bad.sql:1');
});

test('an own check that turns bad after the upgrade takes it back; one that blocks before keeps it from starting', async () => {
  await file(
    'ops/after.sql',
    "SELECT CASE WHEN current_setting('server_version_num')::int >= 150018 THEN 'critical' ELSE 'ok' END AS status",
  );
  await orders.spec({ more: '    health: [ops/after.sql]' });
  await using back = await orders.run('upgrade');
  expect([back.exitCode, (await orders.record()).result, await orders.version()]).toEqual([
    1,
    'rolled-back',
    '15.17',
  ]);
  expect(await codes()).toContain('validation-health');
  expect((await orders.record()).queries.map(({ when, status }) => [when, status])).toEqual([
    ['before', 'passed'],
    ['after', 'blocked'],
  ]);

  await file('ops/before.sql', "SELECT 'critical' AS status");
  await orders.spec({ more: '    health: [ops/before.sql]' });
  await using refused = await orders.run('upgrade');
  expect([refused.exitCode, (await orders.record()).result, (await orders.record()).steps]).toEqual([
    1,
    'refused',
    [],
  ]);
});

test('files that cannot be used are told before anything is looked at', async () => {
  await symlink('/etc/passwd', join(orders.workspace, 'ops/link.sql'));
  await file('ops/leave.sql', 'SELECT 1;\n\\connect postgres\n');
  await orders.spec({ more: '    health: [ops/none.sql, ops/link.sql, ops/leave.sql]' });
  await using result = await orders.run('check');
  expect(result.exitCode).toBe(1);
  expect(result.annotations.map(({ title, message }) => [title, message.split('\n')[0]])).toEqual([
    ['health-file', 'postgres-upgrade.yaml:3:5 The file ops/none.sql that the spec names does not exist.'],
    [
      'health-file',
      'postgres-upgrade.yaml:3:5 The file ops/link.sql that the spec names leads out of the repository.',
    ],
    [
      'health-sql',
      'postgres-upgrade.yaml:3:5 ops/leave.sql, line 2: \\connect is a command of psql, which does not run here.',
    ],
  ]);
});

test('examples/advice.yaml runs as it stands', async () => {
  const text = await readFile('examples/advice.yaml', 'utf8');
  await cp('examples/ops', join(orders.workspace, 'ops'), { recursive: true });
  await file(
    'postgres-upgrade.yaml',
    text
      .replace('/srv/postgres/orders/data', orders.server.data)
      .replace('port: 5432', `port: ${orders.server.port}`),
  );
  {
    await using connection = await orders.server.connect();
    await connection.script('CREATE TABLE public.an_application (id int)');
  }
  await using result = await orders.run('upgrade');
  const record = await orders.record();
  expect([result.exitCode, record.result, await orders.version()]).toEqual([0, 'success', '15.18']);
  expect(record.steps.map(({ id, state }) => [id, state])).toEqual(
    ['backup', 'preflight', 'checkpoint', 'restart', 'collations', 'validate', 'advice'].map((id) => [
      id,
      'done',
    ]),
  );
  expect(record.queries.map(({ when, status }) => `${when} ${status}`)).toEqual([
    'before passed',
    'before passed',
    'after passed',
    'after passed',
  ]);
  expect(record.facts.filter(({ verdict }) => verdict === 'unexpected')).toEqual([]);
  await using back = await orders.run('rollback');
  expect([back.exitCode, await orders.version()]).toEqual([0, '15.17']);
});
