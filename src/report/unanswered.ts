/** Checks that nobody could answer, for one and the same reason: told once, not a dozen times. Pure. */
import type { CheckRecord } from './check-words.ts';
import { formatCount, plural } from './format.ts';

/** Titles and databases that are named before the rest is counted. */
const MOST = 10;

/** PostgreSQL's words where a role lacks the right CONNECT. */
const NO_CONNECT = /permission denied for database "([^"]*)"/;

/**
 * Unanswered checks with the same reason become one, whose title has theirs; the others stay as they are. Order is that
 * of the first of each.
 */
export function groupUnanswered(checks: readonly CheckRecord[]): CheckRecord[] {
  const groups = Map.groupBy(checks, (check) =>
    check.status === 'error' ? `${check.when}\n${check.fix}\n${reasonsOf(check).join('\n')}` : check,
  );
  return [...groups.values()].flatMap(([first, ...others]) => (first ? [merged(first, others)] : []));
}

function merged(first: CheckRecord, others: readonly CheckRecord[]): CheckRecord {
  if (first.status !== 'error') return first;
  const all = [first, ...others];
  const databases = [...new Set(all.flatMap(({ seen }) => seen.flatMap((line) => deniedIn(line) ?? [])))];
  const title =
    others.length === 0
      ? first.title
      : `${plural(all.length, 'check')}: ${few(
          all.map((check) => check.title),
          '; ',
        )}`;
  const same = { ...first, id: [...new Set(all.map(({ id }) => id))].join(', '), title };
  if (databases.length === 0) return same;
  const names = databases.map((name) => `"${name.replaceAll('"', '""')}"`);
  return {
    ...same,
    seen: reasonsOf(first).map((reason) => (reason === DENIED ? `${DENIED} ${few(names, ', ')}` : reason)),
    // One statement for all of them: it has to be whole to be of use.
    fix: `As a superuser: GRANT CONNECT ON DATABASE ${names.join(', ')} TO role; with the user of the connection as role.`,
  };
}

const DENIED = 'permission denied for database';

/** Lines that differ only in the database are one reason. */
function reasonsOf({ seen }: CheckRecord): string[] {
  return [...new Set(seen.map((line) => (deniedIn(line) === null ? line : DENIED)))];
}

function deniedIn(line: string): string | null {
  return NO_CONNECT.exec(line)?.[1] ?? null;
}

function few(names: readonly string[], separator: string): string {
  const left = names.length - MOST;
  return `${names.slice(0, MOST).join(separator)}${left > 0 ? ` and ${formatCount(left)} more` : ''}`;
}
