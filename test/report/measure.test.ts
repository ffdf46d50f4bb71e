import { describe, expect, it } from 'vitest';
import { barsOf, changeOf, formatMeasure, formatShare } from '../../src/report/measure.ts';

it.each([
  [2_254_857_830, 'bytes', '2.1 GiB'],
  [-2048, 'bytes', '-2.0 KiB'],
  [1_234_567.4, 'rows', '1,234,567'],
  [3, 'count', '3'],
  [1.482, 'ms', '1.48 ms'],
  [0.992, 'share', '99.2 %'],
  [12.34, 'per-second', '12.3/s'],
] as const)('%s %s', (value, unit, text) => expect(formatMeasure(value, unit)).toBe(text));

it('never rounds a share to all or to nothing', () => {
  expect([1, 0.9999, 0.0001, 0].map(formatShare)).toEqual(['100.0 %', '> 99.9 %', '< 0.1 %', '0.0 %']);
});

describe('a change', () => {
  it.each([
    [100, 112, 'rows', '+12 %'],
    [100, 101.5, 'bytes', '+1.5 %'],
    [12, 11, 'count', '-1'],
    [0, 5, 'count', '+5'],
    [100, 50, 'ms', '-50 %'],
    [0.992, 0.911, 'share', '-8.1 points'],
    [5, 5, 'rows', 'same'],
    [2, 60, 'ms', '30 times as much'],
    [0, 5, 'rows', null],
  ] as const)('%s to %s %s', (before, after, unit, text) =>
    expect(changeOf({ before, after, unit })).toBe(text),
  );

  it('has bars on one scale', () => {
    expect(barsOf({ before: 50, after: 100, unit: 'count' })).toEqual([50, 100]);
    expect(barsOf({ before: 0, after: 0, unit: 'count' })).toEqual([0, 0]);
    expect(barsOf({ before: -5, after: 10, unit: 'count' })).toEqual([0, 100]);
  });
});
