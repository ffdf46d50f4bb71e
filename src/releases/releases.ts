/** PostgreSQL's releases: which exist, which must not be a target. Source of the table: the release notes of each branch. */
import { UpgradeError } from '../errors.ts';
import { compareVersions, formatVersion, type PgVersion, parseVersion } from '../postgres/version.ts';
import table from './releases.json' with { type: 'json' };

/** One release; `date` is YYYY-MM-DD. */
export interface Release {
  version: string;
  date: string | null;
  avoid?: { reason: string; useAtLeast: string };
  caution?: string;
  /** Known from sister releases only; its own notes were not seen. */
  inferred?: boolean;
  /** The section "Migration" of its notes asks for something that earlier ones of its major do not. */
  asks?: boolean;
  /** The release of its major whose notes it refers to. */
  alsoSee?: string;
  /** Ids of the advice that it brings. */
  advice: readonly string[];
  /** Lines of its notes that seem to ask for something and that nobody has made into advice yet. */
  unreviewed?: readonly string[];
  /** Fixed in it; null where nobody has listed them yet. */
  cves: readonly string[] | null;
}

/** A CVE: its CVSS score (0 to 10) and the part that it is about, null where its record was not seen. */
export interface Cve {
  score: number | null;
  component: string | null;
}

/** Every release, by major, oldest first. */
export const releases: readonly Release[] = table.releases;

/** Date of the table: releases after it are unknown. */
export const releasesAsOf: string = table.generated;

/** What is known of a CVE. */
export function findCve(id: string): Cve {
  return (table.cves as Record<string, Cve>)[id] ?? { score: null, component: null };
}

/** Address of a release's notes. */
export function notesLink(version: string): string {
  return `https://www.postgresql.org/docs/release/${version}/`;
}

/** A release by its version; also one that must not be a target. */
export function findRelease(version: PgVersion): Release | undefined {
  return releases.find((release) => release.version === formatVersion(version));
}

/** Releases of one major after `from` (from its first on where that is null) and up to `to`, oldest first. */
export function releasesOf(
  major: number,
  from: PgVersion | null = null,
  to: PgVersion | null = null,
): readonly Release[] {
  return releases.filter(({ version }) => {
    const each = parseVersion(version);
    if (each.major !== major || (from && compareVersions(each, from) <= 0)) return false;
    return !to || compareVersions(each, to) <= 0;
  });
}

/** Releases of the running major that are newer than `from` and no younger than `to`: `to` contains what they fixed. */
export function sistersUntil(from: PgVersion, to: PgVersion): readonly Release[] {
  const day = findRelease(to)?.date ?? releasesAsOf;
  return releasesOf(from.major, from).filter(({ date }) => date !== null && date <= day);
}

/** Newest release of a major that may be a target. */
export function newestMinor(major: number): Release | undefined {
  return releases
    .filter((release) => release.version.startsWith(`${major}.`) && !release.avoid && release.date !== null)
    .sort((a, b) => compareVersions(parseVersion(b.version), parseVersion(a.version)))[0];
}

/** Day on which a major stops getting fixes, `YYYY-MM-DD`; null where it is not known. */
export function endOfLife(major: number): string | null {
  return (table.endOfLife as Record<string, string | null>)[String(major)] ?? null;
}

/**
 * Refuses what must never be a target: a release that does not exist, or one on the avoid list.
 * @throws UpgradeError `version-unknown`, `version-avoid`
 */
export function assertUsableTarget(wanted: PgVersion): Release {
  const text = formatVersion(wanted);
  const newest = newestMinor(wanted.major);
  const release = findRelease(wanted);
  const never = (table.neverReleased as string[]).includes(text);
  if (!release || never) {
    const known = newest && `${newest.version} (table of ${releasesAsOf})`;
    throw new UpgradeError('version-unknown', `PostgreSQL ${text} is not a release that this action knows.`, {
      phase: 'plan',
      hint: !known
        ? `It knows no PostgreSQL ${wanted.major} (table of ${releasesAsOf}).`
        : never
          ? `PostgreSQL ${text} was never released. The newest PostgreSQL ${wanted.major} is ${known}.`
          : `The newest PostgreSQL ${wanted.major} it knows is ${known}. If ${text} is newer, update the action.`,
    });
  }
  if (release.avoid) {
    throw new UpgradeError(
      'version-avoid',
      `PostgreSQL ${text} must not be a target: ${release.avoid.reason}.`,
      {
        phase: 'plan',
        hint: `Use ${release.avoid.useAtLeast} or later; the newest is ${newest?.version ?? release.avoid.useAtLeast}.`,
      },
    );
  }
  return release;
}
