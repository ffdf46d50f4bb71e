/** A rollback that restores, killed between any two of its steps: the next one finds its way, and nothing is half. */
import { expect, test } from 'vitest';
import { finish } from '../../src/upgrade/finish.ts';
import { openTarget, recorderFor } from '../../src/upgrade/run-target.ts';
import { contextOf, targetOf } from './restore-run.ts';
import {
  application,
  codes,
  consent,
  databases,
  exchanged,
  killed,
  rows,
  run,
  told,
  untouched,
  upgradedShop,
  wish,
} from './restore-world.ts';

upgradedShop();

const closed = ['billing (closed)', 'orders (closed)', 'postgres'];
const copy = (name: string): string => `${name}_restoring_TIME`;

test.each([
  ['before the first copy', { killBefore: '^CREATE DATABASE' }, untouched],
  ['behind it, empty', { killAfter: '^CREATE DATABASE' }, [...untouched, copy('billing')]],
  ['filled, without its settings', { killBefore: 'CONNECTION LIMIT -1' }, [...untouched, copy('billing')]],
  ['before the second copy', { killBefore: '^CREATE DATABASE "orders' }, [...untouched, copy('billing')]],
  [
    'before the exchange',
    { killBefore: 'ALLOW_CONNECTIONS false$' },
    [...untouched, copy('billing'), copy('orders')],
  ],
  [
    'with both closed',
    { killBefore: '^BEGIN; ALTER DATABASE' },
    [...closed, copy('billing'), copy('orders')],
  ],
  ['exchanged, and nobody wrote it down', { killAfter: '^BEGIN; ALTER DATABASE' }, exchanged],
  [
    'at the very end',
    { killBefore: 'pg_database_size\\(oid\\)::text AS bytes FROM pg_database WHERE datname' },
    exchanged,
  ],
])('%s', async (_where, where, left) => {
  expect(await killed(consent() + application(), where)).toBe('SIGKILL');
  expect(await databases()).toEqual(left.toSorted());
  const record = await run('rollback', consent() + application());
  expect([record.result, codes(record), await databases()]).toEqual(['rolled-back', [], exchanged]);
  expect([await rows('orders'), await rows('billing')]).toEqual([1000, 1000]);
  expect(record.verdict).toContain('billing, orders were restored from the backup of');
  expect(record.next).toContain('DROP DATABASE "orders_before_restore_');
  const calls = await told();
  expect([calls[0], calls.at(-1)]).toEqual(['stop', 'start']);
});

test.each([
  ['with both closed', { killBefore: '^BEGIN; ALTER DATABASE' }, untouched, 1005],
  ['exchanged', { killAfter: '^BEGIN; ALTER DATABASE' }, exchanged, 1000],
])('the post step puts right what was killed %s', async (_where, where, left, count) => {
  expect(await killed(consent() + application(), where)).toBe('SIGKILL');
  const target = targetOf(wish('rollback', consent() + application()));
  using context = await contextOf(wish('rollback'));
  const recorder = recorderFor(target, context);
  const opened = await openTarget(target, context, recorder);
  opened.journal.adopt();
  await finish(opened, { result: 'cancelled', verdict: 'Killed.', next: null, finished: false });
  expect(recorder.record.state).toBe('PostgreSQL 15.17 serves clients.');
  expect([await databases(), await rows('orders')]).toEqual([left, count]);
  expect(await told()).toEqual(['stop', 'start']);
});

test('a consent that was taken out meanwhile: the copies go, the data stays', async () => {
  expect(await killed(consent(), { killBefore: '^BEGIN; ALTER DATABASE' })).toBe('SIGKILL');
  const record = await run('rollback');
  expect([record.result, await databases(), await rows('orders')]).toEqual(['rolled-back', untouched, 1005]);
});
