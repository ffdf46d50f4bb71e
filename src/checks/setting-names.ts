/** Does the wanted major know every setting that is used? Values stay out: they may be secrets. */
import { newestKnownMajor, newNameOf, settingNames } from '../postgres/setting-names.ts';
import type { Check, CheckContext, Verdict } from './check.ts';
import { textOf, worst } from './rows.ts';
import { bounded } from './words.ts';

/**
 * One setting in the wanted major. A name that neither major has by itself belongs to a build of its own: nobody can
 * say whether the next one has it.
 */
function settingIn(
  name: string,
  context: CheckContext,
  where: string,
): { status: Verdict['status']; line: string } {
  const { running, wanted } = context;
  const names = settingNames(wanted.major);
  if (names === null || names.has(name.toLowerCase())) return { status: 'passed', line: '' };
  const now = newNameOf(name, wanted.major);
  if (now !== null) return { status: 'info', line: `${name}${where}: called ${now} in ${wanted.major}` };
  if (settingNames(running.major)?.has(name.toLowerCase()) === true) {
    return { status: 'blocked', line: `${name}${where}: ${wanted.major} does not know it` };
  }
  return { status: 'warning', line: `${name}${where}: no setting of PostgreSQL itself` };
}

/** What nobody can judge: a major that the table does not reach. */
function beyondTable({ wanted }: CheckContext): Verdict | null {
  if (settingNames(wanted.major) !== null) return null;
  return {
    status: 'skipped',
    seen: [
      `the settings of PostgreSQL ${wanted.major} are not known here, only those up to ${newestKnownMajor}`,
    ],
  };
}

/** Names with a dot belong to extensions. Within a major no setting goes away; what comes is for config-preflight. */
export const customSettings: Check = {
  id: 'custom-settings',
  title: 'The wanted version knows every setting in use',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  role: 'pg_read_all_settings',
  sql: `
SELECT s.name, s.sourcefile, s.sourceline FROM pg_catalog.pg_settings AS s
WHERE s.source IN ('configuration file', 'command line', 'environment variable') AND s.name NOT LIKE '%.%'
ORDER BY s.name`,
  fix: 'Remove these settings from the configuration of the new server, or use what replaced them: it would not start.',
  judge(rows, context) {
    const found = worst(
      rows.map((row) => {
        const file = textOf(row, 'sourcefile');
        return settingIn(
          textOf(row, 'name'),
          context,
          file === '' ? '' : ` (${file}, line ${textOf(row, 'sourceline')})`,
        );
      }),
    );
    return beyondTable(context) ?? { status: found.status, seen: bounded(found.lines) };
  },
};

/** Finds settings of roles and databases whose names the wanted major does not know. */
export const roleDbSettings: Check = {
  id: 'role-db-settings',
  title: 'The wanted version knows every setting of a role or database',
  scope: 'cluster',
  when: 'before',
  upgrade: 'major',
  minMajor: 13,
  sql: `
SELECT pg_catalog.split_part(c.setting, '=', 1) AS name, d.datname, r.rolname
FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(setting)
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
WHERE pg_catalog.split_part(c.setting, '=', 1) NOT LIKE '%.%'
ORDER BY 1, 2, 3`,
  fix: 'ALTER ROLE or DATABASE ... RESET these settings: a restore fails on them.',
  judge(rows, context) {
    const found = worst(
      rows.map((row) => {
        const role = textOf(row, 'rolname');
        const database = textOf(row, 'datname');
        const of = [role && `of role ${role}`, database && `in database ${database}`].filter(Boolean);
        return settingIn(textOf(row, 'name'), context, of.length > 0 ? ` ${of.join(' ')}` : '');
      }),
    );
    return beyondTable(context) ?? { status: found.status, seen: bounded(found.lines) };
  },
};
