import { describe, expect, it } from 'vitest';
import { quoteText } from '../../src/postgres/connection.ts';
import type { ExtensionBefore } from '../../src/report/record-extensions.ts';
import { extensionSchema } from '../../src/spec/extension-schema.ts';
import { askValue } from '../../src/upgrade/extension-ask.ts';
import { lostBetween } from '../../src/upgrade/extension-inventory.ts';
import { judge } from '../../src/upgrade/extension-judge.ts';
import { factsOfUpdates } from '../../src/upgrade/extension-update.ts';
import { plannedExtensions, updatedExtensions } from '../../src/upgrade/extensions-plan.ts';
import { specWith } from '../spec/specs.ts';
import { failureOf } from '../support/targets.ts';

const spec = extensionSchema.parse({});
const state = { version: '1.0', schema: 'public', own: null, errors: 0, tables: [] };
const before: ExtensionBefore = { extension: 'x', database: 'shop', ...state };
const update = { extension: 'x', database: 'shop', from: '1.0', to: '1.1', schemas: ['a', 'b'] };
const words = (...args: Parameters<typeof judge>): string[] => judge(...args).map(({ what }) => what);

describe('judge', () => {
  it('holds the version to the spec, else to the one from before or that of our own update', () => {
    const now = { state: { ...state, version: '1.1' }, faults: [] };
    expect(words(now, spec, before, null)).toEqual(['it has version 1.1, not 1.0 as before']);
    expect(words(now, spec, before, update)).toEqual([]);
    expect(words(now, { ...spec, version: '1.0' }, before, update)).toEqual(['it has version 1.1, not 1.0']);
    expect(words(now, spec, null, null)).toEqual([]);
  });

  it('compares errors only where both sides were asked', () => {
    const now = { state: { ...state, errors: 3 }, faults: [] };
    expect(words(now, spec, { ...before, errors: 2 }, null)).toEqual(['errors-sql answers 3, and 2 before']);
    expect(words(now, spec, { ...before, errors: 3 }, null)).toEqual([]);
    expect(words(now, spec, { ...before, errors: null }, null)).toEqual([]);
  });
});

describe('the plan', () => {
  it('has no step where the spec names no extension', () => expect(plannedExtensions(specWith())).toBeNull());

  it('says what is looked at, what may be done, and how it is undone', () => {
    const all = plannedExtensions(
      specWith(`extensions:
  pg_tviews:
    database: shop
    version: "1.1"
    version-sql: SELECT pg_tviews_version()
    smoke: [ops/tviews.sql]
    reinstall: if-needed
  hstore: {}
`),
    );
    expect(all?.does).toEqual([
      'pg_tviews, in shop: there; at version 1.1; its libraries load in a new session; version-sql answers: SELECT pg_tviews_version(); ops/tviews.sql passes',
      'where pg_tviews is not: ALTER EXTENSION ... UPDATE TO 1.1; else DROP EXTENSION without CASCADE and CREATE EXTENSION at the same version in one transaction, taken back where anything would be lost; where somebody dropped it meanwhile: CREATE EXTENSION',
      'hstore, in each database that has it: there; at the version from before; its libraries load in a new session',
    ]);
    expect(all?.undo).toMatch(/^an extension that this step updated: ALTER EXTENSION/);
    expect(all?.risks).toHaveLength(3);
    expect(plannedExtensions(specWith('extensions: { hstore: {} }\n'))).toMatchObject({
      title: 'Look after the extension hstore',
      undo: null,
    });
  });

  it('of a later rollback has the step only where an update is to be taken back', () => {
    expect(updatedExtensions([{ ...update, state: 'over' }])).toEqual([]);
    expect(updatedExtensions([{ ...update, state: 'started' }])).toMatchObject([
      { id: 'extensions', title: 'Update x' },
    ]);
  });
});

it('what is lost is what is not there any more', () => {
  expect(lostBetween(new Set(['b', 'a', 'c']), new Set(['c', 'd']))).toEqual(['a', 'b']);
});

it('facts that an update changes', () => {
  expect(factsOfUpdates([update])).toEqual([
    'shop: extension x',
    'shop: grants',
    'shop: objects of a',
    'shop: objects of b',
  ]);
});

it.each([
  ['1.0', "'1.0'"],
  ["1'; DROP", "'1''; DROP'"],
  ["\\'", "E'\\\\'''"],
])('quotes %s', (text, quoted) => expect(quoteText(text)).toBe(quoted));

it('a session that ends is not an answer', async () => {
  const gone = Object.assign(new Error('terminating connection'), { severity: 'FATAL', code: '57P01' });
  const connection = { texts: () => Promise.reject(gone) } as never;
  expect(await failureOf(askValue(connection, 'SELECT 1'))).toBe(gone);
});
