import { describe, expect, it } from 'vitest';
import { sentences, smallest, specWith } from '../spec/specs.ts';

const complaintsOf = (lines: string): string[] => sentences(smallest + lines.replaceAll(/^(?=.)/gm, '    '));

describe('watch', () => {
  const full = { for: '10m', every: 5, errors: 0, 'connection-failures': 0.05 };

  it('is a time, or more', () => {
    expect(specWith('watch: 10m').watch).toEqual(full);
    expect(specWith('watch: { for: 90s, connection-failures: 0 }').watch).toEqual({
      ...full,
      for: '90s',
      'connection-failures': 0,
    });
    expect(specWith().watch).toBeUndefined();
  });

  it.each([
    ['watch: 10', /write a number and s, m or h, for example "10m"/],
    ['watch: 0m', /write a number and s, m or h/],
    ['watch: { for: 10 }', /write a number and s, m or h/],
    ['watch: { for: 10m, connection-failures: 5 }', /this is a share: write a number from 0 to 1/],
    ['watch: { for: 10m, evry: 5 }', /"evry".* is not a key of the spec/],
    ['watch: { every: 5 }', /watch\.for is missing/],
  ])('%s', (lines, message) => expect(complaintsOf(lines)).toEqual([expect.stringMatching(message)]));
});

describe('an application', () => {
  const named = (rest: string): string => `applications: [{ name: shop, ${rest} }]`;

  it('may be watched only', () => {
    const [only] = specWith(named('health: "http://localhost/"')).applications;
    expect(only).toEqual({
      name: 'shop',
      health: 'http://localhost/',
      'runs-on': 'target',
      'start-timeout': 600,
    });
  });

  it.each([
    [named('stop: [a]'), /write both `stop` and `start`, or neither/],
    [named('start: [a], health: "http://localhost/"'), /write both `stop` and `start`, or neither/],
    [named('start-timeout: 5'), /write `stop` and `start`, or `health`/],
    [named('health: "ftp://localhost/"'), /write a URL that begins with http:\/\/ or https:\/\//],
  ])('%s', (lines, message) => expect(complaintsOf(lines)).toEqual([expect.stringMatching(message)]));
});
