/** The table of releases as a file: its shape, and its text, which changes only where its content does. */
import type { Cve, Release } from '../../src/releases/releases.ts';

/** src/releases/releases.json; days are YYYY-MM-DD. */
export interface Table {
  generated: string;
  sources: { notes: Record<string, string>; cves: string; endOfLife: string };
  endOfLife: Record<string, string | null>;
  prerelease: Record<string, { seen: string; notesAsOf: string }>;
  neverReleased: string[];
  cves: Record<string, Cve>;
  releases: Release[];
}

/** In this order, and with nothing that says nothing. */
const keys = [
  ...['version', 'date', 'avoid', 'caution', 'inferred', 'asks', 'alsoSee', 'advice', 'unreviewed', 'cves'],
] as (keyof Release)[];

/** One line, with a blank after each colon and comma. */
function line(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${line(each)}`);
  return `{${parts.join(', ')}}`;
}

const members = (record: Record<string, unknown>): string =>
  Object.entries(record)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${line(value)}`)
    .join(',\n');

/** The text of the file: a release and a CVE a line, CVEs in the order of their numbers. */
export function formatTable(table: Table): string {
  const { generated, sources, endOfLife, prerelease, neverReleased, cves, releases } = table;
  const sorted = Object.fromEntries(Object.entries(cves).sort(([a], [b]) => compareCves(a, b)));
  const ordered = releases.map((release) =>
    Object.fromEntries(keys.filter((key) => release[key] !== undefined).map((key) => [key, release[key]])),
  );
  return `{
 "generated": ${line(generated)},
 "sources": {
${members(sources)}
 },
 "endOfLife": ${line(endOfLife)},
 "prerelease": ${line(prerelease)},
 "neverReleased": ${line(neverReleased)},
 "cves": {
${members(sorted)}
 },
 "releases": [
${ordered.map((release) => `  ${line(release)}`).join(',\n')}
 ]
}
`;
}

/** CVE-2026-999 comes before CVE-2026-1000. */
export function compareCves(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Versions as numbers; the table holds every major's oldest first. */
export function compareReleases(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
