/** What lies between two versions: the releases on the way, and the advice of their notes. */
import { type PgVersion, parseVersion } from '../postgres/version.ts';
import type { ReleaseLine, ReleaseRecord } from '../report/record-release.ts';
import type { Advice } from './advice.ts';
import { findAdvice } from './advice-catalogue.ts';
import {
  endOfLife,
  findCve,
  findRelease,
  newestMinor,
  notesLink,
  type Release,
  releasesAsOf,
  releasesOf,
  sistersUntil,
} from './releases.ts';

/** Advice, and the release on the way whose notes ask for it. */
interface AskedAdvice {
  advice: Advice;
  fixedIn: string;
}

function adviceOf(list: readonly Release[]): AskedAdvice[] {
  return list.flatMap(({ version, advice }) =>
    advice.flatMap((id) => {
      const found = findAdvice(id);
      return found ? [{ advice: found, fixedIn: version }] : [];
    }),
  );
}

/**
 * What the notes between two versions ask for, in the order of releases, each advice once. A new major is reached by
 * dump and restore: what that builds anew is left out, what belongs to the new server's programs is asked anew.
 */
export function adviceBetween(from: PgVersion, to: PgVersion): AskedAdvice[] {
  if (from.major === to.major) return once(adviceOf(releasesOf(to.major, from, to)));
  const way = adviceOf(sistersUntil(from, to));
  const heeded = new Set(adviceOf(releasesOf(from.major, null, from)).map(({ advice }) => advice.id));
  const others = adviceOf(releasesOf(to.major, null, to)).filter(
    ({ advice }) => advice.perServer || !heeded.has(advice.id),
  );
  return once([...way, ...others].filter(({ advice }) => !advice.rebuiltByRestore));
}

/** A fault that was mended in two pieces is asked for by both releases: the first counts. */
function once(list: readonly AskedAdvice[]): AskedAdvice[] {
  return [...new Map(list.toReversed().map((asked) => [asked.advice.id, asked])).values()].toReversed();
}

/** Whole days from one YYYY-MM-DD to another; both count as days of UTC. @throws Error for what is no day */
export function daysBetween(from: string, to: string): number {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  if (!Number.isFinite(days)) throw new Error(`${from} or ${to} is not a day`);
  return Math.round(days);
}

function lineOf(major: number, today: string): ReleaseLine {
  const end = endOfLife(major);
  return {
    major,
    endOfLife: end,
    daysToEndOfLife: end === null ? null : daysBetween(today, end),
    newest: newestMinor(major)?.version ?? null,
    releases: releasesOf(major).map(({ version, date, avoid, inferred }) => ({
      version,
      date,
      avoid: avoid !== undefined,
      inferred: inferred === true,
    })),
  };
}

/** How far the running release is behind the newest of its major; daysBehind is null where a date is not known. */
function distance(from: PgVersion): Pick<ReleaseRecord, 'behind' | 'daysBehind'> {
  const newest = newestMinor(from.major);
  const since = findRelease(from)?.date ?? null;
  const until = newest?.date ?? null;
  return {
    behind: newest ? releasesOf(from.major, from, parseVersion(newest.version)).length : 0,
    // A running release that is newer than the table is not behind it.
    daysBehind: since === null || until === null ? null : Math.max(0, daysBetween(since, until)),
  };
}

/** Each CVE once, with the first of the releases that fixes it. */
function fixes(list: readonly Release[], known: ReadonlySet<string>): ReleaseRecord['cves'] {
  const found = new Map<string, ReleaseRecord['cves'][number]>();
  for (const { version, cves } of list)
    for (const id of cves ?? [])
      if (!known.has(id) && !found.has(id)) found.set(id, { id, ...findCve(id), fixedIn: version });
  return [...found.values()].sort(
    (a, b) => (b.score ?? -1) - (a.score ?? -1) || a.id.localeCompare(b.id, 'en', { numeric: true }),
  );
}

/** Why a person must read the notes of a release; null where what they ask for is known. Pure. */
export function whyRead({ inferred, unreviewed, asks, advice }: Release): string | null {
  if (inferred)
    return 'its notes were not seen: what is known of it comes from releases of other majors on the same day';
  if (unreviewed && unreviewed.length > 0)
    return `its notes ask for something that is not modelled yet: ${unreviewed.join('; ')}`;
  return asks && advice.length === 0 ? 'its notes ask for something that is not modelled yet' : null;
}

/** The notes of a new major's first release; those of majors that are left out hold their own changes. */
function majorNotes(from: PgVersion, to: PgVersion): ReleaseRecord['mustRead'] {
  if (to.major === from.major) return [];
  const version = `${to.major}.0`;
  const passed = Array.from(
    { length: Math.max(0, to.major - from.major - 1) },
    (_, i) => `${from.major + 1 + i}.0`,
  );
  const also = passed.length === 0 ? '' : ` (read those of ${passed.join(' and ')} as well)`;
  return [
    {
      version,
      why: `a new major: its notes list what changed for applications${also}`,
      link: notesLink(version),
    },
  ];
}

/** @param today YYYY-MM-DD, from which the days to the end of life count */
export function releaseRecord(from: PgVersion, wanted: PgVersion, today: string): ReleaseRecord {
  const same = from.major === wanted.major;
  const way = releasesOf(wanted.major, same ? from : null, wanted);
  // Across majors also what the running major fixed until then: the wanted release has it, though its own notes
  // name it only where the major had been released already. Its own releases come first, so they name it.
  const fixing = same ? way : [...way, ...sistersUntil(from, wanted)];
  const known = new Set(same ? [] : releasesOf(from.major, null, from).flatMap(({ cves }) => cves ?? []));
  return {
    asOf: releasesAsOf,
    lines: (same ? [from.major] : [from.major, wanted.major]).map((major) => lineOf(major, today)),
    ...distance(from),
    cves: fixes(fixing, known),
    cvesUnknown: way.filter(({ cves }) => cves === null).map(({ version }) => version),
    mustRead: [
      ...majorNotes(from, wanted),
      ...way.flatMap((release) => {
        const why = whyRead(release);
        return why === null ? [] : [{ version: release.version, why, link: notesLink(release.version) }];
      }),
    ],
  };
}
