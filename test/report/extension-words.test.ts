import { describe, expect, it } from 'vitest';
import { countExtensions, errorWords, ownWords, versionWords } from '../../src/report/extension-words.ts';
import { renderHtml } from '../../src/report/html.ts';
import { renderPlain } from '../../src/report/plain.ts';
import type { ExtensionRecord, ExtensionState } from '../../src/report/record-extensions.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { successRecord } from './fixture.ts';

const state = (changes: Partial<ExtensionState> = {}): ExtensionState => ({
  version: '1.0',
  schema: 'public',
  own: '1.0-beta',
  errors: 0,
  tables: [{ name: 'public.metadata', rows: 3 }],
  ...changes,
});
const entry = (changes: Partial<ExtensionRecord> = {}): ExtensionRecord => ({
  extension: 'pg_tviews',
  database: 'shop',
  before: state(),
  after: state(),
  done: [],
  faults: [],
  ...changes,
});
const hostile = entry({
  extension: '<img src=x>|`',
  after: state({ version: '1.1', own: null, errors: 2 }),
  done: ['updated from 1.0 to 1.1'],
  faults: ['errors-sql answers 2, and 0 before'],
});

describe('the words', () => {
  it('say what changed, what did not, and what nobody looked at', () => {
    expect([versionWords(entry()), ownWords(entry()), errorWords(entry())]).toEqual(['1.0', '1.0-beta', '0']);
    expect([versionWords(hostile), ownWords(hostile), errorWords(hostile)]).toEqual([
      '1.0 → 1.1',
      '1.0-beta → nothing',
      '0 → 2',
    ]);
    expect(versionWords(entry({ after: null }))).toBe('1.0');
    expect(errorWords(entry({ before: state({ errors: null }), after: state({ errors: null }) }))).toBe('');
  });

  it('count', () => {
    expect(countExtensions([entry(), hostile, entry({ done: ['x'] })])).toBe(
      '1 not in order, 1 mended, 1 in order',
    );
  });
});

it('every report has them, whatever they are called', () => {
  const record = { ...successRecord(), extensions: [entry(), hostile] };
  const page = renderHtml(record);
  const own = page.slice(page.indexOf('<section id="extensions"'));
  expect(own).toContain('<p>1 not in order, 1 in order.</p>');
  expect(own).toContain('public.metadata: 3 rows');
  expect(page).not.toContain('<img');
  const summary = renderSummary(record);
  expect(summary).toContain('Extensions: 1 not in order, 1 in order');
  expect(summary).toContain('errors-sql answers 2, and 0 before; updated from 1.0 to 1.1');
  expect(summary).not.toContain('<img');
  expect(renderPlain(record)).toMatch(/Extensions +1 not in order, 1 in order/);
  expect(renderHtml(successRecord())).not.toContain('id="extensions"');
});
