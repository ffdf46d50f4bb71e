/** Reading the ledger that the writer writes. */
import type { Connection } from '../../src/postgres/connection.ts';

/** Numbers sent in one question: a few hundred kilobytes, and short enough that other work gets its turn. */
const atOnce = 10_000;

/** Which of these numbers are not in app.ledger. @param numbers ascending, as the answer is */
export async function missingFrom(connection: Connection, numbers: readonly number[]): Promise<number[]> {
  const missing: number[] = [];
  for (let start = 0; start < numbers.length; start += atOnce) {
    const asked = numbers.slice(start, start + atOnce);
    // EXCEPT reads both sides once, whatever the statistics say; a join of a table that was empty at its last
    // ANALYZE may become a loop in a loop.
    const rows = await connection.query<{ id: string }>(
      `SELECT unnest($1::bigint[]) AS id EXCEPT SELECT id FROM app.ledger WHERE id BETWEEN $2 AND $3 ORDER BY id`,
      [asked, asked[0], asked.at(-1)],
    );
    missing.push(...rows.map(({ id }) => Number(id)));
  }
  return missing;
}
