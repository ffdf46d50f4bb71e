import { describe, expect, it } from 'vitest';
import { compareVersions, parseVersion } from '../../src/postgres/version.ts';
import { findAdvice } from '../../src/releases/advice-catalogue.ts';
import table from '../../src/releases/releases.json' with { type: 'json' };
import {
  assertUsableTarget,
  endOfLife,
  findRelease,
  newestMinor,
  type Release,
  releases,
  releasesAsOf,
} from '../../src/releases/releases.ts';

const majors = [...new Set(releases.map(({ version }) => parseVersion(version).major))];
const isoDay = /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

function of(major: number): readonly Release[] {
  return releases.filter(({ version }) => parseVersion(version).major === major);
}

describe('the table of releases', () => {
  it.each(majors)('has the versions of %d once and in order', (major) => {
    const minors = of(major).map(({ version }) => parseVersion(version).minor);
    expect(minors).toEqual([...new Set(minors)].sort((a, b) => a - b));
    expect(minors[0]).toBe(0);
  });

  it.each(majors)('leaves out only what was never released of %d', (major) => {
    const minors = of(major).map(({ version }) => parseVersion(version).minor);
    const missing = Array.from({ length: minors.length + 1 }, (_, minor) => minor)
      .filter((minor) => minor < Math.max(...minors) && !minors.includes(minor))
      .map((minor) => `${major}.${minor}`);
    expect(missing).toEqual(table.neverReleased.filter((version) => version.startsWith(`${major}.`)));
  });

  it.each(majors)('has rising days for %d, none after the day of the table', (major) => {
    const days = of(major).map(({ date }) => date ?? '');
    expect(days.filter((day) => !isoDay.test(day))).toEqual([]);
    expect(days).toEqual([...new Set(days)].sort());
    expect((days.at(-1) ?? '') <= releasesAsOf).toBe(true);
  });

  it('sends away from a bad release to a later, good one of the same major', () => {
    for (const { version, avoid } of releases) {
      if (!avoid) continue;
      const [from, to] = [parseVersion(version), parseVersion(avoid.useAtLeast)];
      expect([to.major, compareVersions(to, from) > 0], version).toEqual([from.major, true]);
      expect(findRelease(to), version).toBeDefined();
      expect(findRelease(to)?.avoid, version).toBeUndefined();
    }
  });

  it('sends to the first good release', () => {
    for (const { version, avoid } of releases) {
      if (!avoid) continue;
      const later = of(parseVersion(version).major).filter(
        (release) => compareVersions(parseVersion(release.version), parseVersion(version)) > 0,
      );
      expect(later.find((release) => !release.avoid)?.version, version).toBe(avoid.useAtLeast);
    }
  });

  it('has no advice, no CVE and nothing to see that it does not know', () => {
    const cves = Object.keys(table.cves);
    for (const release of releases) {
      expect(
        release.advice.filter((id) => !findAdvice(id)),
        release.version,
      ).toEqual([]);
      expect(
        (release.cves ?? []).filter((id) => !cves.includes(id)),
        release.version,
      ).toEqual([]);
      if (release.alsoSee !== undefined) {
        const [from, to] = [parseVersion(release.version), parseVersion(release.alsoSee)];
        expect([to.major, compareVersions(to, from) < 0], release.version).toEqual([from.major, true]);
        expect(findRelease(to)?.asks, release.version).toBe(true);
      }
    }
    const used = new Set(releases.flatMap((release) => release.cves ?? []));
    expect(cves.filter((id) => !used.has(id))).toEqual([]);
  });

  it('has a score between 0 and 10 and one of three components for a CVE whose record was seen', () => {
    for (const [id, { score, component }] of Object.entries(table.cves)) {
      expect(id).toMatch(/^CVE-20\d\d-\d{4,}$/);
      expect(score === null || (score > 0 && score <= 10), id).toBe(true);
      expect([null, 'core server', 'client', 'contrib module'], id).toContain(component);
    }
  });

  it('knows only of inferred releases not which CVEs they fix', () => {
    expect(releases.filter(({ cves }) => cves === null).map(({ version }) => version)).toEqual(
      releases.filter(({ inferred }) => inferred).map(({ version }) => version),
    );
  });

  it('lists each CVE once in a major, and nothing for what was never released', () => {
    for (const major of majors) {
      const ids = of(major).flatMap(({ cves }) => cves ?? []);
      expect(ids, String(major)).toEqual([...new Set(ids)]);
    }
    expect(releases.filter(({ version }) => table.neverReleased.includes(version))).toEqual([]);
  });

  it('agrees about the releases of one day, unless one major was bad by itself', () => {
    for (const [day, sisters] of Map.groupBy(releases, ({ date }) => date)) {
      const bad = sisters.flatMap(({ avoid }) => (avoid ? [avoid] : []));
      if (bad.length < 2) continue;
      expect(bad.length, String(day)).toBe(sisters.length);
      expect(new Set(bad.map(({ reason }) => reason)).size, String(day)).toBe(1);
      const good = bad.map(({ useAtLeast }) => findRelease(parseVersion(useAtLeast))?.date);
      expect(new Set(good).size, String(day)).toBe(1);
    }
  });

  it('has advice wherever notes ask for something', () => {
    expect(
      releases.filter(({ asks, advice }) => asks && advice.length === 0).map(({ version }) => version),
    ).toEqual([]);
    expect(releases.filter(({ unreviewed }) => unreviewed).map(({ version }) => version)).toEqual([]);
  });

  it('knows when each major ends', () => {
    expect(majors.map((major) => isoDay.test(endOfLife(major) ?? ''))).toEqual(majors.map(() => true));
    expect([endOfLife(15), endOfLife(19), endOfLife(42)]).toEqual(['2027-11-11', null, null]);
  });
});

