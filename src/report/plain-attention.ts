/** What blocks and what warns, for a terminal: blocks of lines. */
import { byWords, certaintyWords, timingWords } from './advice.ts';
import { blocksOf, type MustRead, warningsOf } from './attention.ts';
import { type CheckRecord, statusWord, titleWords } from './check-words.ts';
import { plainText } from './escape.ts';
import { formatCount } from './format.ts';
import { changeOf, formatMeasure } from './measure.ts';
import { rowWords } from './query-results.ts';
import type { FactRecord, QueryRecord, UpgradeRecord } from './record.ts';
import type { AdviceRecord } from './record-release.ts';

/** Rows of one statement, names of one piece of advice. */
const MOST = 5;

/** Checks, statements, notes to read, unexpected differences. */
export function blockLines(record: UpgradeRecord): string[][] {
  const { checks, queries, facts, mustRead } = blocksOf(record);
  return [
    ...checks.map(checkLines),
    ...queries.map(queryLines),
    ...mustRead.map(readLines),
    factLines('Changed unexpectedly:', facts),
  ];
}

/** Checks that warn, notes to read, advice that applies, alerts. */
export function warningLines(record: UpgradeRecord): string[][] {
  const { checks, facts, mustRead, advice } = warningsOf(record);
  return [
    ...checks.map(checkLines),
    ...mustRead.map(readLines),
    ...advice.map(adviceLines),
    factLines('Alerts:', facts),
  ];
}

function checkLines(check: CheckRecord): string[] {
  const lines = [
    `${statusWord(check.status).toUpperCase()}: ${plainText(titleWords(check))} [${plainText(check.id)}]`,
  ];
  lines.push(...check.seen.map((line) => `  - ${plainText(line)}`));
  if (check.fix !== null) lines.push(`  To do: ${plainText(check.fix)}`);
  return lines;
}

function queryLines(query: QueryRecord): string[] {
  const { status, file, line, database, when, why, columns, rows, total } = query;
  const word = status === 'error' ? 'FAILED' : 'BLOCKED';
  const shown = rows.slice(0, MOST);
  const cells = (row: readonly (string | null)[]): string =>
    row.map((cell) => (cell === null ? 'null' : plainText(cell))).join(' | ');
  return [
    `${word}: your own SQL ${plainText(`${file}:${line}`)} in ${plainText(database)}, ${when} the upgrade`,
    ...(why === null ? [] : [`  ${plainText(why)}`]),
    ...(status === 'error' ? [] : [`  ${rowWords(total, shown.length)}`]),
    ...(shown.length === 0 ? [] : [columns, ...shown].map((row) => `    ${cells(row)}`.trimEnd())),
  ];
}

function readLines({ version, why, link }: MustRead): string[] {
  return [
    `READ FIRST: the release notes of PostgreSQL ${plainText(version)}`,
    `  ${plainText(why)}`,
    `  ${plainText(link)}`,
  ];
}

function adviceLines(advice: AdviceRecord): string[] {
  const names = advice.objects.map(({ database, name }) =>
    database === null ? plainText(name) : `${plainText(name)} in ${plainText(database)}`,
  );
  const shown = names.slice(0, MOST);
  const left = Math.max(advice.total, names.length) - shown.length;
  return [
    `RELEASE NOTES: ${plainText(advice.title)} [${plainText(advice.id)}], ${timingWords(advice.timing)}`,
    `  ${certaintyWords(advice)}. ${byWords(advice)}.`,
    ...shown.map((name) => `  - ${name}`),
    ...(left > 0 ? [`  - and ${formatCount(left)} more`] : []),
    `  To do: ${plainText(advice.todo)}`,
    `  ${plainText(advice.link)}`,
  ];
}

function factLines(title: string, facts: readonly FactRecord[]): string[] {
  const lines = facts.map(
    (fact) =>
      `  - ${plainText(fact.name)}: ${valuesOf(fact)}${fact.why === null ? '' : `; ${plainText(fact.why)}`}`,
  );
  return lines.length === 0 ? [] : [title, ...lines];
}

function valuesOf({ before, after, measure }: FactRecord): string {
  if (measure === null) return `${plainText(before ?? 'nothing')} → ${plainText(after ?? 'nothing')}`;
  const change = changeOf(measure);
  const values = `${formatMeasure(measure.before, measure.unit)} → ${formatMeasure(measure.after, measure.unit)}`;
  return change === null ? values : `${values} (${change})`;
}
