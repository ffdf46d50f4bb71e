/** Can everybody still log in? */
import type { Check, Row, Verdict } from './check.ts';
import { crosses } from './majors.ts';
import { numberOf, textOf, totalOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/** `file_name` exists from 16 on. A broken pg_ident.conf stops no server, but every login that needs a map. */
export const identErrors: Check = {
  id: 'ident-errors',
  title: 'pg_ident.conf is free of errors',
  scope: 'cluster',
  minMajor: 15,
  grant:
    'GRANT SELECT ON pg_catalog.pg_ident_file_mappings TO USER; GRANT EXECUTE ON FUNCTION pg_catalog.pg_ident_file_mappings() TO USER;',
  sql: `
SELECT coalesce(pg_catalog.to_jsonb(m) ->> 'file_name', 'pg_ident.conf') AS file, m.line_number AS line, m.error,
       pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_ident_file_mappings AS m WHERE m.error IS NOT NULL ORDER BY 1, 2 LIMIT 20`,
  fix: 'Correct these lines: after a restart no login by a user name map would work.',
  judge(rows) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map(
      (row) => `${textOf(row, 'error')} (${textOf(row, 'file')}, line ${textOf(row, 'line')})`,
    );
    return { status: 'blocked', seen: bounded(lines, totalOf(rows)) };
  },
};

function places(row: Row): string {
  const more = numberOf(row, 'lines') - 1;
  return `${textOf(row, 'file')}, line ${textOf(row, 'line')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** 13 shows clientcert=1 as verify-ca, so how it is spelled in the file cannot be seen. */
export const hbaAuthMethods: Check = {
  id: 'hba-auth-methods',
  title: 'The wanted version knows every method of pg_hba.conf',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  grant:
    'GRANT SELECT ON pg_catalog.pg_hba_file_rules TO USER; GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO USER;',
  sql: `
SELECT f.file, f.method, pg_catalog.min(f.line) AS line, pg_catalog.count(*) AS lines
FROM (
  SELECT coalesce(pg_catalog.to_jsonb(h) ->> 'file_name', 'pg_hba.conf') AS file, h.line_number AS line, m.method
  FROM pg_catalog.pg_hba_file_rules AS h
  CROSS JOIN LATERAL (
    SELECT h.auth_method AS method WHERE h.auth_method IN ('radius', 'md5')
    UNION ALL
    SELECT 'clientcert' FROM pg_catalog.unnest(h.options) AS o(option) WHERE o.option LIKE 'clientcert=%'
  ) AS m
  WHERE h.error IS NULL
) AS f GROUP BY f.file, f.method ORDER BY f.method DESC, f.file`,
  fix: 'Replace radius by another method, md5 by scram-sha-256 (once the passwords are SCRAM), and write clientcert=verify-ca or verify-full.',
  judge(rows, context) {
    const judged = rows.map((row): { status: Verdict['status']; line: string } => {
      switch (textOf(row, 'method')) {
        case 'radius':
          return {
            status: context.wanted.major >= 19 ? 'blocked' : 'passed',
            line: `radius: removed in 19 (${places(row)})`,
          };
        case 'md5':
          return {
            status: context.wanted.major >= 18 ? 'warning' : 'passed',
            line: `md5: on its way out since 18 (${places(row)})`,
          };
        default:
          return {
            status: crosses(context, 14) ? 'warning' : 'passed',
            line: `clientcert: 14 takes only verify-ca and verify-full, not 1, 0 or no-verify (${places(row)})`,
          };
      }
    });
    const found = worst(judged);
    return { status: found.status, seen: bounded(found.lines) };
  },
};

/** Only the kind of password is looked at; hashes never leave the server. */
export const md5Passwords: Check = {
  id: 'md5-passwords',
  title: 'No role has an MD5 password',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  grant: 'GRANT SELECT (rolname, rolpassword) ON pg_catalog.pg_authid TO USER;',
  sql: `
SELECT a.rolname AS role, pg_catalog.count(*) OVER () AS total
FROM pg_catalog.pg_authid AS a WHERE a.rolpassword LIKE 'md5%' ORDER BY 1 LIMIT 20`,
  fix: "Set password_encryption to scram-sha-256 and let these roles set their passwords again; test their clients' drivers.",
  judge(rows, { wanted }) {
    if (rows.length === 0) return { status: 'passed', seen: [] };
    const lines = rows.map((row) => textOf(row, 'role'));
    return { status: wanted.major >= 18 ? 'warning' : 'info', seen: bounded(lines, totalOf(rows)) };
  },
};
