import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allAdvice, findAdvice } from '../../src/releases/advice-catalogue.ts';
import { releases } from '../../src/releases/releases.ts';

const ids = allAdvice.map(({ id }) => id);

describe('the catalogue of advice', () => {
  it('has 44 kinds, each once, each asked for by a release', () => {
    expect([ids.length, new Set(ids).size]).toEqual([44, 44]);
    expect([...new Set(releases.flatMap(({ advice }) => advice))].sort()).toEqual([...ids].sort());
  });

  it('is found by id', () => {
    expect(findAdvice('gist-recursive-split')?.title).toBe('GiST indexes can miss rows');
    expect(findAdvice('constructor')).toBeUndefined();
  });

  it.each(allAdvice)('$id is in whole sentences', ({ id, title, why, todo }) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(title).toMatch(/^[\w\\][^\n]*[^.]$/);
    for (const text of [why, todo]) expect(text).toMatch(/^[\w\\][^\n]*\.$/);
    expect([title, why, todo].filter((text) => /\bREINDEX \(/.test(text))).toEqual([]);
  });

  it.each(allAdvice)('$id asks somebody, or says that nobody can be asked', (advice) => {
    const { sql, scope, certainty, remedy, templates } = advice;
    if (scope === 'client') expect(sql).toBeNull();
    else if (sql === null) expect(certainty).toBe('cannot-be-seen');
    // What cannot be seen is never carried out without a person.
    if (certainty === 'cannot-be-seen' || sql === null) expect(remedy).toBeNull();
    if (templates) expect(scope).toBe('database');
  });

  it.each(allAdvice)('$id names every catalog, function and type with its schema', ({ sql }) => {
    const text = (sql ?? '').replace(/'(?:[^']|'')*'/g, "''");
    const calls = [...text.matchAll(/(?<![.\w]|AS )([A-Za-z_]\w*)\(/g)].map(([, name]) => name ?? '');
    expect(calls.filter((name) => !['ARRAY', 'COALESCE', 'NULLIF'].includes(name))).toEqual([]);
    expect([...text.matchAll(/(?:FROM|JOIN|,)\s+(pg_(?!catalog\.)\w+)/g)].map(([, name]) => name)).toEqual(
      [],
    );
    expect([...text.matchAll(/::(?!pg_catalog\.)\w+/g)].map(([cast]) => cast)).toEqual([]);
    expect(text).not.toMatch(/\blimit\b|;\s*$/i);
  });

  it('is described one by one in the documentation', () => {
    const page = readFileSync(new URL('../../docs/releases.md', import.meta.url), 'utf8');
    const sections = page.split(/^### /m).slice(1);
    const described = sections.map((section) => section.slice(0, section.indexOf('\n')));
    expect(described.filter((name) => name.includes('-')).sort()).toEqual([...ids].sort());
    for (const { id, title } of allAdvice)
      expect(sections.find((section) => section.startsWith(`${id}\n`))).toContain(`${title}.`);
  });
});
