import { describe, expect, it } from 'vitest';
import { compareCluster, compareInventories, shorten } from '../../src/backup/compare.ts';
import type { Inventory, SequenceState } from '../../src/backup/inventory.ts';

const source: Inventory = {
  tables: {
    '"public"."orders"': { rows: '120411', fingerprint: '81' },
    '"public"."lines"': { rows: '0', fingerprint: '0' },
  },
  sequences: { '"public"."orders_id_seq"': { value: '10', called: true } },
  largeObjects: { count: 3, fingerprint: '7' },
  objects: { 'table public.orders': 'h1', 'function public.total(int)': 'h2' },
  notCompared: [],
};

function compare(changes: Partial<Inventory>, after = source.sequences): string[] {
  return compareInventories('orders', source, after, { ...source, ...changes });
}

describe('compareInventories', () => {
  it('says nothing about equal ones', () => expect(compare({})).toEqual([]));

  it('tells each object that is missing, differs, or is too much', () => {
    expect(compare({ objects: { 'table public.orders': 'other', 'view public.extra': 'h3' } })).toEqual([
      'orders: table public.orders differs in the restored copy',
      'orders: function public.total(int) is missing in the restored copy',
      'orders: view public.extra exists only in the restored copy',
    ]);
  });

  it('tells rows first, and content where the rows agree', () => {
    expect(compare({ tables: { '"public"."orders"': { rows: '120410', fingerprint: '80' } } })).toEqual([
      'orders: table "public"."orders" has 120411 rows, its restored copy 120410',
      'orders: table "public"."lines" is missing in the restored copy',
    ]);
    expect(
      compare({ tables: { ...source.tables, '"public"."orders"': { rows: '120411', fingerprint: '80' } } }),
    ).toEqual(['orders: table "public"."orders" has 120411 rows in both, but their content differs']);
  });

  it.each([
    [{ count: 2, fingerprint: '7' }, 'orders: 3 large objects, 2 in the restored copy'],
    [{ count: 3, fingerprint: '8' }, 'orders: the content of its large objects differs in the restored copy'],
  ])('tells large objects: %j', (largeObjects, sentence) =>
    expect(compare({ largeObjects })).toEqual([sentence]),
  );
});

describe('a sequence', () => {
  const name = '"public"."s"';

  function between(before: SequenceState, after: SequenceState, copy: SequenceState): string[] {
    const empty = { tables: {}, largeObjects: { count: 0, fingerprint: '0' }, objects: {}, notCompared: [] };
    return compareInventories(
      'orders',
      { ...empty, sequences: { [name]: before } },
      { [name]: after },
      { ...empty, sequences: { [name]: copy } },
    );
  }
  const at = (value: number | string, called = true): SequenceState => ({ value: String(value), called });

  it.each([
    [at(10), at(15), at(10)],
    [at(10), at(15), at(12)],
    [at(10), at(15), at(15)],
    [at(-10), at(-15), at(-12)],
    [at(1, false), at(1), at(1, false)],
    [at(1, false), at(1), at(1)],
    [at('9223372036854775806'), at('9223372036854775807'), at('9223372036854775807')],
  ])('from %j to %j may be restored at %j', (before, after, copy) =>
    expect(between(before, after, copy)).toEqual([]),
  );

  it.each([
    [at(10), at(15), at(9)],
    [at(10), at(15), at(16)],
    [at(-10), at(-15), at(-9)],
    [at(-10), at(-15), at(-16)],
    [at(1), at(5), at(1, false)],
    [at(1, false), at(1, false), at(1)],
    [at('9223372036854775806'), at('9223372036854775806'), at('9223372036854775807')],
  ])('from %j to %j may not be restored at %j', (before, after, copy) =>
    expect(between(before, after, copy)).toEqual([
      `orders: sequence ${name} stood at ${before.value}, its restored copy at ${copy.value}`,
    ]),
  );

  it('must be there, and must not have moved where its end is not known', () => {
    expect(compare({ sequences: {} })).toEqual([
      'orders: sequence "public"."orders_id_seq" is missing in the restored copy',
    ]);
    expect(compare({ sequences: { '"public"."orders_id_seq"': at(11) } }, {})).toEqual([
      'orders: sequence "public"."orders_id_seq" stood at 10, its restored copy at 11',
    ]);
  });
});

describe('compareCluster', () => {
  it('tells roles without naming a database', () => {
    expect(
      compareCluster({ 'role ops': 'a', 'role app': 'b' }, { 'role ops': 'c', 'role extra': 'd' }),
    ).toEqual([
      'role ops differs in the restored copy',
      'role app is missing in the restored copy',
      'role extra exists only in the restored copy',
    ]);
  });
});

describe('shorten', () => {
  const many = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => `difference ${index}`);

  it('keeps fifty and counts the rest', () => {
    expect(shorten(many(50))).toEqual(many(50));
    expect(shorten(many(53))).toEqual([...many(50), 'and 3 more']);
    expect(shorten([])).toEqual([]);
  });
});
