import { describe, expect, it } from 'vitest';
import { visible } from '../../src/report/escape.ts';
import { renderHtml } from '../../src/report/html.ts';
import { html, markupText, trusted } from '../../src/report/markup.ts';
import { rehearsalGoesOn } from '../../src/report/refusals.ts';
import { planRecord, refusedRecord, rolledBackRecord, successRecord } from './fixture.ts';
import { cleanCheckRecord, fullRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

const VOID = new Set(['meta', 'rect', 'circle', 'line', '!doctype']);

/** Names of all tags, in order; throws where one is not closed. */
function tagsOf(page: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, close, name = ''] of page.matchAll(
    /<(\/?)([a-z!][a-z0-9]*)(?:\s+[a-z-]+\d?(?:="[^"<>]*")?)*\s*\/?>/gi,
  )) {
    names.push(`${close}${name}`);
    if (VOID.has(name)) continue;
    if (close === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  expect(page.match(/</g)).toHaveLength(names.length);
  return names;
}

it('shows what a program printed in one block, and why no plan could be made', () => {
  const page = renderHtml({
    ...planRecord(),
    mode: 'rehearse',
    plan: null,
    next: 'pg_restore: error: x\nLINE 1: a\n        ^\nThen:\n  ls -l',
    issues: [
      {
        at: '2026-11-20T18:00:00.000Z',
        code: 'route-major',
        what: 'Another <major>.',
        hint: 'Dump it.',
        resolution: rehearsalGoesOn,
      },
    ],
  });
  expect(page).toContain(
    '<h2>Next</h2><pre tabindex="0">pg_restore: error: x&#10;LINE 1: a&#10;        ^</pre>\n<p>Then:</p><pre tabindex="0">ls -l</pre>\n</section>',
  );
  expect(page).toContain(
    '<h3>Why no plan could be made</h3><ul class="checks"><li><code>route-major</code> Another &lt;major&gt;.<p>To do: Dump it.</p></li>',
  );
});

describe('the template', () => {
  it('escapes text, keeps markup, joins lists, drops nothing-values', () => {
    expect(
      markupText(
        html`<p title="${'"<'}">${['<a>', html`<b>${1}</b>`, null, undefined, false]}${trusted('<hr>')}</p>`,
      ),
    ).toBe('<p title="&#34;&lt;">&lt;a&gt;<b>1</b><hr></p>');
  });
});

it.each([
  successRecord(),
  refusedRecord(),
  rolledBackRecord(),
  planRecord(),
  richCheckRecord(),
  cleanCheckRecord(),
  upgradedRecord(),
  fullRecord(),
])('is one page without scripts: $verdict', (record) => {
  const page = renderHtml(record);
  tagsOf(page);
  expect(page).toMatch(/^<!doctype html>\n<html lang="en" class="(good|wait|bad)">/);
  expect(page).toContain(
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
  );
  expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|@import|url\(|\sstyle=|\son\w+=/i);
  // The only links go to PostgreSQL's own release notes.
  const notes =
    /<a href="https:\/\/www\.postgresql\.org\/docs\/release\/15\.\d+\/" rel="noopener noreferrer">/g;
  expect(page.replaceAll(notes, '')).not.toMatch(/<a[\s>]|\shref=/);
});

it('puts blocked checks first and folds the rest', () => {
  const page = renderHtml(refusedRecord());
  const order = [
    'not so: No prepared transaction is left behind</span>',
    'Replication slots are usable',
    'not so: No transaction has been open',
    '<summary>1 check with nothing to do',
    'Enough free space',
  ];
  const places = order.map((text) => page.indexOf(text));
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

const headings = (page: string): string[] =>
  [...page.matchAll(/<h2[^>]*>([^<]*)<\/h2>/g)].map(([, title]) => title ?? '');

describe('the order', () => {
  it('of a check: what blocks, what warns, then the rest', () => {
    expect(headings(renderHtml(richCheckRecord()))).toEqual([
      'Next',
      'What blocks',
      'Warnings',
      'What the release notes ask',
      'Key facts',
      'Release line',
      'Security fixes',
      'Health',
      'Your own SQL',
      'Checks',
      'Is the upgrade record complete?',
      'Run',
    ]);
  });

  it('of an upgrade: what happened before what warns', () => {
    expect(headings(renderHtml(upgradedRecord())).slice(0, 6)).toEqual([
      'Key facts',
      'Steps',
      'Warnings',
      'What the release notes ask',
      'Before and after',
      'Release line',
    ]);
    expect(headings(renderHtml(fullRecord())).slice(0, 5)).toEqual([
      'Next',
      'What is wrong',
      'Key facts',
      'Steps',
      'Warnings',
    ]);
  });

  it('of a clean check: nothing that blocks or warns', () => {
    const page = renderHtml(cleanCheckRecord());
    expect(headings(page).slice(0, 3)).toEqual(['What the release notes ask', 'Key facts', 'Release line']);
    expect(page).not.toMatch(/badge (strong|medium)/);
    expect(page).toContain('Success · nothing was changed');
  });

  it('within what blocks: checks, own SQL, differences, notes to read', () => {
    const record = { ...fullRecord(), changed: false, result: 'refused' as const };
    const page = renderHtml(record);
    const blocks = page.slice(page.indexOf('id="blocks"'), page.indexOf('id="warnings"'));
    expect([...blocks.matchAll(/<h3>([^<]*)/g)].map(([, title]) => title)).toEqual([
      'Your own SQL',
      'Changed unexpectedly',
      'Release notes that a person must read',
    ]);
    expect(renderHtml({ ...record, result: 'success' })).toMatch(
      /id="warnings"[\s\S]*Release notes that a person must read/,
    );
  });
});

describe('facts', () => {
  const page = renderHtml(fullRecord());
  const section = page.slice(page.indexOf('id="facts"'), page.indexOf('id="release"'));

  it('stand in groups, equal ones folded', () => {
    expect([...section.matchAll(/<(?:h3|summary)>([^<]*)/g)].map(([, title]) => title)).toEqual([
      'Unexpected (1)',
      'Alerts (2)',
      'Expected (2)',
      'Not compared (1)',
      '2 facts equal before and after',
    ]);
    const after = renderHtml({ ...fullRecord(), result: 'success' });
    expect(after.slice(after.indexOf('id="facts"'))).toContain('<summary>1 fact not compared</summary>');
    expect(section).toContain('<p>1 unexpected, 2 alerts, 2 expected, 1 not compared, 2 equal.</p>');
  });

  it('have bars beside numbers in their unit', () => {
    expect(section).toContain('<td>1.48 ms</td><td>4.12 ms</td>');
    expect(section).toContain('class="bar was" x="0" y="0" width="35.9%"');
    expect(section).toContain('+178 %');
    expect(section).toContain('-8.1 points');
  });
});

it('folds the list of security fixes and names the weight in words', () => {
  const page = renderHtml(richCheckRecord());
  expect(page).toContain('<summary>95 more CVEs</summary>');
  expect(page.match(/<strong>8\.8<\/strong>/g)).toHaveLength(10);
  expect(page).toContain('<span class="soft">no score</span>');
  expect(page).toContain('what these releases fix: <code>15.20</code>.');
});

it('links to nothing but release notes', () => {
  const mustRead = [
    'javascript:alert(1)',
    'https://www.postgresql.org.evil.example/',
    'https://www.postgresql.org/docs/"onclick="x',
    'http://www.postgresql.org/docs/',
  ].map((link) => ({ version: '15.7', why: 'x', link }));
  const { release } = richCheckRecord();
  const page = renderHtml({ ...richCheckRecord(), advice: [], release: release && { ...release, mustRead } });
  expect(page).not.toMatch(/<a[\s>]|\shref=/);
  expect(page).toContain('<code>javascript:alert(1)</code>');
});

it('marks the time without commits', () => {
  expect(renderHtml(successRecord())).toContain('Clients could not commit');
  expect(renderHtml({ ...successRecord(), downtime: null })).not.toContain('Clients could not commit');
});

it('leaves out nothing that the summary counts', () => {
  const checks = Array.from({ length: 3_000 }, (_, index) => ({
    ...successRecord().checks[0],
    title: `Check no. ${index};`,
  }));
  const page = renderHtml({
    ...successRecord(),
    checks: checks as ReturnType<typeof successRecord>['checks'],
  });
  expect(page).toContain('Check no. 2999;');
});

it.each(HOSTILE)('has the same tags with %j in every text', (text) => {
  const page = renderHtml(hostileRecord(text));
  expect(tagsOf(page).filter((name) => name !== 'code' && name !== '/code').length).toBeGreaterThan(2_000);
  expect(page).not.toMatch(/<a[\s>]|\shref=/);
  // The same with every word made harmless: no tag more, no tag less.
  const neutral = visible(text).replaceAll(/\S+/g, 'x');
  expect(tagsOf(page)).toEqual(tagsOf(renderHtml(hostileRecord(neutral))));
  expect(page).not.toMatch(
    /^\s*::|##\[|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/m,
  );
});
