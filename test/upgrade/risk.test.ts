/** What is said of a change before anybody decides: every class, every reason, in the words that people read. */
import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../src/postgres/version.ts';
import type { ChangeRecord } from '../../src/report/record-change.ts';
import { distributionOf, type Risk, riskOf, rollbackRisk } from '../../src/upgrade/risk.ts';

function risk(from: string | null, wanted: string, distribution?: [string | null, string | null]): Risk {
  return riskOf({
    from: from === null ? null : parseVersion(from),
    wanted: parseVersion(wanted),
    ...(distribution ? { distribution: { from: distribution[0], wanted: distribution[1] } } : {}),
  });
}

describe('riskOf', () => {
  it.each<
    [string, string | null, string, [string | null, string | null] | undefined, Risk['class'], string[]]
  >([
    [
      'a minor version',
      '15.17',
      '15.20',
      undefined,
      'minor',
      [
        '15.17 → 15.20 is a minor version, 3 releases further: the data files stay as they are. It fixes 74 CVEs, 21 of them with a score of 7 or more.',
      ],
    ],
    [
      'the next release',
      '15.17',
      '15.18',
      undefined,
      'known-bad',
      [
        'PostgreSQL 15.18, which is wanted, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful; a standby of 15.18 can hang behind an older primary, mended in 15.19.',
        '15.17 → 15.18 is a minor version, the next release: the data files stay as they are. It fixes 8 CVEs, 5 of them with a score of 7 or more.',
      ],
    ],
    [
      'a version that its project warns of, left',
      '15.18',
      '15.20',
      undefined,
      'known-bad',
      [
        'PostgreSQL 15.18, which runs now, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful; a standby of 15.18 can hang behind an older primary, mended in 15.19.',
        '15.18 → 15.20 is a minor version, 2 releases further: the data files stay as they are. It fixes 66 CVEs, 16 of them with a score of 7 or more.',
      ],
    ],
    [
      'a version that must not be a target',
      '15.10',
      '15.11',
      undefined,
      'known-bad',
      [
        'PostgreSQL 15.11, which is wanted, is known for this: libpq quoting functions ignored the length argument; repaired a week later.',
        '15.10 → 15.11 is a minor version, the next release: the data files stay as they are. It fixes 1 CVE, with a score of 7 or more.',
      ],
    ],
    [
      'a major version',
      '15.20',
      '16.15',
      undefined,
      'known-bad',
      [
        'PostgreSQL 16.15, which is wanted, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful.',
        '15.20 → 16.15 is a new major version: the data files have to be converted or restored, every extension needs a build for 16, queries may be planned otherwise or fail, and the old version cannot read what the new one writes. It fixes 2 CVEs.',
      ],
    ],
    [
      'a major version and nothing else',
      '16.13',
      '17.9',
      undefined,
      'major',
      [
        '16.13 → 17.9 is a new major version: the data files have to be converted or restored, every extension needs a build for 17, queries may be planned otherwise or fail, and the old version cannot read what the new one writes. It fixes no CVE.',
      ],
    ],
    [
      'several major versions',
      '13.23',
      '18.6',
      undefined,
      'known-bad',
      [
        'PostgreSQL 18.6, which is wanted, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful.',
        '13.23 → 18.6 is 5 major versions further: the data files have to be converted or restored, every extension needs a build for 18, queries may be planned otherwise or fail, and the old version cannot read what the new one writes. It fixes 44 CVEs, 28 of them with a score of 7 or more.',
      ],
    ],
    ['nothing', '15.20', '15.20', undefined, 'none', ['PostgreSQL 15.20 runs already: nothing changes.']],
    [
      'nothing, on a version that its project warns of',
      '15.18',
      '15.18',
      undefined,
      'none',
      [
        'PostgreSQL 15.18, which runs now, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful; a standby of 15.18 can hang behind an older primary, mended in 15.19.',
        'PostgreSQL 15.18 runs already: nothing changes.',
      ],
    ],
    [
      'an image of another distribution',
      '15.20',
      '15.20',
      ['bookworm', 'trixie'],
      'distribution',
      [
        'The distribution of the image changes from bookworm to trixie: its libraries may sort text differently. Indexes on text have to be rebuilt then, or they miss rows and let duplicates in.',
        'PostgreSQL stays 15.20.',
      ],
    ],
    [
      'another distribution with a minor version',
      '15.17',
      '15.20',
      [null, 'alpine3.22'],
      'distribution',
      [
        "The distribution of the image changes from the image's default to alpine3.22: its libraries may sort text differently. Indexes on text have to be rebuilt then, or they miss rows and let duplicates in.",
        '15.17 → 15.20 is a minor version, 3 releases further: the data files stay as they are. It fixes 74 CVEs, 21 of them with a score of 7 or more.',
      ],
    ],
    [
      'the same distribution, written as nothing twice',
      '15.20',
      '15.20',
      [null, ''],
      'none',
      ['PostgreSQL 15.20 runs already: nothing changes.'],
    ],
    [
      'a release that the table does not know',
      '15.20',
      '15.99',
      undefined,
      'minor',
      [
        'PostgreSQL 15.99 is not a release that this action knows.',
        '15.20 → 15.99 is a minor version: the data files stay as they are. What it fixes is not known.',
      ],
    ],
    [
      'a version that was never released',
      '18.4',
      '18.5',
      undefined,
      'known-bad',
      [
        'PostgreSQL 18.4, which runs now, is known for this: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful.',
        'PostgreSQL 18.5 is not a release that this action knows.',
        '18.4 → 18.5 is a minor version: the data files stay as they are. What it fixes is not known.',
      ],
    ],
    [
      'a downgrade',
      '15.20',
      '15.17',
      undefined,
      'minor',
      ['15.17 is older than 15.20, which runs: a downgrade, which mode upgrade refuses.'],
    ],
    [
      'what runs not being known',
      null,
      '15.20',
      undefined,
      'major',
      ['What runs now is not known, so 15.20 may be a new major version.'],
    ],
  ])('of %s', (_what, from, wanted, distribution, worst, reasons) => {
    expect(risk(from, wanted, distribution)).toEqual({ class: worst, reasons });
  });
});

describe('rollbackRisk', () => {
  it('names what is open again', () => {
    expect(rollbackRisk(parseVersion('15.20'), parseVersion('15.17'))).toMatchInlineSnapshot(`
      {
        "class": "minor",
        "reasons": [
          "15.20 goes back to 15.17: minor versions of one major read the same data files, and nothing that was written since is lost.",
          "What was fixed since 15.17 is open again: 74 CVEs, 21 of them with a score of 7 or more.",
        ],
      }
    `);
    expect(rollbackRisk(parseVersion('15.20'), parseVersion('15.18')).class).toBe('known-bad');
  });
});

it('a change to another distribution is told by the ends of the tags; no other change is', () => {
  const change = (kind: ChangeRecord['kind'], from: string | null, to: string | null): ChangeRecord => ({
    event: 'pull_request',
    number: 7,
    base: 'b'.repeat(40),
    head: 'a'.repeat(40),
    kind,
    from,
    to,
    others: [],
    why: null,
  });
  expect(distributionOf(change('distribution', '15.17-bookworm', '15.18-trixie'))).toEqual({
    from: 'bookworm',
    wanted: 'trixie',
  });
  expect(distributionOf(change('distribution', '15.17', '15.17-alpine3.22'))).toEqual({
    from: null,
    wanted: 'alpine3.22',
  });
  expect(distributionOf(change('minor', '15.17', '15.18'))).toBeUndefined();
  expect(distributionOf(null)).toBeUndefined();
});
