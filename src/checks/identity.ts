/** Is this the server that the plan was made for? */
import { formatVersion, fromVersionNum } from '../postgres/version.ts';
import type { Check } from './check.ts';
import { flagOf, numberOf } from './rows.ts';

/** The server is a primary and runs the version that the plan was made for, or the wanted one afterwards. */
export const identity: Check = {
  id: 'identity',
  title: 'The server is the primary, and runs the expected version',
  scope: 'cluster',
  minMajor: 13,
  sql: `
SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version_num,
       pg_catalog.pg_is_in_recovery() AS standby`,
  fix: 'Connect to the primary. If the version is another one than planned, make a new plan: somebody changed the server in between.',
  judge(rows, context) {
    const [row] = rows;
    if (!row) throw new Error('the server did not say which version it runs');
    const expected = formatVersion(context.when === 'before' ? context.running : context.wanted);
    const found = formatVersion(fromVersionNum(numberOf(row, 'version_num')));
    const seen: string[] = [];
    if (flagOf(row, 'standby')) seen.push('the server is a standby: pg_is_in_recovery() is true');
    if (found !== expected) seen.push(`the server runs ${found}, expected was ${expected}`);
    return { status: seen.length > 0 ? 'blocked' : 'passed', seen };
  },
};
