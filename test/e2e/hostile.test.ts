/** Text from a database is shown as text: in the log, in the summary, on the page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testServer } from '../support/servers.ts';
import { type Target, targetFor } from './support.ts';

let orders: Target;

const names = {
  table: '"<script>alert(1)</script>"',
  role: '"back`tick|pipe <img src=x onerror=alert(1)> @octocat"',
  trigger: '"::error::owned"',
  index: '"x\n::set-output name=result::owned\n##[error]owned"',
};

beforeAll(async () => {
  orders = await targetFor(await testServer('15.17'), '15.18');
  await using connection = await orders.server.connect();
  await connection.script(`CREATE ROLE ${names.role}`);
  await connection.script(`CREATE UNLOGGED TABLE ${names.table} (id int)`);
  await connection.script(`INSERT INTO ${names.table} VALUES (1), (1)`);
  await connection
    .script(`CREATE UNIQUE INDEX CONCURRENTLY ${names.index} ON ${names.table} (id)`)
    .catch(() => {});
  await connection.script(`CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$`);
  await connection.script(`CREATE EVENT TRIGGER ${names.trigger} ON ddl_command_end EXECUTE FUNCTION f()`);
  await connection.script(`ALTER TABLE ${names.table} OWNER TO ${names.role}`);
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
});

test('names that look like commands, tags and mentions stay names', async () => {
  await using result = await orders.run('upgrade');

  expect(result.log).toContain('SUCCESS');
  expect(result.outputs.result).toBe('success');
  // No workflow command came of it: every annotation is our own, and the outputs are.
  expect(result.annotations.filter(({ level }) => level === 'error')).toEqual([]);
  expect(result.annotations.every(({ title }) => title?.startsWith('orders'))).toBe(true);
  expect(result.rawLog).not.toMatch(/^::error::owned/m);
  expect(result.rawLog).not.toMatch(/^::set-output/m);
  expect(result.rawLog).not.toContain('##[error]owned');

  const html = await readFile(join(orders.output, 'orders', 'report.html'), 'utf8');
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  for (const text of [html, result.summary]) {
    expect(text).not.toContain('<script');
    expect(text).not.toContain('<img');
  }
  expect(result.summary).not.toMatch(/(^|\s)@octocat/);
});
