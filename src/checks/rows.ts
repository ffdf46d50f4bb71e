/** Reading what a check's SQL returned. A missing value throws: unknown must not be judged as zero or none. */
import type { Row, Verdict } from './check.ts';

/** A text; null reads as empty. */
export function textOf(row: Row, key: string): string {
  const value = row[key];
  if (value === undefined) throw new Error(`the answer has no column ${key}`);
  return value === null ? '' : String(value);
}

/** A number; bigint and numeric arrive as strings. */
export function numberOf(row: Row, key: string): number {
  const value = row[key];
  const number = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) throw new Error(`${key} is ${String(value)}, not a number`);
  return number;
}

/** True or false; anything else throws. */
export function flagOf(row: Row, key: string): boolean {
  const value = row[key];
  if (typeof value !== 'boolean') throw new Error(`${key} is ${String(value)}, not true or false`);
  return value;
}

/** The database that a row of a database check comes from, as a prefix. */
export function prefixOf(row: Row): string {
  const database = row.database;
  return typeof database === 'string' ? `${database}: ` : '';
}

/** How many rows there would be without LIMIT: `total` of each database once. */
export function totalOf(rows: readonly Row[]): number {
  const totals = new Map<unknown, number>();
  for (const row of rows) totals.set(row.database, numberOf(row, 'total'));
  return [...totals.values()].reduce((sum, total) => sum + total, 0);
}

const severity = { passed: 0, info: 1, skipped: 2, warning: 3, blocked: 4 } as const;

/** Several findings about one question: the worst status, the worst lines first. */
export function worst(findings: readonly { status: Verdict['status']; line: string }[]): {
  status: Verdict['status'];
  lines: string[];
} {
  const told = findings.filter(({ status }) => status !== 'passed');
  const sorted = told.toSorted((a, b) => severity[b.status] - severity[a.status]);
  return { status: sorted[0]?.status ?? 'passed', lines: sorted.map(({ line }) => line) };
}
