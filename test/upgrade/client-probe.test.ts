import { describe, expect, it } from 'vitest';
import type { ProbeReport } from '../../src/postgres/probe.ts';
import { downtimeOf, performanceOf } from '../../src/upgrade/client-probe.ts';

const from = new Date('2026-11-20T18:00:00.000Z');
const to = new Date('2026-11-20T18:01:00.000Z');
const time = (ms: number): number => from.getTime() + ms;

const quiet: ProbeReport = {
  attempts: 1000,
  failures: 0,
  longestGap: 7,
  gapStarted: null,
  firstFailure: null,
  firstSuccess: null,
  lastSuccess: time(59_990),
  before: [],
  after: [],
};

describe('downtimeOf', () => {
  it('is the longest gap that a client saw', () => {
    expect(
      downtimeOf(
        { ...quiet, failures: 12, longestGap: 360, firstFailure: time(1100), firstSuccess: time(1460) },
        from,
        to,
      ),
    ).toEqual({
      longestGapMs: 360,
      firstFailure: '2026-11-20T18:00:01.100Z',
      firstSuccess: '2026-11-20T18:00:01.460Z',
      attempts: 1000,
      failures: 12,
      from: '2026-11-20T18:00:00.000Z',
      to: '2026-11-20T18:01:00.000Z',
      everyMs: 5,
    });
  });

  it.each<[string, Partial<ProbeReport>, number]>([
    ['nothing failed', {}, 7],
    ['it came back', { firstFailure: time(1000), firstSuccess: time(1500), longestGap: 510 }, 510],
    ['it never came back', { firstFailure: time(1010), lastSuccess: time(1000), longestGap: 7 }, 59_000],
    ['it never answered at all', { firstFailure: time(0), lastSuccess: null, longestGap: 0 }, 0],
  ])('where %s', (_what, changes, gap) => {
    expect(downtimeOf({ ...quiet, ...changes }, from, to).longestGapMs).toBe(gap);
  });
});

describe('performanceOf', () => {
  const samples = (ms: number, count = 20): number[] => Array.from({ length: count }, () => ms);

  it.each([
    [0.8, 0.9, 'No difference that a client would notice: 0.8 ms before and 0.9 ms after in the median.'],
    [0.2, 0.9, 'No difference that a client would notice: 0.2 ms before and 0.9 ms after in the median.'],
    [5, 10, 'No difference that a client would notice: 5 ms before and 10 ms after in the median.'],
    [
      2,
      4.5,
      'A transaction takes 4.5 ms in the median, and took 2 ms before: look at it once caches are warm.',
    ],
  ])('from %d to %d ms', (before, after, assessment) => {
    expect(performanceOf({ ...quiet, before: samples(before), after: samples(after) })).toEqual({
      before: { transactions: 20, medianMs: before, p95Ms: before },
      after: { transactions: 20, medianMs: after, p95Ms: after },
      assessment,
    });
  });

  it.each([
    [19, 20],
    [20, 19],
    [0, 0],
  ])('says nothing about %d and %d transactions', (before, after) => {
    expect(performanceOf({ ...quiet, before: samples(1, before), after: samples(1, after) })).toBe(null);
  });
});
