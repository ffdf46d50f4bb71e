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
}

const releases = table.releases as readonly Release[];

/** Date of the table: releases after it are unknown. */
export const releasesAsOf: string = table.generated;

/** A release by its version; also one that must not be a target. */
export function findRelease(version: PgVersion): Release | undefined {
  return releases.find((release) => release.version === formatVersion(version));
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
