/** Are the files of every installed extension there, now and on the wanted server? */
import type { Check, CheckContext, Row, Verdict } from './check.ts';
import { flagOf, prefixOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** Extension versions are free text: numbers in them compare as numbers, the rest as text. */
export function compareExtensionVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function judgeOne(row: Row, context: CheckContext): { status: Verdict['status']; line: string } {
  const name = textOf(row, 'name');
  const installed = textOf(row, 'installed');
  const what = `${prefixOf(row)}${name} ${installed}`;
  if (!flagOf(row, 'files'))
    return { status: 'blocked', line: `${what}: its files are missing on the server` };
  const offered = context.wantedExtensions?.get(name);
  if (context.wantedExtensions && !offered) {
    return { status: 'blocked', line: `${what}: the wanted server has no files of it` };
  }
  if (offered && !offered.includes(installed)) {
    const list = `the wanted server offers ${offered.join(', ') || 'no version'}`;
    // Only a library that is older than the installed objects lacks what they call; a newer one keeps it.
    const older = offered.every((version) => compareExtensionVersions(version, installed) < 0);
    return { status: older ? 'blocked' : 'warning', line: `${what}: ${list}` };
  }
  const preferred = textOf(row, 'preferred');
  if (!flagOf(row, 'offered'))
    return { status: 'warning', line: `${what}: the server's files offer ${preferred}, not ${installed}` };
  if (preferred !== installed) return { status: 'info', line: `${what}: ${preferred} is available` };
  return { status: 'passed', line: '' };
}

/** Compares each extension with the versions that the files of this server and of the wanted one offer. */
export const extensions: Check = {
  id: 'extensions',
  title: 'The files of every extension are there',
  scope: 'database',
  minMajor: 13,
  sql: `
SELECT e.extname AS name, e.extversion AS installed, a.default_version AS preferred, a.name IS NOT NULL AS files,
       EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions AS v
               WHERE v.name = e.extname AND v.version = e.extversion) AS offered
FROM pg_catalog.pg_extension AS e
LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
ORDER BY e.extname`,
  fix: 'Install the package of the extension for this server version; ALTER EXTENSION ... UPDATE where a newer version is offered.',
  judge(rows, context) {
    const found = worst(rows.map((row) => judgeOne(row, context)));
    return { status: found.status, seen: bounded(found.lines) };
  },
};
