/** What pg_restore 15.18 says with --verbose, and the time that it spends on indexes. */
import { expect, test } from 'vitest';
import { indexClock } from '../../src/backup/index-clock.ts';

/** Each line takes the time until the next one. */
function timed(lines: readonly (readonly [ms: number, line: string])[]): number {
  let now = 0;
  const clock = indexClock(() => now);
  for (const [ms, line] of lines) {
    clock.line(line);
    now += ms;
  }
  return clock.end();
}

test('alone: an index takes until the next line', () => {
  expect(
    timed([
      [5, 'pg_restore: connecting to database for restore'],
      [10, 'pg_restore: creating TABLE "app.orders"'],
      [100, 'pg_restore: processing data for table "app.orders"'],
      [7, 'pg_restore: creating CONSTRAINT "app.orders orders_pkey"'],
      [20, 'pg_restore: creating INDEX "app.orders_at"'],
      [3, 'pg_restore: creating TRIGGER "app.orders stamp"'],
      [1, 'pg_restore: creating FK CONSTRAINT "app.lines lines_order_fkey"'],
    ]),
  ).toBe(28);
});

test('with workers: the time in which at least one is at work counts once', () => {
  expect(
    timed([
      [100, 'pg_restore: launching item 3701 TABLE DATA orders'],
      [10, 'pg_restore: launching item 3555 INDEX orders_at'],
      [20, 'pg_restore: launching item 3556 CONSTRAINT orders orders_pkey'],
      [5, 'pg_restore: finished item 3555 INDEX orders_at'],
      [50, 'pg_restore: finished item 3556 CONSTRAINT orders orders_pkey'],
      [4, 'pg_restore: launching item 3557 INDEX ATTACH parts_1_idx'],
      [9, 'pg_restore: finished item 3557 INDEX ATTACH parts_1_idx'],
    ]),
  ).toBe(39);
});

test('what is open at the end counts until then; a name that looks like an index does not', () => {
  expect(timed([[8, 'pg_restore: launching item 1 INDEX a']])).toBe(8);
  expect(timed([[8, 'pg_restore: creating TABLE "INDEX a"']])).toBe(0);
});
