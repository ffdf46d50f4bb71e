/** Read-only mode through the built action: killed while writes are refused, and what puts it right. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import { runPost } from '../support/runner.ts';
import { type Target, target } from './support.ts';

let orders: Target;
let before: unknown[];
const more = `    backup: { prove: checksum }
    read-only: { databases: [shop], verify: env:SHOP_URL }
    drain: { at-most: 0, timeout: 60 }`;
const variables = (): Record<string, string> => ({
  SHOP_URL: `postgresql://storefront:s3cret-of-shop@127.0.0.1:${orders.server.port}/shop`,
});

beforeAll(async () => {
  orders = await target('15.17', '15.18');
  await orders.spec({ more });
  await using shop = await orders.server.connect('shop');
  await shop.script(
    'CREATE ROLE storefront LOGIN; GRANT CONNECT ON DATABASE shop TO storefront; CREATE TABLE public.note (text text); GRANT ALL ON public.note TO storefront',
  );
  before = await stored();
});
afterAll(() => orders?.[Symbol.asyncDispose]());

/** SQLSTATE of a write of the application in a new session; `ok` where it went through. */
async function write(): Promise<string> {
  await using session = await connect(
    { ...orders.server.settings('shop'), user: 'storefront' },
    { name: 'storefront' },
  );
  return await session.script("INSERT INTO public.note VALUES ('x')").then(
    () => 'ok',
    (cause: unknown) => String((cause as { code?: unknown }).code),
  );
}

async function stored(): Promise<unknown[]> {
  await using connection = await orders.server.connect();
  return await connection.query(
    'SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2',
  );
}

test('killed while writes are refused: the post step accepts them again', async () => {
  await using stubborn = await orders.server.connect();
  await stubborn.script('BEGIN; SELECT 1');
  const action = orders.start('upgrade', { env: variables() });
  await action.line(/1 transaction is open, at most 0 may be/);
  expect(await write()).toBe('25006');
  action.kill9();
  await using result = await action.done;
  expect(await write()).toBe('25006');
  await using post = await runPost(result);

  expect(post.exitCode).toBe(0);
  expect([await write(), await stored()]).toEqual(['ok', before]);
  const record = await orders.record();
  expect(record.state).toBe('PostgreSQL 15.17 serves clients.');
  expect(record.switchedOff).toEqual([
    expect.objectContaining({ id: 'read-only:database:shop', putBackAt: expect.any(String) }),
  ]);
  expect(result.log + post.log + JSON.stringify(record)).not.toContain('s3cret-of-shop');
});

test('killed without a post step: the next run accepts them first, refuses them again, and finishes', async () => {
  await using stubborn = await orders.server.connect();
  await stubborn.script('BEGIN; SELECT 1');
  const action = orders.start('resume', { env: variables() });
  await action.line(/1 transaction is open, at most 0 may be/);
  action.kill9();
  await using _ = await action.done;
  expect(await write()).toBe('25006');
  await stubborn.close();

  await using result = await orders.run('resume', { env: variables() });
  expect(result.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
  expect([await write(), await stored()]).toEqual(['ok', before]);
  expect(result.log).toMatch(/Putting back: database "shop" is read-only[\s\S]*a write fails with 25006/);
});
