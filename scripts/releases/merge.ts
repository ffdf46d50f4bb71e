/**
 * Brings what the sources say into the table. Days and the existence of releases are as their notes say, CVEs of a
 * branch as the CVE records say. Advice, avoid and caution are written by people: nothing here adds or changes them.
 * What asks for something and has no advice is marked as unreviewed, so that upgrades stop until somebody has read it.
 */
import type { Release } from '../../src/releases/releases.ts';
import type { CveRecord } from './cve.ts';
import type { Notes } from './notes.ts';
import { compareCves, compareReleases, type Table } from './table.ts';
import type { MajorVersion } from './versions.ts';

/** All that was read; what was not given is empty. */
export interface Sources {
  notes: Notes[];
  cves: CveRecord[];
  versions: MajorVersion[];
}

/** The new table, and in words: what changed, and where sources disagree. */
export interface Merged {
  table: Table;
  changes: string[];
  disagreements: string[];
}

const majorOf = (version: string): string => version.split('.')[0] ?? '';

/**
 * Is a text likely about a piece of advice? Ids name what they are about: two of their words must occur. A miss only
 * means that a person has to read the notes.
 */
function isAbout(text: string, id: string): boolean {
  const squashed = text.replace(/[-_]/g, '');
  const words = id.split('-').filter((word) => word.length > 2);
  return words.filter((word) => squashed.includes(word)).length >= Math.min(2, words.length);
}

/** Where notes ask for something that none of the advice is about. */
function unreviewedOf({ suspects }: Notes, advice: readonly string[]): string[] {
  return suspects.filter(({ text }) => !advice.some((id) => isAbout(text, id))).map(({ where }) => where);
}

function addNotes(notes: Notes, table: Table, { changes, disagreements }: Merged): void {
  const { version, date, alsoSee } = notes;
  const at = table.releases.findIndex((release) => release.version === version);
  const known = table.releases[at];
  if (table.neverReleased.includes(version)) {
    disagreements.push(`${version}: has release notes, the table says that it was never released`);
    return;
  }
  if (date === null) {
    if (known && !known.inferred)
      disagreements.push(`${version}: its notes have no date, the table has ${known.date}`);
    return;
  }
  if (known && !known.inferred) {
    if (known.date !== date)
      disagreements.push(`${version}: dated ${date} by its notes, ${known.date} in the table`);
    if ((known.asks ?? false) === notes.asks) return;
    disagreements.push(
      `${version}: its notes ${notes.asks ? 'ask' : 'do not ask'} for something of their own, the table says otherwise`,
    );
    if (!notes.asks || known.unreviewed) return;
    const unreviewed = unreviewedOf(notes, known.advice);
    table.releases[at] = { ...known, asks: true, ...(unreviewed.length > 0 ? { unreviewed } : {}) };
    changes.push(`${version}: asks for something`);
    return;
  }
  if (known && known.date !== null && known.date !== date)
    disagreements.push(`${version}: was taken to be of ${known.date}, its notes say ${date}`);
  const { inferred: _, asks: __, unreviewed: ___, ...kept } = known ?? { version, advice: [] };
  const unreviewed = unreviewedOf(notes, kept.advice);
  const release: Release = {
    ...kept,
    date,
    ...(notes.asks ? { asks: true } : {}),
    ...(alsoSee ? { alsoSee } : {}),
    ...(unreviewed.length > 0 ? { unreviewed } : {}),
    cves: [],
  };
  if (known) table.releases[at] = release;
  else table.releases.push(release);
  changes.push(
    `${version}: ${known ? 'its notes are known now' : 'new'}${unreviewed.length > 0 ? `, to be reviewed: ${unreviewed.join('; ')}` : ''}`,
  );
}

/** What notes name by mistake is left out. A record settles it; for a release that was known before it is settled. */
function tellStrays({ notes, cves }: Sources, before: Table, { disagreements }: Merged): void {
  for (const { version, strayCves } of notes) {
    const known = before.releases.find((release) => release.version === version);
    if (known && !known.inferred) continue;
    for (const id of strayCves)
      if (!cves.some((record) => record.id === id))
        disagreements.push(
          `${id}: in the notes of ${version}, but its commits are of other branches; left out`,
        );
  }
}

