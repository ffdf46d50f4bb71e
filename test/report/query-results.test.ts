import { expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { countQueries, pairQueries, rowWords } from '../../src/report/query-results.ts';
import { fullRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { queries, queriesAfter } from './fixture-health.ts';

it('pairs before and after, blocked first', () => {
  const { urgent, fine } = pairQueries([...queries, ...queriesAfter]);
  expect(urgent.map(({ query }) => [query.line, query.status])).toEqual([
    [9, 'blocked'],
    [21, 'error'],
  ]);
  expect(
    fine.map(({ query, before, after, same }) => [query.line, before !== null, after !== null, same]),
  ).toEqual([
    [3, true, true, true],
    [30, true, true, false],
  ]);
});

it('counts statements and rows', () => {
  expect(countQueries(queries)).toBe('1 blocked, 1 failed, 1 passed');
  expect([rowWords(0, 0), rowWords(1, 1), rowWords(1204, 2)]).toEqual([
    'No rows.',
    '1 row.',
    '1,204 rows, the first 2 are shown.',
  ]);
});

it('shows what blocks with its rows at the top, what passed folded below', () => {
  const page = renderHtml(richCheckRecord());
  const top = page.slice(page.indexOf('id="blocks"'), page.indexOf('id="warnings"'));
  expect(top).toContain('<code>health/orders.sql:9 in orders</code>');
  expect(top).toContain('1,204 rows, the first 2 are shown.');
  expect(top).toContain(
    '<td>17</td><td><span class="soft">null</span></td><td>t</td><td>moved from the old shop</td>',
  );
  expect(top).toContain('relation &#34;no_such_table&#34; does not exist');
  expect(top).not.toContain('<details>');
  const own = page.slice(page.indexOf('<section id="queries"'));
  expect(own).toContain(
    '<p>Statements: 1 blocked, 1 failed, 1 passed.</p><details><summary>health/orders.sql:3 in orders</summary>',
  );
});

it('shows a result that did not change once', () => {
  const page = renderHtml(upgradedRecord());
  const own = page.slice(page.indexOf('<section id="queries"'), page.indexOf('<section id="checks"'));
  expect(own.match(/<td>4112<\/td>/g)).toHaveLength(1);
  expect(own).toContain('<strong>The same before and after</strong>');
  expect(own).toMatch(/<td>100<\/td>[\s\S]*<strong>After<\/strong>[\s\S]*<td>107<\/td>/);
});

it('keeps every column of a wide result, hostile names too', () => {
  const [query] = fullRecord().queries;
  if (!query) throw new Error('the fixture has one');
  const columns = Array.from({ length: 60 }, (_, index) => `</th><th onclick="x">${index}`);
  const rows = [columns.map((_, index) => `<td>${index}`)];
  const page = renderHtml({ ...richCheckRecord(), queries: [{ ...query, columns, rows, total: 1 }] });
  const own = page.slice(page.indexOf('<section id="queries"'), page.indexOf('<section id="checks"'));
  expect(own.match(/<th /g)).toHaveLength(60);
  expect(own.match(/<td>/g)).toHaveLength(60);
});
