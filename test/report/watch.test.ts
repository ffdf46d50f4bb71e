import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { renderPlain } from '../../src/report/plain.ts';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import type { ObservedRecord, WatchRecord } from '../../src/report/record-watch.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { beforeWords, percent, watchWords } from '../../src/report/watch-words.ts';
import { successRecord } from './fixture.ts';
import { at } from './fixture-parts.ts';
import { crossed, held } from './fixture-watch.ts';

const withWatch = (watch: WatchRecord | null): UpgradeRecord =>
  recordSchema.parse({ ...successRecord(), watch });
const observing = (changes: Partial<ObservedRecord>): UpgradeRecord =>
  withWatch({ ...held, observed: { ...(held.observed as ObservedRecord), ...changes } });

describe('in one sentence', () => {
  it.each([
    [withWatch(held), 'for 1 min 0 s, 13 looks: no limit was crossed'],
    [
      withWatch(crossed),
      '4 looks, then a limit was crossed: storefront does not answer at http://localhost:8080/health (HTTP 503)',
    ],
    [observing({ to: at('18:02:30.000') }), 'for 10.0 s of 1 min, 13 looks: not observed to the end'],
    [observing({ to: null, looks: 1 }), '1 look of 1 min: not observed to the end'],
    [withWatch({ ...held, observed: null }), null],
    [withWatch(null), null],
  ])('%#', (record, words) => expect(watchWords(record)).toBe(words?.replace('1 min 0 s', '1 min') ?? null));

  it('says how applications were before', () => {
    expect(held.applications.map(beforeWords)).toEqual([
      'answers (HTTP 200)',
      'does not answer (connect ECONNREFUSED 127.0.0.1:8081): it takes no upgrade back',
    ]);
    expect(percent(0.005)).toBe('0.5 %');
  });
});

describe('the reports', () => {
  it('the page shows what was seen', () => {
    const page = renderHtml(withWatch(crossed));
    const section = page.slice(
      page.indexOf('<section id="watch"'),
      page.indexOf('</section>', page.indexOf('<section id="watch"')),
    );
    const text = section.replaceAll(/<[^>]*>/g, '|').replaceAll(/[|\n]+/g, '|');
    expect(text.split('|')).toMatchInlineSnapshot(`
      [
        "",
        "Observed",
        "4 looks, then a limit was crossed: storefront does not answer at http://localhost:8080/health (HTTP 503)",
        "Limit crossed",
        "an application, since 2026-11-20 18:02:35 UTC: storefront does not answer at http://localhost:8080/health (HTTP 503)",
        "From",
        "2026-11-20 18:02:20 UTC",
        "To",
        "2026-11-20 18:02:40 UTC",
        "Looks",
        "4 looks, one every 5.00 s",
        "New connections",
        "1 of 14 failed, 10 % may; the last one: no free connection",
        "Errors of pg_tviews in orders",
        "2 before, at most 2",
        "Server log",
        "/var/log/postgresql/postgresql-15-main.log",
        "Applications",
        "Application",
        "Health",
        "Before",
        "Observed",
        "storefront",
        "http://localhost:8080/health",
        "answers (HTTP 200)",
        "answered 12 of 13 times, last HTTP 200",
        "reports",
        "http://localhost:8081/health",
        "does not answer (connect ECONNREFUSED 127.0.0.1:8081): it takes no upgrade back",
        "-",
        "",
      ]
    `);
    expect(renderHtml(withWatch(null))).not.toContain('id="watch"');
  });

  it('the summary folds it, and the key facts have its sentence', () => {
    const summary = renderSummary(withWatch(crossed));
    const from = summary.indexOf('<summary>Observed');
    expect(summary.slice(from, summary.indexOf('</details>', from)).split('\n')).toMatchInlineSnapshot(`
      [
        "<summary>Observed: a limit was crossed</summary>",
        "",
        "4 looks, then a limit was crossed: storefront does not answer at http<span>:</span>//localhost:8080/health (HTTP 503)",
        "",
        "- Limit crossed: an application, since 2026-11-20 18:02:35 UTC: storefront does not answer at http<span>:</span>//localhost:8080/health (HTTP 503)",
        "- From: 2026-11-20 18:02:20 UTC",
        "- To: 2026-11-20 18:02:40 UTC",
        "- Looks: 4 looks, one every 5.00 s",
        "- New connections: 1 of 14 failed, 10 % may; the last one: no free connection",
        "- Errors of pg_tviews in orders: 2 before, at most 2",
        "- Server log: /var/log/postgresql/postgresql-15-main.log",
        "",
        "| Application | Health | Before | Observed |",
        "| - | - | - | - |",
        "| storefront | \`http://localhost:8080/health\` | answers (HTTP 200) | answered 12 of 13 times, last HTTP 200 |",
        "| reports | \`http://localhost:8081/health\` | does not answer (connect ECONNREFUSED 127.0.0.1:8081): it takes no upgrade back | <span>-</span> |",
        "",
        "",
      ]
    `);
    expect(summary).toMatch(/\| Observed \| 4 looks, then a limit was crossed: storefront/);
    expect(renderSummary(withWatch({ ...held, observed: null }))).toContain(
      '<summary>Applications</summary>',
    );
    expect(renderSummary(withWatch(null))).not.toContain('Observed');
  });

  it('the terminal has its sentence', () => {
    expect(renderPlain(withWatch(held))).toMatch(
      /^ {2}Observed +for 1 min, 13 looks: no limit was crossed$/m,
    );
  });
});