/** The release that a record means; one that was never released stands for the next of its major. */
function releaseFor(version: string, table: Table): Release | undefined {
  const exact = table.releases.find((release) => release.version === version);
  if (exact || !table.neverReleased.includes(version)) return exact;
  return table.releases
    .filter((release) => majorOf(release.version) === majorOf(version))
    .filter((release) => compareReleases(release.version, version) > 0)
    .sort((a, b) => compareReleases(a.version, b.version))[0];
}

function addCves(sources: Sources, table: Table, { changes, disagreements }: Merged): void {
  const add = (release: Release, id: string): void => {
    if (release.cves === null || release.cves.includes(id)) return;
    release.cves = [...release.cves, id].sort(compareCves);
    table.cves[id] ??= { score: null, component: null };
    changes.push(`${release.version}: fixes ${id}`);
  };
  const noted = new Map(sources.notes.map((notes) => [notes.version, notes.cves]));
  const branches = new Map<string, Set<string>>();
  const odd = new Map<string, string[]>();
  for (const { id, score, component, fixedIn } of sources.cves) {
    const before = table.cves[id];
    if (before && (before.score !== score || before.component !== component))
      changes.push(`${id}: score or component`);
    if (before) table.cves[id] = { score, component };
    const found = new Set<string>();
    for (const version of fixedIn) {
      if (!table.releases.some((release) => majorOf(release.version) === majorOf(version))) continue;
      const release = releaseFor(version, table);
      if (release?.version !== version) odd.set(version, [...(odd.get(version) ?? []), id]);
      if (!release) continue;
      found.add(release.version);
      if (!(noted.get(release.version)?.includes(id) ?? true))
        disagreements.push(`${id}: fixed in ${release.version} by its record, not by the notes`);
      add(release, id);
      if (release.cves !== null) table.cves[id] = { score, component };
    }
    branches.set(id, found);
  }
  for (const [version, ids] of odd) {
    const release = releaseFor(version, table);
    const what = release ? `was never released; taken for ${release.version}` : 'is not in the table';
    disagreements.push(`${version}: named by CVE records as a fix, and ${what} (${ids.join(', ')})`);
  }
  for (const [version, ids] of noted)
    for (const id of ids) {
      const release = table.releases.find((each) => each.version === version);
      if (!release) continue;
      const record = branches.get(id);
      if (record && !record.has(version))
        disagreements.push(`${id}: fixed in ${version} by its notes, not by its record`);
      else add(release, id);
    }
}

function addVersions(
  versions: readonly MajorVersion[],
  table: Table,
  { changes, disagreements }: Merged,
): void {
  for (const { major, latestMinor, relDate, eolDate } of versions) {
    const before = table.endOfLife[major] ?? null;
    if (before !== eolDate) {
      table.endOfLife[major] = eolDate;
      changes.push(`${major}: fixes end on ${eolDate}${before === null ? '' : `, not on ${before}`}`);
    }
    const newest = table.releases.filter(({ version }) => majorOf(version) === major).at(-1);
    if (!newest) continue;
    if (newest.version !== `${major}.${latestMinor}`)
      disagreements.push(
        `${major}: the newest release is ${major}.${latestMinor} by versions.json, ${newest.version} by the notes and the table`,
      );
    else if (newest.date !== relDate)
      disagreements.push(`${newest.version}: of ${relDate} by versions.json, of ${newest.date} in the table`);
  }
}

/** @param today YYYY-MM-DD, the day of the table where anything changes. The table that is passed in stays as it is. */
export function mergeTable(before: Table, sources: Sources, today: string): Merged {
  const table = structuredClone(before);
  const merged: Merged = { table, changes: [], disagreements: [] };
  for (const notes of sources.notes) addNotes(notes, table, merged);
  table.releases.sort((a, b) => compareReleases(a.version, b.version));
  tellStrays(sources, before, merged);
  addCves(sources, table, merged);
  addVersions(sources.versions, table, merged);
  if (merged.changes.length > 0) {
    table.generated = today;
    for (const { version, date } of sources.notes)
      if (date !== null) {
        const major = majorOf(version);
        const [, seen = '0'] = /(\d+\.\d+)$/.exec(table.sources.notes[major] ?? '') ?? [];
        if (compareReleases(version, seen) > 0) table.sources.notes[major] = `release notes of ${version}`;
      }
    if (sources.cves.length > 0)
      table.sources.cves = `CVE records of the PostgreSQL project as of ${today}; what they lack from the notes`;
  }
  return merged;
}
