/** A step is done again where the way to the target broke, and only there. */
import { expect, test } from 'vitest';
import { UpgradeError } from '../../src/errors.ts';
import { mayBeTheWay, withWay } from '../../src/upgrade/once-more.ts';
import type { Run } from '../../src/upgrade/target.ts';

/** A run whose connection is lost as often as `losses` says, once before each failure. */
function runWith(losses: number, way = true): { run: Run; said: string[] } {
  const said: string[] = [];
  let opened = 1;
  let left = losses;
  const run = {
    context: { log: { info: (line: string) => said.push(line) }, signal: new AbortController().signal },
    environment: way
      ? {
          way: {
            opened: () => opened,
            async reopen() {
              if (left > 0) {
                left -= 1;
                opened += 1;
              }
            },
          },
        }
      : {},
  } as unknown as Run;
  return { run, said };
}

const cut = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** Fails so often, then is done. */
function failing(
  times: number,
  cause: () => unknown = cut,
): { work: () => Promise<{ state: 'done' }>; count: () => number } {
  let count = 0;
  return {
    count: () => count,
    async work() {
      count += 1;
      if (count <= times) throw cause();
      return { state: 'done' };
    },
  };
}

test('after a lost connection the step is done again', async () => {
  const { run, said } = runWith(2);
  const { work, count } = failing(2);
  await expect(withWay(run, 'Validate', work)).resolves.toEqual({ state: 'done' });
  expect(count()).toBe(3);
  expect(said).toEqual(
    Array(2).fill(`  the connection to the target's machine was lost and is back: "Validate" once more`),
  );
});

test('not for ever', async () => {
  const { run } = runWith(9);
  const { work, count } = failing(9);
  await expect(withWay(run, 'Validate', work)).rejects.toThrow('ECONNRESET');
  expect(count()).toBe(4);
});

test("a session that ended while the connection stood is the server's own doing", async () => {
  const { run } = runWith(0);
  const { work, count } = failing(1);
  await expect(withWay(run, 'Validate', work)).rejects.toThrow('ECONNRESET');
  expect(count()).toBe(1);
});

test('no way, no second time; and no second time for an error of the step itself', async () => {
  const none = failing(1);
  await expect(withWay(runWith(1, false).run, 'Validate', none.work)).rejects.toThrow('ECONNRESET');
  const own = failing(
    1,
    () => new UpgradeError('validation-facts', '1 fact changed that should not have: x.'),
  );
  await expect(withWay(runWith(1).run, 'Validate', own.work)).rejects.toThrow('1 fact changed');
  expect([none.count(), own.count()]).toEqual([1, 1]);
});

test.each([
  [
    new UpgradeError('dump-failed', 'pg_dump failed.', { hint: 'server closed the connection unexpectedly' }),
    true,
  ],
  [new UpgradeError('ssh-lost', 'x'), true],
  [new Error('Connection terminated unexpectedly'), true],
  [new UpgradeError('packages-install', 'apt-get ended with exit code 100.'), false],
])('%s: %s', (cause, expected) => {
  expect(mayBeTheWay(cause)).toBe(expected);
});
