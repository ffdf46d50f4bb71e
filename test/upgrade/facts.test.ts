import { describe, expect, it } from 'vitest';
import { compareFacts } from '../../src/upgrade/facts.ts';

/** Verdict and reason of one fact in an upgrade to 15.20. */
function verdict(name: string, before: string, after: string): unknown[] {
  const [fact] = compareFacts({ [name]: before }, { [name]: after }, 150020);
  return [fact?.verdict, fact?.why];
}

describe('compareFacts', () => {
  it.each([
    ['server version number', '150017', '150020', 'expected', 'this is the upgrade'],
    ['server version number', '150017', '150017', 'unexpected', 'expected 150020'],
    ['server version number', '150020', '150020', 'expected', 'this is the upgrade'],
    ['system identifier', '7', '7', 'equal', null],
    ['system identifier', '7', '8', 'unexpected', null],
    ['timeline', '1', '2', 'unexpected', null],
    ['server start', '2026-01-01', '2026-11-20', 'expected', 'the server was restarted'],
    ['server start', '2026-01-01', '2026-01-01', 'equal', null],
    ['setting work_mem', '4096 kB', '4096 kB', 'equal', null],
    ['setting work_mem', '4096 kB', '8192 kB', 'unexpected', null],
    ['setting work_mem', 'waits for a restart', '8192 kB', 'expected', 'it waited for a restart'],
    ['setting work_mem', '4096 kB', 'waits for a restart', 'unexpected', null],
    ['orders: size in bytes', '1', '2', 'not-compared', 'moves by itself'],
    ['orders: size in bytes', '1', '1', 'not-compared', 'moves by itself'],
    ['orders: relations', 'tables 3', 'tables 2', 'unexpected', null],
    ['orders: sum of ascending sequences', '9', '9', 'equal', null],
    ['orders: sum of ascending sequences', '9', '10', 'expected', 'applications went on writing'],
    ['orders: sum of ascending sequences', '10', '9', 'unexpected', 'a sequence went back'],
    [
      'orders: sum of ascending sequences',
      '9223372036854775807000',
      '9223372036854775807001',
      'expected',
      'applications went on writing',
    ],
  ])('%s from %s to %s is %s', (name, before, after, ...expected) => {
    expect(verdict(name, before, after)).toEqual(expected);
  });

  it('takes what is gone and what is new for unexpected, and keeps the order', () => {
    expect(compareFacts({ a: '1', b: '2' }, { b: '2', c: '3' }, 150020)).toEqual([
      { name: 'a', before: '1', after: null, verdict: 'unexpected', why: 'gone' },
      { name: 'b', before: '2', after: '2', verdict: 'equal', why: null },
      { name: 'c', before: null, after: '3', verdict: 'unexpected', why: 'new' },
    ]);
  });

  it('expects what the route changes on purpose, and only that', () => {
    const [before, after] = [
      { 'system identifier': '7', timeline: '1' },
      { 'system identifier': '8', timeline: '2' },
    ];
    expect(
      compareFacts(before, after, 160016, ['system identifier']).map(({ verdict, why }) => [verdict, why]),
    ).toEqual([
      ['expected', 'this route changes it'],
      ['unexpected', null],
    ]);
  });

  it('has nothing to say about nothing', () => expect(compareFacts({}, {}, 150020)).toEqual([]));
});
