import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allAdvice } from '../../src/releases/advice-catalogue.ts';
import { releases } from '../../src/releases/releases.ts';

const text = readFileSync(new URL('../../docs/releases.md', import.meta.url), 'utf8');
const sections = text.slice(text.indexOf('## Each piece of advice')).split('\n### ').slice(1);
const told = sections.map((section) => [
  section.split('\n')[0] ?? '',
  /^- Asked for by: (.*)$/m.exec(section)?.[1]?.split(', ') ?? [],
]);

test('docs/releases.md has each piece of advice, with the releases that the table has', () => {
  const asked = allAdvice.map(({ id }) => [
    id,
    releases.filter(({ advice }) => advice.includes(id)).map(({ version }) => version),
  ]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(asked));
});
