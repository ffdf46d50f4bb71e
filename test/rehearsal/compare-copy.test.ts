import { expect, test } from 'vitest';
import type { FactRecord } from '../../src/report/record.ts';
import { type Explained, factsOfCopy } from '../../src/upgrade/rehearsal/compare-copy.ts';

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

const nothing: Explained = { closed: [], extensions: new Set(), invalid: new Set() };
const verdicts = (facts: readonly FactRecord[], explained: Partial<Explained> = {}): string[] =>
  factsOfCopy(facts, { ...nothing, ...explained }).map(({ name, verdict }) => `${name}: ${verdict}`);

test('what a scratch server has of its own is left out, and what the restore compared by itself; content stays', () => {
  expect(
    verdicts([
      fact('server', 'system identifier'),
      fact('server', 'roles'),
      fact('server', 'memberships'),
      fact('settings', 'setting work_mem'),
      fact('log', 'server log'),
      fact('objects', 'shop: objects of app'),
      fact('grants', 'shop: grants'),
      fact('sequences', 'shop: sum of ascending sequences', 'equal'),
    ]),
  ).toEqual([
    'memberships: unexpected',
    'shop: objects of app: unexpected',
    'shop: sum of ascending sequences: equal',
  ]);
});

test('another version of an extension explains objects of its database only; a closed database explains the list', () => {
  const facts = [
    fact('objects', 'shop: objects of app'),
    fact('extensions', 'shop: extension hstore'),
    fact('objects', 'shop2: objects of app'),
    fact('server', 'databases'),
  ];
  expect(verdicts(facts, { closed: ['closed'], extensions: new Set(['shop']) })).toEqual([
    'shop: objects of app: expected',
    'shop: extension hstore: expected',
    'shop2: objects of app: unexpected',
    'databases: expected',
  ]);
});

test('invalid indexes explain a number of indexes, and nothing else', () => {
  const invalid = new Set(['shop']);
  const indexes = { ...fact('objects', 'shop: objects of app'), before: 'indexes 6', after: 'indexes 5' };
  const views = { ...indexes, before: 'indexes 6, views 2', after: 'indexes 5, views 1' };
  expect(verdicts([indexes, views], { invalid })).toEqual([
    'shop: objects of app: expected',
    'shop: objects of app: unexpected',
  ]);
  expect(verdicts([indexes])).toEqual(['shop: objects of app: unexpected']);
});
