import { describe, expect, it } from 'vitest';
import { printable } from '../../src/process/log.ts';

describe('printable', () => {
  it.each([
    ['an ordinary line', 'an ordinary line'],
    ['a::b ##x [y]', 'a::b ##x [y]'],
    ['tab\tstays', 'tab\tstays'],
    ['Zürich 東京 🎉', 'Zürich 東京 🎉'],
    ['', ''],
  ])('leaves %j alone', (text, same) => expect(printable(text)).toBe(same));

  it.each([
    ['::error::x', ': :error::x'],
    ['  ::add-mask::x', '  : :add-mask::x'],
    ['\t::stop-commands::x', '\t: :stop-commands::x'],
    ['\u00a0\u2003\u2028::error::x', '\u00a0\u2003\u2028: :error::x'],
    ['first\n::warning::x', 'first\n: :warning::x'],
    ['first\r::warning::x', 'first\n: :warning::x'],
    ['first\r\n::warning::x', 'first\n: :warning::x'],
    ['##[error]x', '# #[error]x'],
    ['text ##[group]a ##[endgroup]', 'text # #[group]a # #[endgroup]'],
    ['###[error]x', '## #[error]x'],
  ])('defuses %j', (text, defused) => {
    expect(printable(text)).toBe(defused);
    expect(printable(defused)).toBe(defused);
  });

  it.each([
    ['escape', '\u001b[2Jgone', '\ufffd[2Jgone'],
    ['control sequence introducer', '\u009b31mred', '\ufffd31mred'],
    ['next line, which the runner takes for a space', '\u0085::error::x', '\ufffd::error::x'],
    ['null', 'a\u0000b', 'a\ufffdb'],
    ['vertical tab and form feed', '\u000b::a\u000c', '\ufffd::a\ufffd'],
    ['delete', 'a\u007f', 'a\ufffd'],
    ['right-to-left override', 'file\u202etxt.exe', 'file\ufffdtxt.exe'],
    ['isolates', '\u2066a\u2069', '\ufffda\ufffd'],
  ])('shows that there was a %s', (_name, text, shown) => expect(printable(text)).toBe(shown));
});
