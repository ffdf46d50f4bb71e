/** Text that tries to be more than text, and a record that is full of it. */
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { fullRecord } from './fixture-check.ts';

/** What other people can name things. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</details></summary></td></table></style></title></svg>',
  'role`with``ticks|and|pipes\\|',
  '::error::owned',
  '  ::set-output name=x::y',
  '##[add-mask]x',
  'ok\n::error file=x::owned',
  'cr\r::stop-commands::x\r\n- item\n\n# heading',
  '@octocat and @org/team and a@b.example',
  '![x](http://evil.example/x.png) [y](https://evil.example)',
  'www.evil.example http://evil.example ftp://evil.example mailto:x@evil.example',
  'fixes #1 GH-2 other/repo#3 9fceb02d0ae598e95dc970b74767f19372d61af8',
  'rtl \u202egnp.exe\u202c \u2066x\u2069 \u200bzero\ufeff',
  'nul\u0000 esc\u001b[31m bell\u0007 c1\u009b del\u007f',
  '| a | b |',
  '- [ ] task',
  '1. one',
  '> [!CAUTION]',
  '$`x`$ $$y$$ $z$',
  ':tada: :+1:',
  '***bold*** __under__ ~~gone~~ _x_',
  '&lt;b&gt; &#60; &amp;',
  '```\ncode\n```',
  '---\n===',
  '--> ]]> <!-- x',
  '"; click x href "http://evil.example" %%{init: {}}%%',
  "javascript:alert('x')",
  'section x: crit, 1s',
  '\ud800 lone',
  '',
];

/** Keys whose values are times or one of a few words; some of the names are used for free text elsewhere. */
const FIXED =
  /^(?!\.health\.).*(^\.(mode|result)|\.(status|when|method|started|finished|at|putBackAt|firstFailure|firstSuccess)|^\.downtime\.(from|to)|^\.watch\.observed\.(from|to|limit\.(name|since))|^\.watch\.applications\.\d+\.before)$/;
const FIXED_WORDS =
  /^\.(plan\.risk\.class|(steps|artifacts)\.\d+\.state|(facts\.\d+|backup\.proof)\.verdict|facts\.\d+\.measure\.unit|advice\.\d+\.(objects\.\d+\.)?(state|timing|certainty|by))$/;
/** Objects whose keys come from outside too. */
const FREE_KEYS = /^(\.health\.(before|after)\.(server|settings)|\.plan\.decision)$/;

/** A record in which every text that comes from outside is `text`; its next step holds it as words and as a command. */
export function hostileRecord(text: string): UpgradeRecord {
  const replace = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return FIXED.test(path) || FIXED_WORDS.test(path) ? value : text;
    if (Array.isArray(value)) return value.map((item, index) => replace(item, `${path}.${index}`));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        FREE_KEYS.test(path) ? text : key,
        replace(item, `${path}.${key}`),
      ]),
    );
  };
  const record = recordSchema.parse(replace(fullRecord(), ''));
  return { ...record, next: `${text}\n  ${text}` };
}
