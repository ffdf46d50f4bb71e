/** The keys `read-only` and `drain` of a target. */
import { describe, expect, it } from 'vitest';
import { sentences, smallest, specWith } from './specs.ts';

const said = (lines: string): string[] => sentences(`${smallest}    ${lines}\n`);
const call = (url: string): string => `{ url: "${url}" }`;
const hook = (enter: string, leave: string, rest = ''): string =>
  `read-only: { databases: [shop], hook: { enter: ${call(enter)}, leave: ${call(leave)}${rest} } }`;

describe('read-only', () => {
  it('is nothing by default; databases alone are enough', () => {
    expect(specWith()['read-only']).toBeUndefined();
    expect(specWith('read-only: { databases: [shop] }')['read-only']).toEqual({
      databases: ['shop'],
      roles: [],
    });
  });

  it('has a hook with defaults', () => {
    expect(
      specWith(hook('https://shop.example.com/on', 'https://shop.example.com/off'))['read-only']?.hook,
    ).toEqual({
      enter: { method: 'POST', url: 'https://shop.example.com/on' },
      leave: { method: 'POST', url: 'https://shop.example.com/off' },
      timeout: 30,
    });
  });

  it.each([
    ['{}', 'name databases, roles or a hook.'],
    [
      '{ roles: [app] }',
      'write `verify`: the connection of the application, by which a write must be refused.',
    ],
    [
      '{ databases: [shop], roles: [app] }',
      'write `verify`: the connection of the application, by which a write must be refused.',
    ],
  ])('%s is not enough', (value, words) => {
    expect(said(`read-only: ${value}`)).toEqual([expect.stringMatching(/^spec\.yaml:7:\d+ .*: /)]);
    expect(said(`read-only: ${value}`)[0]).toContain(words);
  });

  it('takes no login in an address, and does not repeat it', () => {
    const [sentence = '', ...more] = said(
      hook('https://me:s3cret@example.com/on', 'https://example.com/off'),
    );
    expect(more).toEqual([]);
    expect(sentence).toContain('write no user or password here: pass a `token`');
    expect(sentence).not.toContain('s3cret');
  });

  it.each([
    ['http://shop.example.com/on', 'https://shop.example.com/off'],
    ['https://shop.example.com/on', 'http://10.0.0.1/off'],
    ['http://127.0.0.1.example.com/on', 'https://shop.example.com/off'],
  ])('sends no token in clear: %s, %s', (enter, leave) => {
    expect(said(hook(enter, leave, ', token: env:TOKEN'))[0]).toContain(
      'write https addresses: the token would travel in clear',
    );
    expect(said(hook(enter, leave))).toEqual([]);
  });

  it.each(['http://127.0.0.1:8080/x', 'http://localhost/x', 'http://[::1]:80/x', 'https://a.example/x'])(
    'sends a token to %s',
    (url) => expect(said(hook(url, url, ', token: env:TOKEN'))).toEqual([]),
  );
});

describe('drain', () => {
  it('has defaults', () =>
    expect(Object.entries(specWith('drain: {}').drain ?? {})).toEqual([
      ['at-most', 5],
      ['timeout', 300],
      ['then', 'give-up'],
    ]));

  it('takes only the two ends', () =>
    expect(said('drain: { then: kill }')).toEqual([expect.stringMatching(/drain\.then is "kill"/)]));
});
