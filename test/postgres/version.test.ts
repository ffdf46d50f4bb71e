import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  formatVersion,
  fromProgram,
  fromVersionNum,
  parseVersion,
} from '../../src/postgres/version.ts';

describe('parseVersion', () => {
  it.each([
    ['15.20', { major: 15, minor: 20 }],
    ['10.0', { major: 10, minor: 0 }],
    ['99.999', { major: 99, minor: 999 }],
  ])('reads %s', (text, version) => {
    expect(parseVersion(text)).toEqual(version);
    expect(formatVersion(parseVersion(text))).toBe(text);
  });

  it.each([
    '',
    '15',
    '9.6',
    '9.6.1',
    '15.20.1',
    '15.020',
    '15.00',
    '015.2',
    '15.20-bookworm',
    ' 15.20',
    '15.20\n',
    'v15.2',
    '15.x',
    '100.1',
  ])('refuses %j', (text) => {
    expect(() => parseVersion(text)).toThrow(
      expect.objectContaining({
        code: 'version-format',
        message: `"${text}" is not a PostgreSQL version.`,
        hint: 'Write major and minor, quoted: postgres: "15.20".',
      }),
    );
  });
});

describe('fromVersionNum', () => {
  it.each([
    [150020, '15.20'],
    [150000, '15.0'],
    [180007, '18.7'],
    [100001, '10.1'],
  ])('reads %d', (num, text) => expect(formatVersion(fromVersionNum(num))).toBe(text));
});

describe('fromProgram', () => {
  it.each([
    ['pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', { major: 15, minor: 18 }],
    ['postgres (PostgreSQL) 15.20\n', { major: 15, minor: 20 }],
    ['pg_dump (PostgreSQL) 18.0', { major: 18, minor: 0 }],
    ['postgres (PostgreSQL) 19devel', undefined],
    ['postgres (PostgreSQL) 19beta1', undefined],
    ['pgbouncer 1.23.1', undefined],
    ['', undefined],
  ])('reads %j', (output, version) => expect(fromProgram(output)).toEqual(version));
});

describe('compareVersions', () => {
  it('puts minors in the order of numbers, not of text', () => {
    const sorted = ['15.9', '16.0', '15.10', '14.22', '15.2'].map(parseVersion).sort(compareVersions);
    expect(sorted.map(formatVersion)).toEqual(['14.22', '15.2', '15.9', '15.10', '16.0']);
    expect(compareVersions({ major: 15, minor: 20 }, { major: 15, minor: 20 })).toBe(0);
  });
});
