/** Asking the user's own SQL before and after an upgrade, and finding in its results what blocks. */
import { Cancelled, messageOf } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { QueryRecord } from '../report/record.ts';
import type { HealthFile } from '../spec/health-schema.ts';
import { refuseEscapes } from './user-sql-guard.ts';
import { addRows, newResult, type Result } from './user-sql-result.ts';
import { type Statement, splitStatements } from './user-sql-split.ts';

/** What a file is asked with. */
interface HealthFileOptions {
  /** @param statementTimeout milliseconds; the client's own limit must not be shorter */
  connect(database: string | undefined, statementTimeout: number): Promise<Connection>;
  signal: AbortSignal;
}

const cursor = 'postgres_upgrade_health';
/** What a cursor can be declared for; EXPLAIN, SHOW and the like give few rows. */
const declarable = /^(?:SELECT|VALUES|WITH|TABLE|\()/i;
/** About this much of a result is on its way at a time, in characters. */
const pieceOfResult = 4_000_000;
const sqlAtMost = 4000;

/** Reads through a cursor in pieces whose size follows that of the rows: ten million rows need no memory. */
async function readByCursor(connection: Connection, sql: string, result: Result, deadline: number) {
  // A comment to the end of the line may be the statement's last words.
  await connection.texts(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}\n`);
  for (let rows = 10; ; ) {
    const piece = await connection.texts(`FETCH FORWARD ${rows} FROM ${cursor}`);
    const size = addRows(result, piece);
    if (piece.rows.length < rows) return;
    if (Date.now() > deadline)
      throw new Error(`it gave ${result.total} rows and more in the time it may take`);
    const fitting = Math.floor(pieceOfResult / Math.max(1, size / piece.rows.length));
    rows = Math.max(1, Math.min(rows * 4, fitting, 10_000));
  }
}

/** In a savepoint of the read-only transaction, so that an error ends neither the transaction nor its mode. */
async function askReadOnly(connection: Connection, { sql }: Statement, result: Result, timeout: number) {
  await connection.script(`SAVEPOINT postgres_upgrade; SET LOCAL statement_timeout = ${timeout}`);
  try {
    if (declarable.test(sql)) {
      await readByCursor(connection, sql, result, Date.now() + timeout);
      await connection.script(`CLOSE ${cursor}`);
    } else addRows(result, await connection.texts(sql));
    await connection.script('RELEASE SAVEPOINT postgres_upgrade');
  } catch (cause) {
    // The client gave up on a server that still works on it: nothing more is asked of this session.
    if (!fromServer(cause)) throw cause;
    // Where even this fails the session is gone, and the statement's own error says so better.
    await connection
      .script('ROLLBACK TO SAVEPOINT postgres_upgrade; RELEASE SAVEPOINT postgres_upgrade')
      .catch(() => {});
    throw cause;
  }
}

/** A statement that may write runs once and as it is: a cursor would refuse a WITH that inserts. */
async function askFreely(connection: Connection, { sql }: Statement, result: Result, timeout: number) {
  await connection.script(`SET statement_timeout = ${timeout}`);
  addRows(result, await connection.texts(sql));
}

async function begin(file: HealthFile, options: HealthFileOptions, timeout: number) {
  const connection = await options.connect(file.database, timeout);
  // The engine pins the path for its own questions; this one is the user's.
  await connection.script('RESET search_path');
  if (file['read-only']) await connection.script('BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY');
  const [row] = await connection.query<{ name: string }>('SELECT pg_catalog.current_database() AS name');
  return { connection, database: row?.name ?? file.database ?? '' };
}

/**
 * The statements of a file, where it can be asked as the spec wants it. Pure: a run looks before it begins.
 * @throws UpgradeError `health-sql` with file and line
 */
export function statementsOf(file: HealthFile, text: string): Statement[] {
  const statements = splitStatements(text, file.file);
  if (file['read-only']) for (const statement of statements) refuseEscapes(statement, file.file);
  return statements;
}

/**
 * Asks every statement of a file, one after the other on one connection. One that fails is an item with status
 * `error`; the rest is asked all the same. Cells are data as the server sent them, hostile or not.
 * @param text what the file holds
 * @throws UpgradeError `health-sql` where the file cannot be asked as a whole; Cancelled; whatever `connect` throws
 */
export async function askHealthFile(
  file: HealthFile,
  text: string,
  when: QueryRecord['when'],
  options: HealthFileOptions,
): Promise<QueryRecord[]> {
  const statements = statementsOf(file, text);
  const timeout = file.timeout * 1000;
  const records: QueryRecord[] = [];
  let kept = 0;
  let open: { connection: Connection; database: string } | null = null;
  const stop = (): void => void open?.connection.close();
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    for (const statement of statements) {
      if (options.signal.aborted) throw new Cancelled('check');
      open ??= await begin(file, options, timeout);
      const result = newResult(kept);
      const started = Date.now();
      const ask = file['read-only'] ? askReadOnly : askFreely;
      const failure = await ask(open.connection, statement, result, timeout).then(
        () => null,
        (cause: unknown) => cause,
      );
      if (options.signal.aborted) throw new Cancelled('check');
      kept = result.kept;
      records.push({
        file: file.file,
        line: statement.line,
        when,
        database: open.database,
        sql: statement.sql.length > sqlAtMost ? `${statement.sql.slice(0, sqlAtMost)}…` : statement.sql,
        columns: result.columns,
        rows: result.rows,
        total: result.total,
        durationMs: Date.now() - started,
        status: failure !== null ? 'error' : result.bad !== null ? 'blocked' : 'passed',
        why: failure === null ? result.bad : reason(failure, file.timeout),
      });
      // After an error the session may be gone; the next statement then gets another.
      if (failure !== null && !(fromServer(failure) && (await answers(open.connection)))) {
        await open.connection.close();
        open = null;
      }
    }
    return records;
  } catch (cause) {
    throw options.signal.aborted ? new Cancelled('check') : cause;
  } finally {
    options.signal.removeEventListener('abort', stop);
    await open?.connection.close();
  }
}

/** Whether the server itself refused: then the session is there, and has nothing else to do. */
function fromServer(cause: unknown): boolean {
  return typeof (cause as { severity?: unknown } | null)?.severity === 'string';
}

/** What a statement failed with; a time limit says which. Seconds. */
function reason(cause: unknown, seconds: number): string {
  const message = messageOf(cause);
  return /statement timeout|read timeout|time it may take/.test(message)
    ? `${message} (allowed are ${seconds} s: timeout of this file)`
    : message;
}

async function answers(connection: Connection): Promise<boolean> {
  return connection.script('SELECT 1').then(
    () => true,
    () => false,
  );
}
