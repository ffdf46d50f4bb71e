/** A client of the bed's database: writes as fast as one connection can, and remembers what the server promised to keep. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect } from '../../../src/postgres/connection.ts';
import { readConnectionUrl } from '../../../src/postgres/settings.ts';

export interface WriterTotals {
  /** Commits that the server acknowledged. */
  acknowledged: number;
  /** Inserts and connections that failed. */
  failures: number;
  /** Longest time between two acknowledged commits, in milliseconds: what users would call the outage. */
  longestGapMs: number;
}

export interface Writer extends AsyncDisposable {
  /** The longest gap since the last call, in milliseconds, that which is still open included. */
  lap(): number;
  /** Commits that were acknowledged so far. */
  count(): number;
  /** Ends after the write under way. May be called again; never throws. */
  stop(): Promise<WriterTotals>;
  /** Stops, and answers with the acknowledged numbers that the table does not hold. Must be empty. */
  missing(): Promise<number[]>;
}

/** Milliseconds until an unanswered write counts as lost: a server that vanished sends no reset. */
const patience = 5_000;
/** Milliseconds before connecting again: a gap is measured this precisely. */
const retryMs = 5;

/**
 * Starts to insert numbered rows into the table `writes`, one commit each, going on from the highest number there. One
 * writer at a time. @param url of the database `shop` of a bed @throws UpgradeError where the first connection fails
 */
export async function startWriter(url: string): Promise<Writer> {
  const settings = readConnectionUrl(url, 'bed.postgres.url');
  const open = (): Promise<Connection> =>
    connect(settings, { name: 'bed writer', timeout: patience, statementTimeout: patience });
  let connection: Connection | null = await open();
  const [row] = await connection.query<{ last: string }>('SELECT coalesce(max(id), 0) AS last FROM writes');
  let number = Number(row?.last);

  const acknowledged: number[] = [];
  let stopping = false;
  let failures = 0;
  let lastAt = performance.now();
  let longest = 0;
  let longestOfLap = 0;
  const noteGap = (): void => {
    const gap = performance.now() - lastAt;
    longest = Math.max(longest, gap);
    longestOfLap = Math.max(longestOfLap, gap);
  };

  const work = async (): Promise<void> => {
    while (!stopping) {
      try {
        connection ??= await open();
        number += 1;
        await connection.query('INSERT INTO writes (id) VALUES ($1)', [number]);
        acknowledged.push(number);
        noteGap();
        lastAt = performance.now();
      } catch {
        failures += 1;
        // Not awaited: closing a connection to a server that vanished may take minutes.
        void connection?.close().catch(() => {});
        connection = null;
        await sleep(retryMs);
      }
    }
    noteGap();
    await connection?.close().catch(() => {});
  };
  const worked = work();

  const stop = async (): Promise<WriterTotals> => {
    stopping = true;
    await worked;
    return { acknowledged: acknowledged.length, failures, longestGapMs: longest };
  };
  return {
    count: () => acknowledged.length,
    lap() {
      noteGap();
      const lap = longestOfLap;
      longestOfLap = 0;
      return lap;
    },
    stop,
    async missing() {
      await stop();
      await using reader = await connect(settings, { name: 'bed reader' });
      const rows = await reader.query<{ id: string }>('SELECT id FROM writes');
      const held = new Set(rows.map(({ id }) => Number(id)));
      return acknowledged.filter((each) => !held.has(each));
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
