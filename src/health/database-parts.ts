/** The parts of a snapshot that are asked in every database. */
import type { Connection } from '../postgres/connection.ts';
import type { DatabaseSnapshot } from '../report/snapshot.ts';
import { type Part, readOnly } from './part.ts';
import { askSequences } from './sequences.ts';
import * as sql from './sql-database.ts';

/** What is being filled in. */
export interface Found {
  byName: ReadonlyMap<string, DatabaseSnapshot>;
  /** Database and quoted schema of pg_stat_statements, once it was seen. */
  statements: readonly [database: string, schema: string] | null;
}

/** A database of which nothing is known yet. */
export function emptyDatabase(name: string): DatabaseSnapshot {
  return {
    name,
    bytes: null,
    objects: null,
    grants: null,
    extensions: null,
    invalid: null,
    sequences: null,
    tables: null,
    activity: null,
  };
}

type Tables = NonNullable<DatabaseSnapshot['tables']>;

/** The row without a name stands for all that are not among the largest. */
function tablesOf(
  rows: readonly { name: string | null; count: number; bytes: number; rows: number }[],
): Tables {
  const sum = (column: 'count' | 'bytes' | 'rows'): number =>
    rows.reduce((total, row) => total + row[column], 0);
  return {
    count: sum('count'),
    bytes: sum('bytes'),
    rows: sum('rows'),
    largest: rows.flatMap(({ name, bytes, rows: estimated }) =>
      name === null ? [] : [{ name, bytes, rows: estimated }],
    ),
  };
}

/**
 * Every part of every database, the slow ones first. Many databases share what the lists may hold: the snapshot
 * stays a document that can be opened.
 */
export function databaseParts(found: Found, timeout: number): Part[] {
  const share = Math.max(1, found.byName.size);
  const objectRows = Math.max(50, Math.min(500, Math.floor(5000 / share)));
  const largest = Math.max(5, Math.min(50, Math.floor(1000 / share)));
  return [...found.byName.values()].flatMap((database) => {
    const part = (what: string, ask: (connection: Connection) => Promise<void>): Part => ({
      what: `${database.name}: ${what}`,
      database: database.name,
      ask: (connection) => readOnly(connection, timeout, () => ask(connection)),
    });
    const sequences: Part = {
      what: `${database.name}: sequences`,
      database: database.name,
      async ask(connection) {
        database.sequences = await askSequences(connection, timeout);
      },
    };
    return [
      sequences,
      part('size', async (connection) => {
        const [row] = await connection.query<{ bytes: number }>(sql.databaseSizeSql);
        database.bytes = row?.bytes ?? null;
      }),
      part('tables', async (connection) => {
        database.tables = tablesOf(await connection.query(sql.tablesSql, [largest]));
      }),
      part('objects', async (connection) => {
        database.objects = await connection.query(sql.objectsSql, [objectRows]);
      }),
      part('grants', async (connection) => {
        const [row] = await connection.query<NonNullable<DatabaseSnapshot['grants']>>(sql.grantsSql);
        database.grants = row ?? null;
      }),
      part('invalid', async (connection) => {
        const [row] = await connection.query<NonNullable<DatabaseSnapshot['invalid']>>(sql.invalidSql);
        database.invalid = row ?? null;
      }),
      part('extensions', async (connection) => {
        type Extension = { name: string; version: string; schema: string };
        const rows = await connection.query<Extension>(sql.extensionsSql);
        database.extensions = rows.map(({ name, version }) => ({ name, version }));
        const counted = rows.find(({ name }) => name === 'pg_stat_statements');
        if (counted) found.statements ??= [database.name, counted.schema];
      }),
    ];
  });
}
