/** How much an upgrade can go wrong, and why: from two versions alone, so that it can be told without a plan. Pure. */
import { messageOf } from '../errors.ts';
import { compareVersions, formatVersion, type PgVersion } from '../postgres/version.ts';
import { releaseRecord } from '../releases/between.ts';
import { assertUsableTarget, findRelease, releasesAsOf, releasesOf } from '../releases/releases.ts';
import { formatCount, plural } from '../report/format.ts';
import { type PlanRecord, type RiskClass, riskClasses } from '../report/record.ts';
import type { ChangeRecord } from '../report/record-change.ts';
import type { ReleaseRecord } from '../report/record-release.ts';

/** The worst class that applies, and every reason, the worst first. */
export type Risk = PlanRecord['risk'];

/** What changes. */
export interface Change {
  /** Null where nobody knows what runs. */
  from: PgVersion | null;
  wanted: PgVersion;
  /** Ends of the image's tags (`bookworm`, `alpine3.22`); null or empty for none, missing where there is no image. */
  distribution?: { from: string | null; wanted: string | null };
}

type Reason = readonly [RiskClass, string];

/** The risk of a change of version, of image, or of both. Never throws, also for versions that are refused as targets. */
export function riskOf({ from, wanted, distribution }: Change): Risk {
  const moves = distribution !== undefined && (distribution.from || '') !== (distribution.wanted || '');
  return worst([
    ...warnings(from, wanted),
    ...versionReasons(from, wanted, moves),
    ...(moves ? [['distribution', distributionReason(distribution)] as const] : []),
  ]);
}

/** Ends of the image's tags in a change to another distribution (`bookworm` of `15.20-bookworm`); nothing for others. */
export function distributionOf(change: ChangeRecord | null): Change['distribution'] {
  if (change?.kind !== 'distribution') return undefined;
  const suffixOf = (tag: string | null): string | null => /^[\d.]+-(.+)$/.exec(tag ?? '')?.[1] ?? null;
  return { from: suffixOf(change.from), wanted: suffixOf(change.to) };
}

/** The risk of going back from the newer version that runs to the one before. */
export function rollbackRisk(running: PgVersion, before: PgVersion): Risk {
  const [here, back] = [formatVersion(running), formatVersion(before)];
  const same = running.major === before.major;
  return worst([
    ...notOf(before, `PostgreSQL ${back}, to which this goes back,`),
    same
      ? [
          'minor',
          `${here} goes back to ${back}: minor versions of one major read the same data files, and nothing that was written since is lost.`,
        ]
      : ['major', `${here} goes back to ${back}, another major version: its data files are others.`],
    [
      same ? 'minor' : 'major',
      `What was fixed since ${back} is open again: ${cveWords(releaseRecord(before, running, releasesAsOf))}.`,
    ],
  ]);
}

function worst(reasons: readonly Reason[]): Risk {
  const rank = ([name]: Reason): number => riskClasses.indexOf(name);
  const sorted = reasons.toSorted((a, b) => rank(b) - rank(a));
  return { class: sorted[0]?.[0] ?? 'none', reasons: sorted.map(([, why]) => why) };
}

/** What the project itself, or the table of releases, says against a version. */
function notOf(version: PgVersion, named: string): Reason[] {
  const release = findRelease(version);
  const why = release?.avoid?.reason ?? release?.caution;
  return why ? [['known-bad', `${named} is known for this: ${why}.`]] : [];
}

function warnings(from: PgVersion | null, wanted: PgVersion): Reason[] {
  const same = from !== null && compareVersions(from, wanted) === 0;
  const running: Reason[] =
    from === null ? [] : notOf(from, `PostgreSQL ${formatVersion(from)}, which runs now,`);
  // Where nothing changes nothing can go wrong; what runs is worth a word all the same.
  if (same) return running.map(([, why]) => ['none', why]);
  return [...notOf(wanted, `PostgreSQL ${formatVersion(wanted)}, which is wanted,`), ...running];
}

function versionReasons(from: PgVersion | null, wanted: PgVersion, moves: boolean): Reason[] {
  const to = formatVersion(wanted);
  if (from === null)
    return [
      ...refusal(wanted, 'major'),
      ['major', `What runs now is not known, so ${to} may be a new major version.`],
    ];
  const here = formatVersion(from);
  const order = compareVersions(from, wanted);
  if (order === 0)
    return moves
      ? [['none', `PostgreSQL stays ${to}.`]]
      : [['none', `PostgreSQL ${to} runs already: nothing changes.`]];
  if (order > 0)
    return [
      [
        from.major === wanted.major ? 'minor' : 'major',
        `${to} is older than ${here}, which runs: a downgrade, which mode upgrade refuses.`,
      ],
    ];
  return from.major === wanted.major
    ? [...refusal(wanted, 'minor'), ['minor', minorReason(from, wanted)]]
    : [...refusal(wanted, 'major'), ['major', majorReason(from, wanted)]];
}

/** A release that the table does not know: nothing can be said of what it brings. */
function refusal(wanted: PgVersion, as: RiskClass): Reason[] {
  if (findRelease(wanted)?.avoid) return [];
  try {
    assertUsableTarget(wanted);
    return [];
  } catch (cause) {
    return [[as, messageOf(cause)]];
  }
}

function minorReason(from: PgVersion, wanted: PgVersion): string {
  const count = releasesOf(wanted.major, from, wanted).length;
  const way =
    count === 0 ? '' : count === 1 ? ', the next release' : `, ${formatCount(count)} releases further`;
  return `${formatVersion(from)} → ${formatVersion(wanted)} is a minor version${way}: the data files stay as they are. ${fixes(from, wanted)}`;
}

function majorReason(from: PgVersion, wanted: PgVersion): string {
  const majors = wanted.major - from.major;
  const far = majors === 1 ? 'a new major version' : `${formatCount(majors)} major versions further`;
  return `${formatVersion(from)} → ${formatVersion(wanted)} is ${far}: the data files have to be converted or restored, every extension needs a build for ${wanted.major}, queries may be planned otherwise or fail, and the old version cannot read what the new one writes. ${fixes(from, wanted)}`;
}

/** "It fixes 12 CVEs, 4 of them with a score of 7 or more." */
function fixes(from: PgVersion, wanted: PgVersion): string {
  if (!findRelease(wanted)) return 'What it fixes is not known.';
  return `It fixes ${cveWords(releaseRecord(from, wanted, releasesAsOf))}.`;
}

function cveWords({ cves, cvesUnknown }: Pick<ReleaseRecord, 'cves' | 'cvesUnknown'>): string {
  const high = cves.filter(({ score }) => (score ?? 0) >= 7).length;
  const grave =
    high === 0
      ? ''
      : `, ${cves.length === 1 ? '' : `${formatCount(high)} of them `}with a score of 7 or more`;
  const unknown = cvesUnknown.length === 0 ? '' : ` (those of ${cvesUnknown.join(', ')} are not known yet)`;
  return `${cves.length === 0 ? 'no CVE' : plural(cves.length, 'CVE')}${grave}${unknown}`;
}

function distributionReason({ from, wanted }: { from: string | null; wanted: string | null }): string {
  const named = (name: string | null): string => name || "the image's default";
  return `The distribution of the image changes from ${named(from)} to ${named(wanted)}: its libraries may sort text differently. Indexes on text have to be rebuilt then, or they miss rows and let duplicates in.`;
}
