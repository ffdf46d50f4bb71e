/** An approval names a digest: equal plans must have equal ones on every machine, and different plans never. */
import { describe, expect, it } from 'vitest';
import { canonical, digestOf } from '../../src/upgrade/digest.ts';

describe('canonical', () => {
  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ b: { d: 1, c: 2 }, a: undefined }, '{"b":{"c":2,"d":1}}'],
    [[{ b: 1, a: 2 }, undefined], '[{"a":2,"b":1},null]'],
    ['a"b', '"a\\"b"'],
    [undefined, 'null'],
    [{}, '{}'],
  ])('%j', (value, text) => expect(canonical(value)).toBe(text));
});

describe('digestOf', () => {
  it('is the sha256 of the canonical text', () => {
    // echo -n '{"a":2,"b":1}' | sha256sum
    expect(digestOf({ b: 1, a: 2 })).toBe('d3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772');
  });

  it('is the same for every order of keys, and another for every order of a list', () => {
    expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOf({ b: { d: 3, c: 2 }, a: 1 }));
    expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
    expect(digestOf([1, 2])).not.toBe(digestOf([2, 1]));
    expect(digestOf({ a: ['b', 'c'] })).not.toBe(digestOf({ a: ['b,c'] }));
    expect(digestOf({ a: null })).not.toBe(digestOf({}));
    expect(digestOf({ a: '1' })).not.toBe(digestOf({ a: 1 }));
  });
});
