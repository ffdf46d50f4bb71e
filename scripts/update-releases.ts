/**
 * Brings src/releases/releases.json up to date from PostgreSQL's release notes, CVE records and list of versions.
 * Advice is written by people: what notes ask for is marked as unreviewed. docs/releases.md says more.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { plural } from '../src/report/format.ts';
import { parseCve } from './releases/cve.ts';
import { mergeTable } from './releases/merge.ts';
import { parseNotes } from './releases/notes.ts';
import { type Matching, parseSources } from './releases/read.ts';
import { formatTable, type Table } from './releases/table.ts';
import { parseVersions } from './releases/versions.ts';

/** Where the notes of a branch are, and the list of versions. The CVE records have no list to be read from. */
const notesOf = (major: string): string =>
  `https://git.postgresql.org/gitweb/?p=postgresql.git;a=blob_plain;f=doc/src/sgml/release-${major}.sgml;hb=refs/heads/REL_${major}_STABLE`;
const versionsUrl = 'https://www.postgresql.org/versions.json';

const usage = `Usage: npm run releases:update -- [options]

Brings src/releases/releases.json up to date.

  --notes FILE, FOLDER or URL  release notes, release-<major>.sgml; may be given several times
  --cves FILE or FOLDER        CVE records, CVE-<number>.json; may be given several times
  --versions FILE or URL       the list of majors, versions.json
  --check                      changes nothing
  --help                       prints this

Without --notes, --cves and --versions it reads the notes from git.postgresql.org and the list of majors
from www.postgresql.org. CVE records are read only where they are named.

Ends with 0; with 2 where sources disagree; with 1 where an option is wrong or something could not be read.`;

const options = {
  notes: { type: 'string', multiple: true },
  cves: { type: 'string', multiple: true },
  versions: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const notesFiles: Matching = { pattern: /^release-\d+\.sgml$/, words: 'release-<major>.sgml' };
const cveFiles: Matching = { pattern: /^CVE-.*\.json$/, words: 'CVE-<number>.json' };
const versionsFiles: Matching = { pattern: /\.json$/, words: 'versions.json' };

/** The options; null where they are wrong, which was said with the usage. */
function optionsOf(args: readonly string[], say: (line: string) => void) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    say(`Error: ${messageOf(cause)}`);
    say(usage);
    return null;
  }
}

/** @returns the exit code */
export async function updateReleases(
  args: readonly string[],
  file: string,
  today: string,
  say: (line: string) => void,
): Promise<number> {
  const values = optionsOf(args, say);
  if (values === null) return 1;
  if (values.help) {
    say(usage);
    return 0;
  }
  // Nothing was named: everything that can be had from the network.
  const all = !values.notes && !values.cves && values.versions === undefined;
  try {
    const text = readFileSync(file, 'utf8');
    const table = JSON.parse(text) as Table;
    const majors = [...new Set(table.releases.map(({ version }) => version.split('.')[0] ?? ''))];
    const notes = await parseSources(
      values.notes ?? (all ? majors.map(notesOf) : []),
      notesFiles,
      parseNotes,
    );
    const cves = await parseSources(values.cves ?? [], cveFiles, parseCve);
    const versions = await parseSources(
      values.versions ? [values.versions] : all ? [versionsUrl] : [],
      versionsFiles,
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
    else if (values.check) say(`${plural(merged.changes.length, 'change')}; nothing was written.`);
    else {
      writeFileSync(file, formatted);
      say(`${plural(merged.changes.length, 'change')} written to ${file}.`);
    }
    return merged.disagreements.length > 0 ? 2 : 0;
  } catch (cause) {
    const message = messageOf(cause);
    say(`Error: ${message}`);
    if (all && message.startsWith('http'))
      say('Name local copies instead: --notes FILE, --cves FOLDER, --versions FILE.');
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
