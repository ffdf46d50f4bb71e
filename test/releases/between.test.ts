import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../src/postgres/version.ts';
import { adviceBetween, releaseRecord, whyRead } from '../../src/releases/between.ts';
import { notesLink, type Release } from '../../src/releases/releases.ts';

const today = '2026-11-20';

function asked(from: string, to: string): string[] {
  return adviceBetween(parseVersion(from), parseVersion(to)).map(
    ({ advice, fixedIn }) => `${fixedIn} ${advice.id}`,
  );
}

function record(from: string, to: string): ReturnType<typeof releaseRecord> {
  return releaseRecord(parseVersion(from), parseVersion(to), today);
}

describe('within a major', () => {
  it.each([
    ['15.1', '15.5', 5, 8],
    ['15.1', '15.20', 24, 100],
    ['17.0', '17.12', 19, 98],
    ['16.0', '16.15', 17, 55],
    ['15.20', '15.20', 0, 0],
    ['15.20', '15.1', 0, 0],
    ['15.99', '15.99', 0, 0],
  ])('%s to %s: %d pieces of advice, %d CVEs', (from, to, advice, cves) => {
    expect([asked(from, to).length, record(from, to).cves.length]).toEqual([advice, cves]);
  });

  it('names the release that asks, in their order', () => {
    expect(asked('15.1', '15.5')).toEqual([
      '15.4 brin-null-handling',
      '15.5 gist-recursive-split',
      '15.5 btree-interval-dedup',
      '15.5 brin-minmax-multi-date',
      '15.5 brin-minmax-multi-timestamp',
    ]);
  });

  it.each(['13.0', '14.0', '15.0', '16.0', '17.0', '18.0'])('asks nothing twice from %s on', (from) => {
    const ids = asked(from, `${parseVersion(from).major}.99`).map((line) => line.split(' ')[1]);
    expect(ids).toEqual([...new Set(ids)]);
  });
});

describe('to another major, by dump and restore', () => {
  it('leaves out what is built anew, and keeps what is not', () => {
    expect(asked('15.1', '17.12')).toEqual([
      '15.9 detached-partition-fk',
      '15.13 selfref-fk-partitioned',
      '15.14 plain-dump-restrict',
      '15.19 output-plugin-allowlist',
      '15.19 pgcrypto-pgp-unsupported-cipher',
      '15.19 psql-failed-copy-inline-data',
      '15.20 composite-type-versioning-extensions',
      '15.20 standby-snapshot-parallel-dump',
    ]);
  });

  it('asks what only the new major has: the old one got no such release', () => {
    expect(asked('13.23', '18.6')).toEqual([
      '18.6 output-plugin-allowlist',
      '18.6 pgcrypto-pgp-unsupported-cipher',
      '18.6 psql-failed-copy-inline-data',
    ]);
  });

  it('asks again what belongs to the programs of the new server', () => {
    expect(asked('15.20', '17.12')).toEqual([
      '17.11 output-plugin-allowlist',
      '17.12 composite-type-versioning-extensions',
    ]);
  });

  it('does not ask what the wanted release is too old for', () => {
    expect(asked('15.18', '16.14')).toEqual([]);
  });
});

describe('releaseRecord', () => {
  it('tells of the line of the running major', () => {
    const { lines, behind, daysBehind, asOf, mustRead, cvesUnknown } = record('15.1', '15.20');
    expect({ behind, daysBehind, asOf, mustRead, cvesUnknown }).toEqual({
      behind: 19,
      daysBehind: 1463,
      asOf: '2026-11-20',
      mustRead: [],
      cvesUnknown: [],
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      major: 15,
      endOfLife: '2027-11-11',
      daysToEndOfLife: 356,
      newest: '15.20',
    });
    expect(lines[0]?.releases.slice(16, 18)).toEqual([
      { version: '15.16', date: '2026-02-12', avoid: true, inferred: false },
      { version: '15.17', date: '2026-02-26', avoid: false, inferred: false },
    ]);
  });

  it('counts days past the end as negative', () => {
    expect(record('14.22', '14.24').lines[0]?.daysToEndOfLife).toBe(-8);
  });

  it('puts the worst CVE first, those without a score last', () => {
    const { cves } = record('15.1', '15.20');
    expect(cves.slice(0, 2)).toEqual([
      { id: 'CVE-2025-8714', score: 8.8, component: null, fixedIn: '15.14' },
      { id: 'CVE-2025-8715', score: 8.8, component: null, fixedIn: '15.14' },
    ]);
    const scores = cves.map(({ score }) => score ?? -1);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(cves.at(-1)).toEqual({ id: 'CVE-2026-120154', score: null, component: null, fixedIn: '15.20' });
  });

  it('wants inferred notes read, and says that their CVEs are unknown', () => {
    const { mustRead, cvesUnknown } = record('16.14', '16.16');
    expect(cvesUnknown).toEqual(['16.16']);
    expect(mustRead).toEqual([
      {
        version: '16.16',
        why: 'its notes were not seen: what is known of it comes from releases of other majors on the same day',
        link: 'https://www.postgresql.org/docs/release/16.16/',
      },
    ]);
  });

  it('tells of both lines, and wants the notes of a new major read', () => {
    const { lines, mustRead, cves } = record('15.17', '16.14');
    expect(lines.map(({ major }) => major)).toEqual([15, 16]);
    expect(mustRead).toEqual([
      {
        version: '16.0',
        why: 'a new major: its notes list what changed for applications',
        link: 'https://www.postgresql.org/docs/release/16.0/',
      },
    ]);
    // 15.17 has the others; one that 16.14 fixes was not in 15 at all, or not yet.
    expect([...new Set(cves.map(({ fixedIn }) => fixedIn))]).toEqual(['16.14']);
  });

  it('names the majors that are left out', () => {
    expect(record('15.17', '18.4').mustRead[0]?.why).toContain('(read those of 16.0 and 17.0 as well)');
    expect(record('15.17', '18.7').mustRead.map(({ version }) => version)).toEqual(['18.0', '18.7']);
  });

  it('counts what the running major fixed before the new one came', () => {
    const { cves } = record('15.1', '17.0');
    expect(cves.map(({ fixedIn }) => fixedIn)).toContain('15.2');
    expect(cves.filter(({ fixedIn }) => parseVersion(fixedIn).minor > 8)).toEqual([]);
  });

  it('stays calm with a running release that the table does not know', () => {
    expect(record('15.21', '15.20')).toMatchObject({ behind: 0, daysBehind: null, cves: [], mustRead: [] });
    expect(record('12.9', '15.20')).toMatchObject({ behind: 0, daysBehind: null });
  });
});

describe('whyRead', () => {
  const release: Release = { version: '15.21', date: null, advice: [], cves: [] };
  it.each([
    [{}, null],
    [{ asks: true, advice: ['brin-null-handling'] }, null],
    [{ asks: true }, 'its notes ask for something that is not modelled yet'],
    [
      { asks: true, advice: ['brin-null-handling'], unreviewed: ['migration section: reindex', 'entry 3'] },
      'its notes ask for something that is not modelled yet: migration section: reindex; entry 3',
    ],
  ])('of %j is %s', (changes, why) => expect(whyRead({ ...release, ...changes })).toBe(why));
});

it('notesLink', () => expect(notesLink('17.0')).toBe('https://www.postgresql.org/docs/release/17.0/'));
