import { expect, test } from 'vitest';
import type { FactRecord } from '../../src/report/record.ts';
import { factsOfCopy } from '../../src/upgrade/rehearsal/compare-copy.ts';

const fact = (group: string, name: string, verdict: FactRecord['verdict'] = 'unexpected'): FactRecord => ({
  group,
  name,
  before: '1',
  after: '2',
  verdict,
  why: null,
  rule: 'must be equal',
  measure: null,
});

const verdicts = (facts: readonly FactRecord[], ...rest: [string[], Set<string>, boolean]): string[] =>
  factsOfCopy(facts, ...rest).map(({ name, verdict }) => `${name}: ${verdict}`);

test('what a scratch server has of its own is left out, content stays', () => {
  expect(
    verdicts(
      [
        fact('server', 'system identifier'),
        fact('server', 'roles'),
        fact('settings', 'setting work_mem'),
        fact('log', 'server log'),
        fact('objects', 'shop: objects of app'),
        fact('grants', 'shop: grants', 'equal'),
      ],
      [],
      new Set(),
      false,
    ),
  ).toEqual(['roles: unexpected', 'shop: objects of app: unexpected', 'shop: grants: equal']);
});

test('an updated extension explains objects of its database only; a closed database explains the list', () => {
  const facts = [
    fact('objects', 'shop: objects of app'),
    fact('extensions', 'shop: extension hstore'),
    fact('objects', 'shop2: objects of app'),
    fact('server', 'databases'),
  ];
  expect(verdicts(facts, ['closed'], new Set(['shop']), false)).toEqual([
    'shop: objects of app: expected',
    'shop: extension hstore: expected',
    'shop2: objects of app: unexpected',
    'databases: expected',
  ]);
});

test('another major grants its own objects otherwise; nothing else is forgiven', () => {
  expect(
    verdicts([fact('grants', 'shop: grants'), fact('objects', 'shop: objects of app')], [], new Set(), true),
  ).toEqual(['shop: grants: expected', 'shop: objects of app: unexpected']);
});
