/** Would the server start again with the configuration files that lie there now? */
import type { Check } from './check.ts';
import { textOf, totalOf } from './rows.ts';
import { bounded } from './words.ts';

function place(file: string, line: string): string {
  return file === '' ? '' : line === '' ? ` (${file})` : ` (${file}, line ${line})`;
}

/**
 * "setting could not be applied" stands for two things: a value that needs a restart (fine), and an invalid value
 * (the server would not start). Reading pg_file_settings marks the first kind in this session's
 * pg_settings.pending_restart, so that is looked up row by row, after the files were read.
 * The value itself stays out: it may be a secret (primary_conninfo).
 */
export const configFileErrors: Check = {
  id: 'config-file-errors',
  title: 'The configuration files are free of errors',
  scope: 'cluster',
  minMajor: 13,
  grant:
    'GRANT SELECT ON pg_catalog.pg_file_settings TO USER; GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO USER;',
  sql: `
WITH files AS MATERIALIZED (
  SELECT f.seqno, f.sourcefile, f.sourceline, f.name, f.error
  FROM pg_catalog.pg_file_settings AS f WHERE f.error IS NOT NULL
), marked AS MATERIALIZED (
  SELECT f.*, (SELECT s.pending_restart FROM pg_catalog.pg_settings AS s
               WHERE pg_catalog.lower(s.name) = pg_catalog.lower(f.name)) AS pending_restart
  FROM files AS f
)
SELECT m.sourcefile, m.sourceline, m.name, m.error, pg_catalog.count(*) OVER () AS total
FROM marked AS m WHERE m.pending_restart IS NOT TRUE ORDER BY m.seqno LIMIT 20`,
  fix: 'Correct these lines: with them the server would not start again.',
  judge(rows) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => {
      const name = textOf(row, 'name');
      const error = textOf(row, 'error');
      // What is left of this message after the SQL above: the server does not take the value at all.
      const what = error === 'setting could not be applied' ? 'the value is not valid' : error;
      return `${name === '' ? '' : `${name}: `}${what}${place(textOf(row, 'sourcefile'), textOf(row, 'sourceline'))}`;
    });
    return { status: 'blocked', seen: bounded(lines, totalOf(rows)) };
  },
};

/** `file_name` exists from 16 on; before, there is one file only. */
export const hbaErrors: Check = {
  id: 'hba-errors',
  title: 'pg_hba.conf is free of errors',
  scope: 'cluster',
  minMajor: 13,
  grant:
    'GRANT SELECT ON pg_catalog.pg_hba_file_rules TO USER; GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO USER;',
  sql: `
SELECT coalesce(pg_catalog.to_jsonb(h) ->> 'file_name', 'pg_hba.conf') AS file, h.line_number AS line, h.error,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_hba_file_rules AS h WHERE h.error IS NOT NULL ORDER BY 1, 2 LIMIT 20`,
  fix: 'Correct these lines: with them the server would not start again.',
  judge(rows) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map(
      (row) => `${textOf(row, 'error')}${place(textOf(row, 'file'), textOf(row, 'line'))}`,
    );
    return { status: 'blocked', seen: bounded(lines, totalOf(rows)) };
  },
};

/** Finds settings that wait for a restart: the upgrade would switch them on. */
export const pendingRestart: Check = {
  id: 'pending-restart',
  title: 'No setting waits for a restart',
  scope: 'cluster',
  minMajor: 13,
  role: 'pg_read_all_settings',
  sql: `
SELECT s.name, s.sourcefile, s.sourceline FROM pg_catalog.pg_settings AS s WHERE s.pending_restart ORDER BY s.name`,
  fix: 'Restart the server with them first, or take them back: otherwise the upgrade changes two things at once.',
  judge(rows) {
    const lines = rows.map(
      (row) => `${textOf(row, 'name')}${place(textOf(row, 'sourcefile'), textOf(row, 'sourceline'))}`,
    );
    return { status: rows.length > 0 ? 'warning' : 'passed', seen: bounded(lines) };
  },
};