describe('newestMinor', () => {
  it.each([
    [13, '13.23'],
    [15, '15.20'],
    [16, '16.16'],
    [17, '17.12'],
    [18, '18.7'],
    [42, undefined],
  ])('of %d is %s', (major, version) => expect(newestMinor(major)?.version).toBe(version));
});

describe('assertUsableTarget', () => {
  it.each(['15.20', '15.17', '17.12', '18.6'])('takes %s', (version) => {
    expect(assertUsableTarget(parseVersion(version)).version).toBe(version);
  });

  it.each([
    [
      '15.99',
      'The newest PostgreSQL 15 it knows is 15.20 (table of 2026-11-20). If 15.99 is newer, update the action.',
    ],
    ['18.5', 'PostgreSQL 18.5 was never released. The newest PostgreSQL 18 is 18.7 (table of 2026-11-20).'],
    ['42.0', 'It knows no PostgreSQL 42 (table of 2026-11-20).'],
  ])('refuses %s, which it does not know', (version, hint) => {
    expect(() => assertUsableTarget(parseVersion(version))).toThrow(
      expect.objectContaining({
        code: 'version-unknown',
        phase: 'plan',
        message: `PostgreSQL ${version} is not a release that this action knows.`,
        hint,
      }),
    );
  });

  it('refuses 15.16 and says from where on it is good', () => {
    expect(() => assertUsableTarget({ major: 15, minor: 16 })).toThrow(
      expect.objectContaining({
        code: 'version-avoid',
        phase: 'plan',
        message:
          'PostgreSQL 15.16 must not be a target: standby can stop replaying WAL of an older-minor primary (multixid truncation); substring() on toasted text raises false encoding errors; repaired two weeks later.',
        hint: 'Use 15.17 or later; the newest is 15.20.',
      }),
    );
  });

  it('refuses every release of the avoid list and no other', () => {
    for (const { version, avoid } of releases) {
      const attempt = (): Release => assertUsableTarget(parseVersion(version));
      if (avoid) expect(attempt, version).toThrow(expect.objectContaining({ code: 'version-avoid' }));
      else expect(attempt().version).toBe(version);
    }
  });
});
