import { describe, expect, it } from 'vitest';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { listOf, neededSettings, newSettings, setList } from '../../src/upgrade/needed-settings.ts';
import { applying } from './advice.ts';

describe('a list setting', () => {
  it.each([
    ['pgoutput, test_decoding', ['pgoutput', 'test_decoding']],
    ['pgoutput,wal2json', ['pgoutput', 'wal2json']],
    ['"pgoutput, wal2json"', ['pgoutput, wal2json']],
    ['"a ""b""", c', ['a "b"', 'c']],
    ['', []],
  ])('%s is read as the server reads it', (text, names) => {
    expect(listOf(text)).toEqual(names);
  });

  it('is written name by name: one string would be one name', () => {
    expect(setList({ name: 'output_plugin_libraries', values: ['pgoutput', 'we"ird, one'] })).toBe(
      'ALTER SYSTEM SET output_plugin_libraries = "pgoutput", "we""ird, one"',
    );
  });
});

const advice = (changes: Partial<AdviceRecord>) => applying('output-plugin-allowlist', changes);

describe('neededSettings', () => {
  it("holds the server's own names, and the plugins that were found", () => {
    expect(neededSettings([advice({})])).toEqual([
      {
        id: 'output-plugin-allowlist',
        name: 'output_plugin_libraries',
        values: ['pgoutput', 'test_decoding', 'wal2json'],
      },
    ]);
  });

  it('is empty where a person does it, and for advice of other kinds', () => {
    expect(neededSettings([advice({ by: 'person' }), advice({ id: 'brin-null-handling' })])).toEqual([]);
  });
});

describe('newSettings', () => {
  it.each([
    ['15.1', '15.20', ['output_plugin_libraries']],
    ['15.20', '15.1', ['output_plugin_libraries']],
    ['15.19', '15.20', []],
    ['15.17', '15.18', []],
  ])('between %s and %s', (from, wanted, names) => {
    expect(newSettings({ from, wanted })).toEqual(names);
  });

  it('none without a plan', () => expect(newSettings(null)).toEqual([]));
});
