/** What each check of a database makes of rows, by exact value. */
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/checks/check.ts';
import { collationObjects, collationVersions } from '../../src/checks/collations.ts';
import { compareExtensionVersions, extensions } from '../../src/checks/extensions.ts';
import {
  eventTriggers,
  invalidConstraints,
  invalidIndexes,
  unloggedTables,
} from '../../src/checks/objects.ts';
import { sequences } from '../../src/checks/sequences.ts';
import { judge, passed } from './judging.ts';

describe('objects', () => {
  test('lists of several databases are cut at 20, and counted with what SQL left out', () => {
    const rows = ['a', 'b'].flatMap((database) =>
      Array.from({ length: 15 }, (_, i) => ({ database, name: `t${i}`, total: '100' })),
    );
    const [status, seen] = judge(unloggedTables, rows);
    expect([status, seen.length, seen[0], seen.at(-1)]).toEqual(['info', 21, 'a: t0', 'and 180 more']);
  });

  test('invalid-indexes, invalid-constraints, event-triggers', () => {
    expect(judge(invalidIndexes, [])).toEqual(passed);
    const index = { database: 'app', index_name: 'i', table_name: 't', total: '2' };
    expect(
      judge(invalidIndexes, [
        { ...index, is_unique: true, building: false },
        { ...index, is_unique: false, building: true },
      ]),
    ).toEqual([
      'warning',
      ['app: unique index i on t: invalid', 'app: index i on t: is being built, which a restart would end'],
    ]);
    expect(judge(invalidConstraints, [{ database: 'app', conname: 'c', owner: 't', total: '1' }])).toEqual([
      'info',
      ['app: c on t: not validated'],
    ]);
    expect(
      judge(eventTriggers, [
        { database: 'app', evtname: 'e', evtevent: 'sql_drop', function: 'f', total: '1' },
      ]),
    ).toEqual(['warning', ['app: e on sql_drop runs f']]);
  });

  test('sequences', () => {
    const row = (share: number | null): Row => ({
      database: 'app',
      name: share === null ? null : 's',
      share,
      left_over: '5',
      unread: '0',
    });
    expect(judge(sequences, [row(null)])).toEqual(passed);
    expect(judge(sequences, [row(0.79)])).toEqual(passed);
    expect(judge(sequences, [row(0.8)])).toEqual(['warning', ['app: s: 80 % used, 5 values left']]);
    expect(judge(sequences, [row(0.9999), row(0.9)])).toEqual([
      'blocked',
      ['app: s: 99 % used, 5 values left', 'app: s: 90 % used, 5 values left'],
    ]);
    expect(judge(sequences, [{ ...row(null), unread: '2' }])).toEqual([
      'info',
      ['app: 2 sequences not read: no right to, or too many to lock at once'],
    ]);
  });
});

describe('extensions', () => {
  const row = (changes: Row = {}): Row => ({
    database: 'app',
    name: 'postgis',
    installed: '3.10.1',
    preferred: '3.10.1',
    files: true,
    offered: true,
    ...changes,
  });
  const wanted = (...versions: string[]) => ({ wantedExtensions: new Map([['postgis', versions]]) });

  test('the running server', () => {
    expect(judge(extensions, [row()])).toEqual(passed);
    expect(judge(extensions, [row({ preferred: '3.11.0' })])).toEqual([
      'info',
      ['app: postgis 3.10.1: 3.11.0 is available'],
    ]);
    expect(judge(extensions, [row({ preferred: '3.11.0', offered: false })])).toEqual([
      'warning',
      ["app: postgis 3.10.1: the server's files offer 3.11.0, not 3.10.1"],
    ]);
    expect(judge(extensions, [row({ preferred: null, files: false, offered: false })])).toEqual([
      'blocked',
      ['app: postgis 3.10.1: its files are missing on the server'],
    ]);
  });

  test('the wanted server', () => {
    expect(judge(extensions, [row()], wanted('3.9.0', '3.10.1'))).toEqual(passed);
    expect(judge(extensions, [row()], { wantedExtensions: new Map() })).toEqual([
      'blocked',
      ['app: postgis 3.10.1: the wanted server has no files of it'],
    ]);
    // Older files lack what the installed objects call; newer ones keep it.
    expect(judge(extensions, [row()], wanted('3.8.0', '3.9.0'))).toEqual([
      'blocked',
      ['app: postgis 3.10.1: the wanted server offers 3.8.0, 3.9.0'],
    ]);
    expect(judge(extensions, [row()], wanted('3.9.0', '3.11.0'))[0]).toBe('warning');
    expect(compareExtensionVersions('3.10.1', '3.9.0')).toBeGreaterThan(0);
  });
});

test('collations', () => {
  const database = (changes: Row = {}): Row => ({
    datname: 'app',
    connectable: true,
    recorded: '1',
    actual: '2',
    ...changes,
  });
  expect(judge(collationVersions, [])).toEqual(passed);
  expect(
    judge(collationVersions, [
      database({ recorded: null }),
      database({ datname: 'template0', connectable: false, actual: null }),
      database(),
    ]),
  ).toEqual([
    'blocked',
    [
      'app: recorded 1, the library now has 2',
      'template0: recorded 1, the library now has no version',
      'app: no version recorded, so a change cannot be noticed',
    ],
  ]);
  const object = { database: 'app', name: 'de', recorded: '1', actual: '2', total: '1' };
  expect(judge(collationObjects, [{ ...object, ordered: '3' }])).toEqual([
    'blocked',
    ['app: de: recorded 1, the library now has 2; in the order of 3 indexes or partitioned tables'],
  ]);
  expect(judge(collationObjects, [{ ...object, ordered: '0' }])[0]).toBe('warning');
});
