/** The statements that take most of the server's time, as pg_stat_statements counts them. */
import { createHash } from 'node:crypto';
import type { Connection } from '../postgres/connection.ts';
import { tokens } from '../postgres/lexer.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { mark } from './sql-cluster.ts';

type StatementCount = NonNullable<Snapshot['statements']>[number];

const statementsAtMost = 50;
const textAtMost = 500;

/** What applications wait for. Anything else is administration, and may hold a password as it was typed. */
const counted = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'WITH', 'VALUES', 'TABLE', 'CALL']);
const secret = /passw|secret|credential|api_?key|private_?key|pgp_sym|\bcrypt\b/i;

/**
 * More rows than are kept: those of one text are added up later. Our own statements, and pg_dump's, name every
 * catalog with its schema. Texts are long only where somebody builds them so.
 * @param schema quoted: the extension may live anywhere
 */
const statementsSql = (schema: string): string => `${mark}
SELECT d.datname AS database, pg_catalog.left(s.query, 20000) AS query, s.calls::pg_catalog.float8 AS calls,
       s.total_exec_time AS "totalMs", s.rows::pg_catalog.float8 AS rows
FROM ${schema}.pg_stat_statements AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
WHERE s.query IS NOT NULL AND s.calls > 0 AND pg_catalog.strpos(s.query, 'pg_catalog.') = 0
  AND s.query !~* '^\\s*(copy|begin|start|commit|end|rollback|abort|savepoint|release|set|reset|show|vacuum|analyze|create|alter|drop|grant|revoke|checkpoint|explain|deallocate|discard|do|declare|fetch|close|refresh|reindex|truncate|lock|listen|notify|unlisten|load|comment)\\M'
ORDER BY s.total_exec_time DESC LIMIT 400`;

/**
 * A statement without comments, with single spaces, and with every constant that pg_stat_statements left in place
 * (it does where it forgot the statement while that ran, and in CALL) taken out. Null for what is no statement of an
 * application, and for what speaks of secrets.
 */
export function normalise(query: string): string | null {
  if (query.trimStart().startsWith(mark) || secret.test(query)) return null;
  let text = '';
  let first: string | null = null;
  for (const { kind, start, end } of tokens(query)) {
    const piece = query.slice(start, end);
    if (kind === 'word') first ??= piece.toUpperCase();
    if (kind === 'space' || kind === 'comment') text += text === '' || text.endsWith(' ') ? '' : ' ';
    else if (kind === 'text') text += "'…'";
    else if (kind === 'number') text += '?';
    else text += piece;
  }
  return first !== null && counted.has(first) ? text.trim() : null;
}

/** Adds up what has the same text in the same database (users and nesting levels are counted apart); most time first. */
export function topStatements(
  rows: readonly { database: string; query: string; calls: number; totalMs: number; rows: number }[],
): StatementCount[] {
  const found = new Map<string, StatementCount>();
  for (const { database, query, calls, totalMs, rows: given } of rows) {
    const text = normalise(query);
    if (text === null) continue;
    const key = createHash('md5').update(`${database}\0${text}`).digest('hex');
    const known = found.get(key);
    const clipped = text.length > textAtMost ? `${text.slice(0, textAtMost)}…` : text;
    const sum = known ?? { key, database, text: clipped, calls: 0, totalMs: 0, rows: 0 };
    found.set(key, {
      ...sum,
      calls: sum.calls + calls,
      totalMs: sum.totalMs + totalMs,
      rows: sum.rows + given,
    });
  }
  return [...found.values()].sort((a, b) => b.totalMs - a.totalMs).slice(0, statementsAtMost);
}

/** @param schema quoted, where the extension lives in the connection's database */
export async function askStatements(connection: Connection, schema: string): Promise<StatementCount[]> {
  return topStatements(
    await connection.query<{
      database: string;
      query: string;
      calls: number;
      totalMs: number;
      rows: number;
    }>(statementsSql(schema)),
  );
}
