/** Key figures of the health snapshots, and results of the user's own SQL, folded and short. */
import { formatCount, formatDuration, plural } from './format.ts';
import { figuresOf } from './health-figures.ts';
import { countQueries, pairQueries, rowWords } from './query-results.ts';
import type { QueryRecord, UpgradeRecord } from './record.ts';
import { code, type Detail, folded, list, stack, table, words } from './summary-parts.ts';

const ROWS = 5;
const COLUMNS = 8;
const CHARACTERS = 100;

/** One short table; the snapshots themselves are in report.html. */
export function healthDetails({ health }: UpgradeRecord, detail: Detail): string | null {
  const shown = [health.before, health.after].flatMap((snapshot) => (snapshot ? [figuresOf(snapshot)] : []));
  const [first, second] = shown;
  if (!first) return null;
  const head = second ? ['', 'Before', 'After'] : ['', health.before ? 'Before' : 'After'];
  const rows = first.map(({ label, value }, place) => [
    label,
    words(value, detail),
    ...(second ? [words(second[place]?.value ?? '', detail)] : []),
  ]);
  return folded('Health: key figures', stack(table(head, rows, { ...detail, items: rows.length }), MORE));
}

const MORE = 'report.html has databases, tables, connections, replication, statements and the log.';

/** Blocked and failed statements stand above all folds; the others are a line each here. */
export function queryDetails({ queries }: UpgradeRecord, detail: Detail): string | null {
  if (queries.length === 0) return null;
  const { fine } = pairQueries(queries);
  const few = { ...detail, items: Math.min(detail.items, 10) };
  const shown = fine.slice(0, few.items);
  return folded(
    `Your own SQL: ${countQueries(queries)}`,
    stack(
      ...shown.map(({ before, after, same, query }) =>
        same
          ? stack(resultTable(query, few), 'The same before and after.')
          : stack(before && resultTable(before, few), after && resultTable(after, few)),
      ),
      fine.length > shown.length && `${plural(fine.length - shown.length, 'more statement')} in report.html.`,
      shown.length === 0 && list(['Every statement is above: blocked or failed.'], detail),
    ),
  );
}

/** Where it stands, how it ended, and the first rows. It begins with a word: backticks could be taken for a fence. */
export function resultTable(query: QueryRecord, detail: Detail): string {
  const { file, line, database, status, why, columns, rows, total, when, durationMs } = query;
  const cell = { ...detail, characters: CHARACTERS };
  const names = columns.slice(0, COLUMNS).map((name) => words(name, cell));
  const kept = rows
    .slice(0, ROWS)
    .map((row) => row.slice(0, COLUMNS).map((value) => (value === null ? '*null*' : words(value, cell))));
  const left = columns.length - names.length;
  const ended = { passed: 'passed', blocked: '**blocked**', error: '**failed**' }[status];
  const counted = status === 'error' ? '.' : `. ${rowWords(total, kept.length)}`;
  return stack(
    `Statement ${code(`${file}:${line}`, detail)} in ${code(database, detail)}, ${when}: ${ended}, took ${formatDuration(durationMs)}${counted}${why === null ? '' : ` ${words(why, detail)}`}`,
    kept.length > 0 && names.length > 0 && table(names, kept, detail),
    left > 0 && kept.length > 0 && `${formatCount(left)} more columns are in report.html.`,
  );
}
