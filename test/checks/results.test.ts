/** The catalogue as a whole, and what answers come to. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allChecks } from '../../src/checks/catalogue.ts';
import { type CheckResult, defaultThresholds } from '../../src/checks/check.ts';
import { conclude } from '../../src/checks/conclude.ts';
import { invalidIndexes } from '../../src/checks/objects.ts';
import { verdictOf } from '../../src/checks/run.ts';
import { bounded, formatSeconds } from '../../src/checks/words.ts';
import { context } from './judging.ts';

test('the catalogue: unique ids, SQL where it is needed, one statement each, nothing unqualified', () => {
  expect(new Set(allChecks.map(({ id }) => id)).size).toBe(allChecks.length);
  for (const { id, scope, sql, fix, title } of allChecks) {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect([fix.length > 0, title.length > 0, sql === null]).toEqual([true, true, scope === 'machine']);
    expect(sql ?? '').not.toContain(';');
    expect(sql ?? '').not.toMatch(/(?:FROM|JOIN)\s+pg_(?!catalog\.)/);
    expect(sql ?? '').not.toMatch(/(?<!pg_catalog\.)\bpg_\w+\(/);
  }
});

test('every check has its section in the documentation', () => {
  const page = readFileSync(new URL('../../docs/checks.md', import.meta.url), 'utf8');
  const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(sections).toEqual(allChecks.map(({ id }) => id));
  for (const { grant } of allChecks) expect(page).toContain(grant ?? '');
});

test('the documentation names every threshold with its default, and every check has its row', () => {
  const page = readFileSync(new URL('../../docs/checks.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `([a-z-]+)` +\| ([\d.]+) /gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  expect(documented.toSorted()).toEqual(
    Object.entries(defaultThresholds)
      .map(([name, value]) => [kebab(name), String(value)])
      .toSorted(),
  );
  const rows = [...page.matchAll(/^\| \[([a-z0-9-]+)\]\(#\1\)/gm)].map(([, id]) => id);
  expect(rows).toEqual(allChecks.map(({ id }) => id));
});

describe('results', () => {
  test('the worst answer decides, and every line stays', () => {
    const rows = [{ index_name: 'i', table_name: 't', is_unique: false, building: false, total: '1' }];
    expect(
      conclude(invalidIndexes, context, [
        ['a', { kind: 'rows', rows }],
        ['b', { kind: 'denied' }],
        ['c', { kind: 'failed', message: 'gone' }],
      ]),
    ).toEqual({
      status: 'error',
      seen: [
        'c: gone',
        'a: index i on t: invalid',
        'b: the user may not see this; needed is: GRANT pg_monitor TO USER;',
      ],
      fix: 'Find out why it cannot be answered, then run again: unknown does not count as fine.',
    });
    expect(
      conclude(invalidIndexes, context, [
        ['a', { kind: 'rows', rows: [] }],
        ['b', { kind: 'denied' }],
      ]).status,
    ).toBe('skipped');
  });

  test('blocked and error block, a warning warns, info, skipped and disabled do neither', () => {
    const result = (status: CheckResult['status']): CheckResult => ({
      id: status,
      title: '',
      when: 'before',
      status,
      seen: [],
      fix: null,
      docs: '',
    });
    const [ok, info, skipped, disabled, warning, blocked, error] = (
      ['passed', 'info', 'skipped', 'disabled', 'warning', 'blocked', 'error'] as const
    ).map(result);
    const given = (...results: (CheckResult | undefined)[]) =>
      verdictOf(results.filter((one) => one !== undefined));
    expect(given(ok, info, skipped, disabled)).toEqual({ status: 'passed', blocking: [], warnings: [] });
    expect(given(ok, warning)).toEqual({ status: 'warning', blocking: [], warnings: [warning] });
    expect(given(error, warning, blocked)).toEqual({
      status: 'blocked',
      blocking: [error, blocked],
      warnings: [warning],
    });
  });

  test('words', () => {
    expect(bounded([])).toEqual([]);
    expect(bounded([''], 1003).at(-1)).toBe('and 1,002 more');
    expect([0.25, 59.6, 119, 120, 7199, 11100].map(formatSeconds)).toEqual([
      '0.3 s',
      '60 s',
      '119 s',
      '2 min',
      '119 min',
      '3 h 5 min',
    ]);
  });
});
