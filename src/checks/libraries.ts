/** Are the libraries there that the wanted server has to load? */
import type { Check, CheckContext, Row, Verdict } from './check.ts';
import { isMajor } from './majors.ts';
import { prefixOf, textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** Libraries that come with PostgreSQL without being an extension. */
const shipped = new Set([
  'auth_delay',
  'auto_explain',
  'basebackup_to_shell',
  'basic_archive',
  'llvmjit',
  'passwordcheck',
  'sepgsql',
]);

/** `"$libdir/plugins/foo.so", bar` as foo and bar. */
export function libraryNames(setting: string): string[] {
  return setting
    .split(',')
    .map((part) => part.trim().replaceAll('"', '').replace(/^.*\//, '').replace(/\.so$/, ''))
    .filter((name) => name !== '');
}

/**
 * Most libraries are named like their extension, so the wanted server's extensions tell. A library that neither server
 * has as an extension cannot be looked for from here.
 */
function preloaded(
  name: string,
  setting: string,
  available: readonly unknown[],
  context: CheckContext,
): { status: Verdict['status']; line: string } {
  const wanted = context.wantedExtensions;
  const line = `${name} in ${setting}`;
  if (shipped.has(name) || wanted?.has(name)) return { status: 'passed', line };
  if (wanted && available.includes(name)) {
    return { status: 'blocked', line: `${line}: the wanted server has no files of it` };
  }
  const major = isMajor(context);
  if (!wanted)
    return { status: major ? 'warning' : 'passed', line: `${line}: must exist for the new version` };
  return { status: major ? 'warning' : 'info', line: `${line}: nobody could look for it` };
}

/** Looks for the files of libraries without which the server does not start, or no session begins. */
export const preload: Check = {
  id: 'preload',
  title: 'The wanted server has every library that it must load',
  scope: 'cluster',
  when: 'before',
  minMajor: 13,
  role: 'pg_read_all_settings',
  sql: `
SELECT s.name, s.setting, ARRAY(SELECT a.name::pg_catalog.text FROM pg_catalog.pg_available_extensions AS a) AS available
FROM pg_catalog.pg_settings AS s
WHERE s.setting <> '' AND s.name IN ('shared_preload_libraries', 'session_preload_libraries',
  'local_preload_libraries', 'archive_library', 'jit_provider')
ORDER BY s.name`,
  fix: 'Install these libraries for the wanted version, or take them out of the setting: the server would not start without them.',
  judge(rows, context) {
    const found = worst(
      rows.flatMap((row) => {
        if (!Array.isArray(row.available)) throw new Error('available is not a list');
        const available: unknown[] = row.available;
        return libraryNames(textOf(row, 'setting')).map((name) =>
          preloaded(name, textOf(row, 'name'), available, context),
        );
      }),
    );
    return { status: found.status, seen: bounded(found.lines) };
  },
};

function library(row: Row, context: CheckContext): { status: Verdict['status']; line: string } {
  const extension = textOf(row, 'extension');
  const what = `${prefixOf(row)}${textOf(row, 'library')}`;
  // Whether the files of an extension are there is what the check extensions answers.
  if (extension !== '' && context.wantedExtensions) return { status: 'passed', line: '' };
  const of = extension === '' ? '' : ` (extension ${extension})`;
  return { status: 'warning', line: `${what}${of}: must exist for the new version` };
}

/** Lists the libraries of C functions that must be built for another major. */
export const cLibraries: Check = {
  id: 'c-libraries',
  title: 'Functions in C come from extensions that the wanted server has',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT DISTINCT p.probin AS library, e.extname AS extension
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
WHERE l.lanname = 'c' AND p.probin IS NOT NULL AND p.oid >= 16384
ORDER BY 1, 2`,
  fix: 'Build or install these libraries for the wanted version, and LOAD each of them on a test server of it.',
  judge(rows, context) {
    const found = worst(rows.map((row) => library(row, context)));
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** Finds the languages of Python 2, which no PostgreSQL from 15 on has. */
export const untrustedPlpython2: Check = {
  id: 'untrusted-plpython2',
  title: 'No language of Python 2 is left',
  scope: 'database',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  maxMajor: 14,
  sql: `
SELECT l.lanname AS name FROM pg_catalog.pg_language AS l WHERE l.lanname IN ('plpythonu', 'plpython2u') ORDER BY 1`,
  fix: 'Write its functions for plpython3u, then DROP EXTENSION plpythonu or plpython2u.',
  judge(rows, { wanted }) {
    if (wanted.major < 15) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => `${prefixOf(row)}${textOf(row, 'name')}, removed in 15`);
    return { status: rows.length > 0 ? 'blocked' : 'passed', seen: bounded(lines) };
  },
};
