import { describe, expect, it } from 'vitest';
import { visible } from '../../src/report/escape.ts';
import { renderHtml } from '../../src/report/html.ts';
import { html, markupText, trusted } from '../../src/report/markup.ts';
import { planRecord, refusedRecord, rolledBackRecord, successRecord } from './fixture.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

const VOID = new Set(['meta', 'rect', '!doctype']);

/** Names of all tags, in order; throws where one is not closed. */
function tagsOf(page: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, close, name = ''] of page.matchAll(
    /<(\/?)([a-z!][a-z0-9]*)(?:\s+[a-z-]+(?:="[^"<>]*")?)*\s*\/?>/gi,
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

describe('the template', () => {
  it('escapes text, keeps markup, joins lists, drops nothing-values', () => {
    expect(
      markupText(
        html`<p title="${'"<'}">${['<a>', html`<b>${1}</b>`, null, undefined, false]}${trusted('<hr>')}</p>`,
      ),
    ).toBe('<p title="&#34;&lt;">&lt;a&gt;<b>1</b><hr></p>');
  });
});

it.each([successRecord(), refusedRecord(), rolledBackRecord(), planRecord()])(
  'is one page without scripts: $verdict',
  (record) => {
    const page = renderHtml(record);
    tagsOf(page);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en" class="(good|wait|bad)">/);
    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    );
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<a |\ssrc=|\shref=|@import|url\(|\son\w+=/i);
  },
);

it('puts blocked checks first and folds the rest', () => {
  const page = renderHtml(refusedRecord());
  const order = [
    'Prepared transactions</span>',
    'WAL that replication',
    'Transactions that the fast',
    '<summary>1 check with nothing to do',
    'Space for the backup',
  ];
  const places = order.map((text) => page.indexOf(text));
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
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
  expect(tagsOf(page).filter((name) => name !== 'code' && name !== '/code').length).toBeGreaterThan(200);
  // The same with every word made harmless: no tag more, no tag less.
  const neutral = visible(text).replaceAll(/\S+/g, 'x');
  expect(tagsOf(page)).toEqual(tagsOf(renderHtml(hostileRecord(neutral))));
  expect(page).not.toMatch(
    /^\s*::|##\[|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/m,
  );
});
