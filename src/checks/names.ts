/** What names and texts a newer major does not take over. */
import type { Check } from './check.ts';
import { textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

/** Finds databases in an encoding that the wanted major does not have. */
export const databaseEncodings: Check = {
  id: 'database-encodings',
  title: 'The wanted version has the encoding of every database',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT d.datname, pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_database AS d WHERE pg_catalog.pg_encoding_to_char(d.encoding) = 'MULE_INTERNAL'
ORDER BY 1 LIMIT 20`,
  fix: 'Dump it in UTF8 (pg_dump --encoding=UTF8) and restore it into a database that is made with UTF8.',
  judge(rows, { wanted }) {
    if (rows.length === 0 || wanted.major < 19) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => `${textOf(row, 'datname')}: MULE_INTERNAL, removed in 19`);
    return { status: 'blocked', seen: bounded(lines, totalOf(rows)) };
  },
};

/** chr() and not an escape: the server may read backslashes in its own way. */
const lineBreak = `'[' || pg_catalog.chr(10) || pg_catalog.chr(13) || ']'`;

/** Finds names with a line break, which no major from 19 on takes over. */
export const oddNames: Check = {
  id: 'odd-names',
  title: 'No name of a database, role or tablespace has a line break',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT n.kind, n.name, pg_catalog.count(*) OVER () AS total
FROM (
  SELECT 'database' AS kind, d.datname::pg_catalog.text AS name FROM pg_catalog.pg_database AS d
  UNION ALL SELECT 'role', r.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS r
  UNION ALL SELECT 'tablespace', t.spcname::pg_catalog.text FROM pg_catalog.pg_tablespace AS t
) AS n WHERE n.name ~ (${lineBreak}) ORDER BY 1, 2 LIMIT 20`,
  fix: 'ALTER DATABASE, ROLE or TABLESPACE ... RENAME TO a name on one line.',
  judge(rows, { wanted }) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => `${textOf(row, 'kind')} ${textOf(row, 'name')}`);
    return { status: wanted.major >= 19 ? 'blocked' : 'warning', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Asks for standard_conforming_strings, which can no longer be off from 19 on. */
export const scsOff: Check = {
  id: 'scs-off',
  title: 'Strings are read as the standard says',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  maxMajor: 18,
  sql: `
SELECT s.source FROM pg_catalog.pg_settings AS s
WHERE s.name = 'standard_conforming_strings' AND s.setting = 'off'`,
  fix: "Switch standard_conforming_strings on and write E'...' where a backslash should escape; dump with the client of the wanted version.",
  judge(rows, { wanted }) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const end = wanted.major >= 19 ? `: ${wanted.major} knows only on` : '';
    return { status: 'warning', seen: [`standard_conforming_strings is off${end}`] };
  },
};
