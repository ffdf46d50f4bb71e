import { expect, it } from 'vitest';
import { graveLines } from '../../src/upgrade/watch-look.ts';

it('takes a panic and what tells of damage for grave, and nothing that a client can write', () => {
  const prefix = '%m [%p] ';
  const at = '2026-11-20 18:00:00.000 UTC [7] ';
  expect(
    graveLines(
      [
        `${at}PANIC:  could not locate a valid checkpoint record`,
        `${at}FATAL:  could not load library "/x.so": no such file`,
        `${at}FATAL:  password authentication failed for user "PANIC:  x"`,
        `${at}ERROR:  syntax error at or near "PANIC"`,
        `${at}STATEMENT:  SELECT 'PANIC:  x'`,
        '\tPANIC:  in the second line of a statement',
        `${at}LOG:  checkpoint complete`,
      ].join('\n'),
      prefix,
    ),
  ).toEqual([
    'FATAL: could not load library "…": no such file',
    'PANIC: could not locate a valid checkpoint record',
  ]);
});
