/** The advice of the release notes, folded, with the statements to run. */
import { adviceHeadline, certaintyWords, countAdvice, objectsByDatabase, sortAdvice } from './advice.ts';
import { visible } from './escape.ts';
import { formatCount, plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { AdviceRecord } from './record-release.ts';
import { code, type Detail, folded, joined, list, notes, sqlBlock, stack, words } from './summary-parts.ts';

/** Bytes of statements that one piece of advice may take here. */
const MOST_SQL = 8_000;
/** Databases of one piece of advice, those with the same objects counted once. */
const MOST_GROUPS = 10;

/**
 * What applies with its objects, what could not be asked, and the rest in a line each; what does not apply is counted.
 * Null where there is neither advice nor a note to read.
 */
export function adviceDetails(record: UpgradeRecord, detail: Detail): string | null {
  const headline = adviceHeadline(record);
  if (headline === null || (record.advice.length === 0 && !record.release?.mustRead.length)) return null;
  const { applies, unanswered, judge, done, notApplicable } = sortAdvice(record.advice);
  const listed = (title: string, found: readonly AdviceRecord[]): string | null =>
    found.length === 0
      ? null
      : `${title}:\n\n${list(
          found.map((advice) => item(advice, detail)),
          detail,
        )}`;
  return folded(
    `Release notes: ${countAdvice(record.advice)}`,
    stack(
      words(headline, detail),
      ...applies.slice(0, detail.items).map((advice) => objects(advice, detail)),
      moreOf(applies.length - detail.items, 'piece of advice', 'pieces of advice'),
      listed('Could not be asked', unanswered),
      listed('Carried out by the action', done),
      listed(`${plural(judge.length, 'piece')} of advice cannot be seen from the database`, judge),
      notApplicable.length > 0 &&
        `${plural(notApplicable.length, 'piece')} of advice ${notApplicable.length === 1 ? 'does' : 'do'} not apply here.`,
    ),
  );
}

function item(advice: AdviceRecord, detail: Detail): string {
  const seen = joined(advice.seen, { ...detail, items: 3 }, '; ');
  const said = seen === '' ? '' : `: ${seen}`;
  const todo = advice.state === 'done' ? '' : `. ${words(advice.todo, detail)}`;
  return `${words(advice.title, detail)}${said}${todo} ${notes(advice.link, `Release notes of ${advice.fixedIn}`, detail)}`;
}

function objects(advice: AdviceRecord, detail: Detail): string {
  const seen = joined(advice.seen, { ...detail, items: 3 }, '; ');
  const groups = objectsByDatabase(advice.objects);
  return stack(
    `**${words(advice.title, detail)}** (${code(advice.id, detail)}). ${words(advice.why, detail)}`,
    seen !== '' && `Seen: ${seen}`,
    `${certaintyWords(advice)}.`,
    ...groups.slice(0, MOST_GROUPS).map(({ databases, objects: found, sql }) => {
      const most = Math.min(detail.items, 50);
      const names = found.slice(0, most).map(({ name }) => code(name, detail));
      const left = found.length - names.length;
      const where = databases.includes(null)
        ? 'In the whole cluster'
        : `In ${databases
            .slice(0, most)
            .map((name) => code(name, detail))
            .join(
              ', ',
            )}${databases.length > most ? ` and ${formatCount(databases.length - most)} more` : ''}`;
      return stack(
        `${where}: ${names.join(', ')}${left > 0 ? ` and ${formatCount(left)} more` : ''}`,
        sql.length > 0 && statements(sql, most),
      );
    }),
    moreOf(groups.length - MOST_GROUPS, 'database', 'databases'),
  );
}

function moreOf(left: number, one: string, many: string): string | null {
  return left > 0 ? `${plural(left, `more ${one}`, `more ${many}`)} in report.html.` : null;
}

/** Statements are shown whole: half of one must not be copied. */
function statements(sql: readonly string[], most: number): string {
  const shown: string[] = [];
  let bytes = 0;
  for (const statement of sql.slice(0, most)) {
    bytes += Buffer.byteLength(statement);
    if (bytes > MOST_SQL) break;
    shown.push(...visible(statement).split('\n'));
  }
  const count = sql.length;
  if (bytes > MOST_SQL || count > most) {
    return stack(sqlBlock(shown), 'Not all statements are shown here; report.html has all.');
  }
  return sqlBlock(shown) ?? '';
}
