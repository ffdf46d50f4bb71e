/**
 * Brings src/releases/releases.json up to date from PostgreSQL's release notes, CVE records and list of versions.
 * Advice is written by people: what notes ask for is marked as unreviewed. docs/releases.md says more.
 *
 *   --notes FILE, FOLDER or URL      release-<major>.sgml; may be given several times
 *   --cves FILE or FOLDER            CVE records of the PostgreSQL project; may be given several times
 *   --versions FILE or URL           versions.json
 *   --check                          changes nothing
 *
 * Ends with 0, with 2 where sources disagree, with 1 where something could not be read.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { parseCve } from './releases/cve.ts';
import { mergeTable } from './releases/merge.ts';
import { parseNotes } from './releases/notes.ts';
import { parseSources } from './releases/read.ts';
import { formatTable, type Table } from './releases/table.ts';
import { parseVersions } from './releases/versions.ts';

/** Where the notes of a branch are, and the list of versions. The CVE records have no list to be read from. */
const notesOf = (major: string): string =>
  `https://git.postgresql.org/gitweb/?p=postgresql.git;a=blob_plain;f=doc/src/sgml/release-${major}.sgml;hb=refs/heads/REL_${major}_STABLE`;
const versionsUrl = 'https://www.postgresql.org/versions.json';

/** @returns the exit code */
export async function updateReleases(
  args: readonly string[],
  file: string,
  today: string,
  say: (line: string) => void,
): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        notes: { type: 'string', multiple: true },
        cves: { type: 'string', multiple: true },
        versions: { type: 'string' },
        check: { type: 'boolean', default: false },
      },
    });
    const text = readFileSync(file, 'utf8');
    const table = JSON.parse(text) as Table;
    // Nothing was named: everything that can be had from the network.
    const all = !values.notes && !values.cves && values.versions === undefined;
    const majors = [...new Set(table.releases.map(({ version }) => version.split('.')[0] ?? ''))];
    const notes = await parseSources(
      values.notes ?? (all ? majors.map(notesOf) : []),
      /^release-\d+\.sgml$/,
      parseNotes,
    );
    const cves = await parseSources(values.cves ?? [], /^CVE-.*\.json$/, parseCve);
    const versions = await parseSources(
      values.versions ? [values.versions] : all ? [versionsUrl] : [],
      /\.json$/,
      parseVersions,
    );
    const merged = mergeTable(
      table,
      { notes: notes.flat(), cves: cves.filter((each) => each !== null), versions: versions.flat() },
      today,
    );
    for (const change of merged.changes) say(change);
    for (const each of merged.disagreements) say(`Sources disagree. ${each}`);
    const formatted = formatTable(merged.table);
    if (formatted === text) say('Nothing changes.');
    else if (values.check) say(`${merged.changes.length} changes; nothing was written.`);
    else {
      writeFileSync(file, formatted);
      say(`${merged.changes.length} changes written to ${file}.`);
    }
    return merged.disagreements.length > 0 ? 2 : 0;
  } catch (cause) {
    say(`Error: ${messageOf(cause)}`);
    return 1;
  }
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await updateReleases(
    process.argv.slice(2),
    'src/releases/releases.json',
    new Date().toISOString().slice(0, 10),
    (line) => process.stdout.write(`${line}\n`),
  );
}
