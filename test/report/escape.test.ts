import { describe, expect, it } from 'vitest';
import {
  clip,
  escapeHtml,
  markdownBlock,
  markdownCode,
  markdownText,
  plainText,
  visible,
} from '../../src/report/escape.ts';
import { HOSTILE } from './hostile.ts';

describe('markdownText', () => {
  it.each([
    ['<script>', '&lt;script&gt;'],
    ['a|b`c`*d*', 'a&#124;b&#96;c&#96;&#42;d&#42;'],
    ['![x](http://evil)', '!&#91;x&#93;(http<span>:</span>//evil)'],
    ['@octocat', '<span>@</span>octocat'],
    ['fixes #12 and GH-3', 'fixes <span>#</span>12 and GH<span>-</span>3'],
    ['www.evil.example', 'www<span>.</span>evil.example'],
    ['::error::x', ':<span>:</span>error:<span>:</span>x'],
    [':tada: at 18:02:11', '<span>:</span>tada: at 18:02:11'],
    ['pg_stat_activity _x_', 'pg_stat_activity &#95;x&#95;'],
    ['1. one', '1<span>.</span> one'],
    ['15.17', '15.17'],
    ['- item', '<span>-</span> item'],
    ['9fceb02d0ae5', '<span>9</span>fceb02d0ae5'],
    ['one\r\ntwo\n', 'one ⏎ two'],
    ['&lt;', '&amp;lt;'],
    ['Zürich 🎉 東京', 'Zürich 🎉 東京'],
  ])('%j', (from, to) => expect(markdownText(from)).toBe(to));
});

describe('markdownCode', () => {
  it.each([
    ['orders', '`orders`'],
    ['a`b``c', '```a`b``c```'],
    ['`', '`` ` ``'],
    ['', '(empty)'],
    ['a|b', '<code>a&#124;b</code>'],
    ['@octocat <b>', '`@octocat <b>`'],
    ['a\nb', '`a ⏎ b`'],
  ])('%j', (from, to) => expect(markdownCode(from)).toBe(to));
});

it('makes a block that its content cannot end', () => {
  expect(markdownBlock(['```', '::error::x'], 'sh')).toBe('````sh\n```\n: :error::x\n````');
});

it('shows controls, bidi overrides and lone surrogates', () => {
  expect(visible('a\u001b[31m\u0000\t\u007f\u009b\u202eb\u2066\ufeff\ud800')).toBe(
    'a␛[31m␀ ␡[U+009B][U+202E]b[U+2066][U+FEFF]\ufffd',
  );
  expect(visible('👩‍❤️‍👩')).toBe('👩‍❤️‍👩');
});

it('never starts a workflow command in a plain line', () => {
  expect(plainText('  ::error::x')).toBe(': :error::x');
  expect(plainText('a ##[group]x')).toBe('a ## [group]x');
});

it('says how much it clipped', () => {
  expect(clip('🎉🎉🎉', 2)).toBe('🎉🎉… (1 more characters)');
  expect(clip('🎉🎉🎉', 3)).toBe('🎉🎉🎉');
});

it.each([' ', '\n ', '`', '_', ':a', '1', '@', '-', ' \n', '##['])(
  'is quick with 200,000 times %j',
  (part) => {
    const text = `${part.repeat(200_000)}x`;
    const started = performance.now();
    for (const made of [escapeHtml, markdownText, markdownCode, plainText]) made(text);
    expect(performance.now() - started).toBeLessThan(3_000);
  },
);

describe.each(HOSTILE)('hostile text %j', (text) => {
  it('is inert in every notation', () => {
    const shown = escapeHtml(text);
    expect(shown).not.toMatch(/[<>"'\n\r]|##\[/);
    const markdown = markdownText(text).replaceAll(/<\/?span>/g, '\0');
    expect(markdown).not.toMatch(/[<>|`*[\]\n\r\\~]|@\w|:\/\/|www\.|##\[/);
    expect(plainText(text)).not.toMatch(/^\s*::|##\[|[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  it('reads the same after escaping', () => {
    const read = escapeHtml(text)
      .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');
    expect(read).toBe(visible(text));
  });
});
