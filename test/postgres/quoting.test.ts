import { describe, expect, it } from 'vitest';
import { quoteIdent } from '../../src/postgres/connection.ts';
import { quantiles } from '../../src/postgres/probe.ts';

describe('quoteIdent', () => {
  it.each([
    ['orders', '"orders"'],
    ['Order Lines', '"Order Lines"'],
    ['a"b""', '"a""b"""""'],
    ['x"; DROP TABLE y; --', '"x""; DROP TABLE y; --"'],
    ['', '""'],
  ])('%j', (name, quoted) => expect(quoteIdent(name)).toBe(quoted));
});

describe('quantiles', () => {
  it.each([
    [[], { transactions: 0, medianMs: 0, p95Ms: 0 }],
    [[1.23456], { transactions: 1, medianMs: 1.235, p95Ms: 1.235 }],
    [[3, 1, 2], { transactions: 3, medianMs: 2, p95Ms: 2 }],
    [[10, 9, 100], { transactions: 3, medianMs: 10, p95Ms: 10 }],
    [Array.from({ length: 101 }, (_, index) => 100 - index), { transactions: 101, medianMs: 50, p95Ms: 95 }],
  ])('of %j', (samples, expected) => {
    const before = [...samples];
    expect(quantiles(samples)).toEqual(expected);
    expect(samples).toEqual(before);
  });
});
