/** One result of the user's own SQL: what is kept of it, and the first row that says that something is wrong. */
import type { Texts } from '../postgres/connection.ts';

const rowsAtMost = 200;
const columnsAtMost = 50;
const cellAtMost = 1000;
/** Characters of all cells that are kept of one file: the record must stay a document that can be opened. */
const keptAtMost = 1_000_000;

/** A result while it is read. */
export interface Result {
  columns: string[];
  rows: (string | null)[][];
  total: number;
  /** Which columns tell how things are: null until the first piece was read. */
  telling: number[] | null;
  /** The first row that blocks, in words. */
  bad: string | null;
  /** Characters kept so far, of earlier statements too. */
  kept: number;
}

/** @param kept characters that earlier statements of the file kept */
export function newResult(kept: number): Result {
  return { columns: [], rows: [], total: 0, telling: null, bad: null, kept };
}

const telling = /^(?:status|severity)$/i;
const bad = /\b(?:critical|failed|error)\b/i;

const clip = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/**
 * Takes in a piece of the result. Every row is looked at, the first 200 with 50 columns are kept.
 * @returns how many characters the piece had
 */
export function addRows(result: Result, { columns, rows }: Texts): number {
  if (result.telling === null) {
    result.columns = columns.slice(0, columnsAtMost).map((name) => clip(name, cellAtMost));
    result.telling = columns.flatMap((name, index) => (telling.test(name) ? [index] : []));
  }
  let size = 0;
  for (const row of rows) {
    result.total += 1;
    for (const cell of row) size += cell?.length ?? 0;
    for (const index of result.bad === null ? result.telling : []) {
      const cell = row[index];
      if (typeof cell !== 'string' || !bad.test(cell)) continue;
      result.bad = `row ${result.total}: ${columns[index]} is ${JSON.stringify(clip(cell, 200))}`;
      break;
    }
    if (result.rows.length >= rowsAtMost || result.kept >= keptAtMost) continue;
    const cells = row
      .slice(0, columnsAtMost)
      .map((cell) => (typeof cell === 'string' ? clip(cell, cellAtMost) : null));
    for (const cell of cells) result.kept += cell?.length ?? 0;
    result.rows.push(cells);
  }
  return size;
}
