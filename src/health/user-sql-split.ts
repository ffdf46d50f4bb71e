/** The user's own SQL, cut into statements as psql would cut it. */
import { UpgradeError } from '../errors.ts';
import { type Token, tokens } from '../postgres/lexer.ts';

/** One statement without its semicolon; lines count from 1. */
export interface Statement {
  sql: string;
  line: number;
}

/** Commands of psql that only change how psql prints or goes on: nothing is lost where they are left out. */
const harmless =
  /^\\(?:(?:echo|qecho|warn|pset|timing|x|t|a|H|f|C|T|r)(?:\s.*)?|set\s+(?:ON_ERROR_STOP|ON_ERROR_ROLLBACK|QUIET|ECHO|ECHO_HIDDEN|VERBOSITY|SHOW_CONTEXT|FETCH_COUNT)(?:\s.*)?)$/;

/** More than any person reads; each becomes an item of the record. */
const statementsAtMost = 500;

/** @param what goes on from "health.sql, line 3: " */
export function healthSqlError(file: string, line: number, what: string, hint: string): UpgradeError {
  return new UpgradeError('health-sql', `${file}, line ${line}: ${what}`, {
    phase: 'check',
    hint,
    docs: 'health.md#your-own-sql',
    place: { file, line, column: 1 },
  });
}

const opened: Partial<Record<Token['kind'], string>> = { comment: 'comment', name: 'quoted name' };

/** Its body may hold semicolons between BEGIN ATOMIC and END (from 14 on). */
const routine = /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE)\b/;

/** The statement that is being read. */
interface Reading {
  text: string;
  line: number;
  words: string[];
  parentheses: number;
  /** BEGIN and CASE that wait for their END, in the body of a routine. */
  blocks: number;
}

function readWord(reading: Reading, word: string): void {
  if (reading.words.length < 4) reading.words.push(word);
  if (reading.parentheses > 0 || !routine.test(reading.words.join(' '))) return;
  if (word === 'BEGIN' || (word === 'CASE' && reading.blocks > 0)) reading.blocks += 1;
  else if (word === 'END' && reading.blocks > 0) reading.blocks -= 1;
}

/**
 * Splits a file at the semicolons that end statements: not those in quotes, comments, parentheses (CREATE RULE) or
 * the bodies of SQL functions. Lines with harmless commands of psql are left out.
 * @throws UpgradeError `health-sql` with file and line: unterminated, another command of psql, nothing in it
 */
export function splitStatements(text: string, file = 'health.sql'): Statement[] {
  const found: Statement[] = [];
  let reading: Reading | null = null;
  let line = 1;
  const finish = (): void => {
    if (reading) found.push({ sql: reading.text.trim(), line: reading.line });
    reading = null;
    if (found.length > statementsAtMost)
      throw healthSqlError(file, line, `it holds more than ${statementsAtMost} statements.`, 'Split it.');
  };
  // A byte order mark is what some editors put in front; no statement begins with it.
  for (const { kind, start, end, closed } of tokens(text.replace(/^\ufeff/, ' '))) {
    const piece = text.slice(start, end);
    if (!closed)
      throw healthSqlError(
        file,
        line,
        `a ${opened[kind] ?? 'quoted text'} begins here and does not end.`,
        'Close it.',
      );
    if (kind === 'command') {
      if (!harmless.test(piece.trim()))
        throw healthSqlError(
          file,
          line,
          `${piece.trim().split(/\s/)[0]} is a command of psql, which does not run here.`,
          'Write plain SQL, without variables and commands of psql.',
        );
    } else if (piece === ';' && (reading === null || (reading.parentheses === 0 && reading.blocks === 0))) {
      finish();
    } else if (reading !== null || (kind !== 'space' && kind !== 'comment')) {
      reading ??= { text: '', line, words: [], parentheses: 0, blocks: 0 };
      reading.text += piece;
      if (kind === 'word') readWord(reading, piece.toUpperCase());
      if (piece === '(') reading.parentheses += 1;
      if (piece === ')') reading.parentheses = Math.max(0, reading.parentheses - 1);
    }
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) line += 1;
  }
  finish();
  if (found.length === 0)
    throw healthSqlError(
      file,
      1,
      'there is no statement in it.',
      'Write one, or take the file out of the spec.',
    );
  return found;
}
