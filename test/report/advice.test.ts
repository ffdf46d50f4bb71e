import { describe, expect, it } from 'vitest';
import {
  adviceHeadline,
  byWords,
  certaintyWords,
  countAdvice,
  objectsByDatabase,
  sortAdvice,
  timingWords,
} from '../../src/report/advice.ts';
import { renderHtml } from '../../src/report/html.ts';
import { renderPlain } from '../../src/report/plain.ts';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { cleanCheckRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { carriedOut, richAdvice } from './fixture-release.ts';

const [first] = richAdvice as [AdviceRecord];

describe('in words', () => {
  it('has one calm line for a clean database', () => {
    const line = 'Nothing in the release notes from 15.1 to 15.20 was found to concern this database.';
    expect(adviceHeadline(cleanCheckRecord())).toBe(line);
    expect(renderHtml(cleanCheckRecord())).toContain(
      `<p>${line}</p><p class="soft">18 pieces of advice looked at, none applies here.</p>`,
    );
    expect(renderSummary(cleanCheckRecord())).toContain(
      `\n\n${line}\n\n18 pieces of advice do not apply here.`,
    );
  });

  it('says what applies, what was carried out, what could not be asked', () => {
    expect(adviceHeadline(richCheckRecord())).toBe(
      '4 things in the release notes from 15.1 to 15.20 ask something of this database.',
    );
    expect(adviceHeadline(upgradedRecord())).toBe(
      '2 things in the release notes from 15.1 to 15.20 ask something of this database, 1 carried out.',
    );
    const headline = (states: AdviceRecord['state'][]): string | null =>
      adviceHeadline({ ...richCheckRecord(), advice: states.map((state) => ({ ...first, state })) });
    expect(headline(['done', 'done'])).toBe(
      'Everything in the release notes from 15.1 to 15.20 that this database needs was carried out: 2 things.',
    );
    expect(headline(['error'])).toBe(
      'Nothing that could be asked in the release notes from 15.1 to 15.20 was found to concern this database. The notes named above must be read by a person.',
    );
    expect(adviceHeadline({ ...richCheckRecord(), advice: [], release: null })).toBeNull();
  });

  it('claims nothing where nothing was asked and notes wait for a reader', () => {
    const record = { ...richCheckRecord(), advice: [] };
    const line =
      'Nothing in the release notes from 15.1 to 15.20 was found to concern this database. The notes named above must be read by a person. No advice is known for this way: read the notes.';
    expect(renderHtml(record)).toContain(`<p>${line}</p>`);
    expect(renderSummary(record)).toContain(`<summary>Release notes: nothing found</summary>\n\n${line}`);
    expect(renderPlain(record)).toContain('nothing found; no advice is known for this way: read the notes\n');
  });

  it('counts', () => {
    expect(countAdvice(richAdvice)).toBe('4 apply, 3 cannot be seen from the database, 18 do not apply');
    expect(countAdvice(carriedOut)).toBe('2 apply, 2 could not be asked, 1 carried out');
    expect(countAdvice([])).toBe('nothing found');
    expect(countAdvice(richAdvice.slice(7))).toBe('none of 18 applies');
  });

  it.each([
    ['exact', 4, 'Exactly these: 4 objects'],
    ['exact', 0, 'Certain'],
    ['candidates', 1, 'Candidates: 1 object that may need it'],
    ['candidates', 0, 'Candidates only'],
    ['cannot-be-seen', 0, 'Cannot be seen from the database'],
    ['cannot-be-seen', 2, 'Cannot be seen from the database; 2 objects where it could matter'],
  ] as const)('%s, %i', (certainty, total, words) =>
    expect(certaintyWords({ ...first, certainty, total })).toBe(words),
  );

  it('says when and who', () => {
    expect((['before', 'after', 'either', 'order'] as const).map(timingWords)).toEqual([
      'before the upgrade',
      'after the upgrade',
      'before or after the upgrade',
      'in the right order of servers',
    ]);
    const by = (state: AdviceRecord['state'], who: AdviceRecord['by']): string =>
      byWords({ ...first, state, by: who });
    expect([by('applies', 'action'), by('applies', 'person'), by('failed', 'action')]).toEqual([
      'The action does it',
      'A person does it',
      'The action tried and failed; a person has to do it',
    ]);
  });
});

it('puts failures first, then what has to be done before', () => {
  const { applies } = sortAdvice([...richAdvice, ...carriedOut]);
  expect(applies.map(({ id }) => id)).toEqual([
    'stats-views',
    'gist-multirange',
    'output-plugin-allowlist',
    'brin-null-handling',
    'detached-partition-fk',
    'cve-2024-4317-stats-views',
  ]);
});

describe('objects', () => {
  it('groups by database and ends every statement', () => {
    expect(objectsByDatabase(first.objects).map(({ databases, sql }) => ({ databases, sql }))).toEqual([
      {
        databases: ['orders'],
        sql: [
          'REINDEX INDEX CONCURRENTLY public.events_at_brin;',
          'REINDEX INDEX CONCURRENTLY public."Log_brin";',
        ],
      },
      { databases: ['billing'], sql: ['REINDEX INDEX CONCURRENTLY public.invoices_day_brin;'] },
    ]);
  });

  it('keeps the semicolon out of a comment', () => {
    const [object] = first.objects;
    if (!object) throw new Error('the fixture has one');
    const of = (sql: string): readonly string[] | undefined =>
      objectsByDatabase([{ ...object, sql }])[0]?.sql;
    expect(of(' SELECT 1; ')).toEqual(['SELECT 1;']);
    expect(of('SELECT 1 -- one')).toEqual(['SELECT 1 -- one\n;']);
    expect(of('  ')).toEqual([]);
  });

  it('joins databases in which the same is to do, and leaves out what is done', () => {
    const views = richAdvice.find(({ id }) => id === 'cve-2024-4317-stats-views');
    expect(objectsByDatabase(views?.objects ?? []).map(({ databases }) => databases)).toEqual([
      ['orders', 'billing', 'template0', 'template1'],
    ]);
    const partly = carriedOut.find(({ id }) => id === 'gist-multirange');
    expect(objectsByDatabase(partly?.objects ?? [])[0]?.sql).toEqual(['REINDEX INDEX public.b_gist;']);
  });
});

it('shows objects, statements and the notes in report.html, the rest folded', () => {
  const page = renderHtml(richCheckRecord());
  expect(page).toContain(
    '<pre class="copy" tabindex="0">REINDEX INDEX CONCURRENTLY public.events_at_brin;&#10;REINDEX INDEX CONCURRENTLY public.&#34;Log_brin&#34;;</pre>',
  );
  expect(page).toContain(
    '<a href="https://www.postgresql.org/docs/release/15.5/" rel="noopener noreferrer">Release notes of 15.5</a>',
  );
  expect(page).toContain('<summary>3 more cannot be seen from the database</summary>');
  expect(page).toContain('<p class="soft">18 others do not apply here.</p>');
});

it('shows statements to copy in the summary', () => {
  expect(renderSummary(richCheckRecord())).toContain(
    '```sql\nBEGIN;\nALTER TABLE public.orders_2023 DROP CONSTRAINT orders_customer_fk;\nALTER TABLE public.orders_2023 ADD CONSTRAINT',
  );
});
