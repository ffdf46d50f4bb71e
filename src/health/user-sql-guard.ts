/** What no statement of a read-only file may do: leave the transaction that makes it read-only. */
import type { UpgradeError } from '../errors.ts';
import { tokens } from '../postgres/lexer.ts';
import { healthSqlError, type Statement } from './user-sql-split.ts';

/**
 * COPY could write to a file or a program of the server, which READ ONLY allows. LOCK would hold everybody up until the
 * end of the file.
 */
const refused = new Set([
  'BEGIN',
  'START',
  'COMMIT',
  'END',
  'ROLLBACK',
  'ABORT',
  'SAVEPOINT',
  'RELEASE',
  'COPY',
  'LOCK',
  'DISCARD',
]);
const modes =
  /^(?:TRANSACTION|CHARACTERISTICS|ALL|TRANSACTION_READ_ONLY|DEFAULT_TRANSACTION_READ_ONLY|STATEMENT_TIMEOUT)$/;

/** Key words and names of a statement in capitals, quoted ones without their quotes. */
function wordsOf(sql: string): string[] {
  const words: string[] = [];
  for (const { kind, start, end } of tokens(sql)) {
    if (kind === 'word') words.push(sql.slice(start, end).toUpperCase());
    if (kind === 'name') words.push(sql.slice(start, end).replaceAll('"', '').toUpperCase());
    if (words.length >= 50) break;
  }
  return words;
}

/**
 * Refuses by name what would end or change the read-only transaction. The server refuses it as well: a statement is
 * sent by itself, in a savepoint of a read-only transaction, where neither a procedure's COMMIT nor set_config() can
 * switch writing on. This is here so that the reader is told before anything runs.
 * @throws UpgradeError `health-sql`
 */
export function refuseEscapes({ sql, line }: Statement, file: string): void {
  const words = wordsOf(sql);
  const [first = '', second = ''] = words;
  const error = (what: string): UpgradeError =>
    healthSqlError(
      file,
      line,
      `${what} is not possible in a file that only reads.`,
      'Take it out, or say `read-only: false` for this file in the spec.',
    );
  if (refused.has(first)) throw error(first);
  if (first === 'PREPARE' && second === 'TRANSACTION') throw error('PREPARE TRANSACTION');
  if ((first === 'SET' || first === 'RESET') && words.slice(1, 4).some((word) => modes.test(word)))
    throw error(words.slice(0, 3).join(' '));
}
