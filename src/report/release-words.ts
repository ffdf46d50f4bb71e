/** What is known of releases, in words: how far behind, how long there are fixes, what was fixed in security. */
import { formatCount, plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { ReleaseLine, ReleaseRecord } from './record-release.ts';

/** From this score on a CVE is rated high. */
const HIGH = 7;

/** `15.1 is 19 releases (4 y) behind 15.20; PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days` */
export function lineOf(record: UpgradeRecord): string {
  const { release } = record;
  const parts = [behindOf(record), ...(release?.lines ?? []).map(lifetimeOf)];
  return parts.filter((part) => part !== null).join('; ');
}

/** How far the running release is behind the newest of its major; null where the newest is not known. */
export function behindOf({ release, versions }: UpgradeRecord): string | null {
  const newest = release?.lines[0]?.newest ?? null;
  if (!release || versions.from === null || newest === null) return null;
  const is = versions.now !== null && versions.now !== versions.from ? 'was' : 'is';
  if (release.behind <= 0) return `${versions.from} ${is} the newest release of its line`;
  const time = release.daysBehind === null ? '' : ` (${formatDays(release.daysBehind)})`;
  return `${versions.from} ${is} ${plural(release.behind, 'release')}${time} behind ${newest}`;
}

/** Until when a major gets fixes, counted from the day of the run. */
export function lifetimeOf({ major, endOfLife, daysToEndOfLife: days }: ReleaseLine): string {
  if (endOfLife === null) return `the end of PostgreSQL ${major} is not known yet`;
  if (days === null) return `PostgreSQL ${major} gets fixes until ${endOfLife}`;
  if (days < 0) return `PostgreSQL ${major} has had no fixes since ${endOfLife}, for ${plural(-days, 'day')}`;
  const left = days === 0 ? 'which is today' : `for ${plural(days, 'more day')}`;
  return `PostgreSQL ${major} gets fixes until ${endOfLife}, ${left}`;
}

/** The end of fixes beside its date: `in 356 days`, `8 days ago`. */
export function endWords(days: number | null): string {
  if (days === null) return '';
  if (days === 0) return 'today';
  return days > 0 ? `in ${plural(days, 'day')}` : `${plural(-days, 'day')} ago`;
}

/** `100 CVEs fixed, 41 with a score of 7 or more, highest 8.8` */
export function cveHeadline({ cves, cvesUnknown }: ReleaseRecord): string {
  const unknown =
    cvesUnknown.length === 0 ? '' : `; not listed yet for ${plural(cvesUnknown.length, 'release')}`;
  if (cves.length === 0)
    return `${unknown === '' ? 'No CVE is' : 'No known CVE is'} fixed in between${unknown}`;
  const scores = cves.flatMap(({ score }) => (score === null ? [] : [score]));
  const high = scores.filter((score) => score >= HIGH).length;
  const parts = [`${plural(cves.length, 'CVE')} fixed`];
  if (high > 0) parts.push(`${formatCount(high)} with a score of ${HIGH} or more`);
  if (scores.length > 0) parts.push(`highest ${Math.max(...scores).toFixed(1)}`);
  return parts.join(', ') + unknown;
}

/** A score's rating in CVSS's own words. */
export function ratingOf(score: number | null): string {
  if (score === null) return 'no score';
  if (score >= 9) return 'critical';
  if (score >= HIGH) return 'high';
  return score >= 4 ? 'medium' : 'low';
}

/** `12 days`, `5 mo`, `3 y 9 mo`. */
export function formatDays(days: number): string {
  if (days < 60) return plural(days, 'day');
  const months = Math.round(days / 30.4375);
  const years = Math.floor(months / 12);
  const rest = months % 12;
  return [...(years > 0 ? [`${years} y`] : []), ...(rest > 0 ? [`${rest} mo`] : [])].join(' ');
}
