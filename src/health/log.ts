/** Reading the end of the server log: from the server itself where it collects one, else from whoever can reach it. */
import type { Connection } from '../postgres/connection.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { classify, type LogFormat } from './log-lines.ts';
import { NotMeasured } from './part.ts';
import { logEndSql, logFileSql, logSettingsSql, rightsSql } from './sql-cluster.ts';

/** The end of a log that is a file; see `Environment.serverLog`. */
export type ReadLog = (bytes: number) => Promise<{ source: string; text: string; size: number } | null>;

const readAtMost = 4 * 1024 ** 2;

const grants =
  'it needs GRANT pg_monitor TO USER; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text,bigint,bigint), pg_stat_file(text) TO USER; and, for a log outside of the data directory, GRANT pg_read_server_files TO USER;';

/** The first line of a cut text is the end of some other line. */
function fromFirstLine(text: string, cut: boolean): string {
  return cut ? text.slice(text.indexOf('\n') + 1) : text;
}

async function readCollected(connection: Connection, destination: string, format: LogFormat) {
  const kinds = destination.split(',').map((kind) => kind.trim());
  const kind = kinds.includes('stderr') ? 'stderr' : kinds.includes('jsonlog') ? 'jsonlog' : null;
  if (kind === null)
    throw new NotMeasured(`the log is written as ${destination} only; stderr and jsonlog can be read`);
  const [rights] = await connection.query<{ files: boolean }>(rightsSql);
  if (rights?.files !== true) throw new NotMeasured(grants);
  const [file] = await connection.query<{ path: string | null }>(logFileSql(kind));
  if (!file?.path) throw new NotMeasured('the server names no log file');
  const [end] = await connection.query<{ size: number; data: Buffer }>(logEndSql, [file.path, readAtMost]);
  if (!end) throw new NotMeasured('the log file is empty');
  const text = fromFirstLine(end.data.toString('utf8'), end.size > end.data.length);
  return classify(file.path, text, end.data.length, { ...format, kind });
}

/**
 * @throws NotMeasured with what is missing
 */
export async function askLog(
  connection: Connection,
  serverLog: ReadLog | undefined,
): Promise<NonNullable<Snapshot['log']>> {
  const [settings] = await connection.query<{
    collected: boolean;
    destination: string;
    prefix: string;
    language: string;
  }>(logSettingsSql);
  const { collected = false, destination = '', prefix = '', language = '' } = settings ?? {};
  // Other languages have other words for ERROR; what is not recognised must not pass for silence.
  if (!/^(?:$|C$|C\.|POSIX$|en)/i.test(language))
    throw new NotMeasured(`messages are written in another language (lc_messages is ${language})`);
  const format: LogFormat = { kind: 'stderr', prefix };
  if (collected) return readCollected(connection, destination, format);
  const log = await serverLog?.(readAtMost);
  if (!log)
    throw new NotMeasured('logging_collector is off, and the log is no file that this machine can read');
  const bytes = Buffer.byteLength(log.text);
  return classify(log.source, fromFirstLine(log.text, log.size > bytes), bytes, format);
}
