import { describe, expect, it } from 'vitest';
import { releaseLine } from '../../src/report/html-release-line.ts';
import { type Markup, markupText } from '../../src/report/markup.ts';
import type { ReleaseLine } from '../../src/report/record-release.ts';
import {
  behindOf,
  cveHeadline,
  formatDays,
  lifetimeOf,
  lineOf,
  ratingOf,
} from '../../src/report/release-words.ts';
import { cleanCheckRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { release } from './fixture-release.ts';

const [line] = release.lines as [ReleaseLine];
const drawn = (part: Markup | null): string => (part === null ? '' : markupText(part));
const picture = (change: Partial<ReleaseLine> = {}, record = richCheckRecord()): string =>
  drawn(releaseLine({ ...line, ...change }, 0, record));
const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');

describe('in words', () => {
  it('says how far behind and how long there are fixes', () => {
    expect(lineOf(richCheckRecord())).toBe(
      '15.1 is 19 releases (4 y) behind 15.20; PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days',
    );
    expect(behindOf(upgradedRecord())).toBe('15.1 was 19 releases (4 y) behind 15.20');
    const newest = { ...richCheckRecord(), release: { ...release, behind: 0, daysBehind: 0 } };
    expect(behindOf(newest)).toBe('15.1 is the newest release of its line');
    const unknown = { ...richCheckRecord(), release: { ...release, daysBehind: null } };
    expect(behindOf(unknown)).toBe('15.1 is 19 releases behind 15.20');
  });

  it.each([
    [{}, 'PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days'],
    [{ daysToEndOfLife: 1 }, 'PostgreSQL 15 gets fixes until 2027-11-11, for 1 more day'],
    [{ daysToEndOfLife: 0 }, 'PostgreSQL 15 gets fixes until 2027-11-11, which is today'],
    [{ daysToEndOfLife: -8 }, 'PostgreSQL 15 has had no fixes since 2027-11-11, for 8 days'],
    [{ daysToEndOfLife: null }, 'PostgreSQL 15 gets fixes until 2027-11-11'],
    [{ endOfLife: null }, 'the end of PostgreSQL 15 is not known yet'],
  ])('lifetime %j', (change, text) => expect(lifetimeOf({ ...line, ...change })).toBe(text));

  it('counts security fixes', () => {
    expect(cveHeadline(release)).toBe(
      '100 CVEs fixed, 41 with a score of 7 or more, highest 8.8; not listed yet for 1 release',
    );
    const none = { ...release, cves: [], cvesUnknown: [] };
    expect(cveHeadline(none)).toBe('No CVE is fixed in between');
    expect(cveHeadline({ ...none, cvesUnknown: ['15.20', '15.19'] })).toBe(
      'No known CVE is fixed in between; not listed yet for 2 releases',
    );
    const unrated = [{ id: 'CVE-2026-1', score: null, component: null, fixedIn: '15.2' }];
    expect(cveHeadline({ ...none, cves: unrated })).toBe('1 CVE fixed');
  });

  it.each([
    [null, 'no score'],
    [9.8, 'critical'],
    [7, 'high'],
    [6.9, 'medium'],
    [3.9, 'low'],
  ])('rates %s', (score, word) => expect(ratingOf(score)).toBe(word));

  it.each([
    [1, '1 day'],
    [59, '59 days'],
    [61, '2 mo'],
    [365, '1 y'],
    [1372, '3 y 9 mo'],
  ])('%i days', (days, text) => expect(formatDays(days)).toBe(text));
});

describe('the picture', () => {
  it('has a dot for each release, marks and labels, crosses, and the end of fixes', () => {
    const svg = picture();
    expect(svg.match(/<circle/g)).toHaveLength(21);
    expect(svg.match(/class="dot marked"/g)).toHaveLength(2);
    expect(svg.match(/class="cross"/g)).toHaveLength(4);
    expect(texts(svg)).toEqual([
      'running 15.1',
      'wanted and newest 15.20',
      'fixes until 2027-11-11, in 356 days',
    ]);
    expect(svg).toContain('Crossed out, to be avoided: 15.0, 15.9, 15.11, 15.16.');
  });

  it('can be read aloud', () => {
    const svg = picture();
    expect(svg).toMatch(/<svg [^>]*role="img" aria-labelledby="release-line-0-title release-line-0-desc"/);
    expect(svg).toContain('<title id="release-line-0-title">Releases of PostgreSQL 15</title>');
    expect(svg).toContain(
      '<desc id="release-line-0-desc">From 15.0 to 15.20. 15.1 is running; 15.20 is wanted and newest; PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days.</desc>',
    );
    expect(svg).toContain('<title>15.9, 2024-11-14, to be avoided</title>');
  });

  it('labels three versions, a past end, and an inferred release', () => {
    const record = { ...richCheckRecord(), versions: { from: '15.1', wanted: '15.18', now: '15.1' } };
    expect(texts(picture({ daysToEndOfLife: -8 }, record))).toEqual([
      'running 15.1',
      'wanted 15.18',
      'newest 15.20',
      'last fixes 2027-11-11, 8 days ago',
    ]);
    const releases = line.releases.map((entry, index) => ({ ...entry, inferred: index === 19 }));
    const svg = picture({ releases });
    expect(svg).toContain('Hollow: known only from releases of other majors (15.19).');
    expect(svg).toContain('class="dot hollow"');
    const marked = line.releases.map((entry) => ({ ...entry, inferred: entry.version === line.newest }));
    expect(picture({ releases: marked })).toContain('class="dot marked hollow"');
  });

  it('says before and now after the upgrade, and draws without an end', () => {
    expect(texts(picture({}, upgradedRecord())).slice(0, 2)).toEqual(['before 15.1', 'now and newest 15.20']);
    expect(texts(picture({ endOfLife: null }, cleanCheckRecord()))).toEqual([
      'running 15.1',
      'wanted and newest 15.20',
    ]);
    expect(picture({ releases: [] })).toBe('');
    expect(picture({ releases: line.releases.slice(20) })).not.toContain('NaN');
  });

  it('escapes what a version or a date holds', () => {
    const version = '"/><script>x</script>';
    const svg = picture(
      {
        newest: version,
        endOfLife: '</svg><b>',
        releases: [{ version, date: '</title>', avoid: true, inferred: true }],
      },
      { ...richCheckRecord(), versions: { from: version, wanted: version, now: version } },
    );
    expect(svg).not.toMatch(/<script|<b>/);
    expect(svg.match(/<\/svg>/g)).toHaveLength(2);
  });
});
