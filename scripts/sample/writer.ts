/** A client that keeps writing like an application, and remembers what the server promised to keep. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect } from '../../src/postgres/connection.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';
import { missingFrom } from './ledger.ts';

export interface WriterOptions {
  /** Milliseconds between two writes. */
  everyMs?: number;
}

export interface WriterTotals {
  /** Commits that the server acknowledged. */
  acknowledged: number;
  /** Inserts that were sent; each takes a number of its own. */
  attempts: number;
  /** Inserts and connections that failed. */
  failures: number;
  /** Longest time without an acknowledged commit, in milliseconds: what users would call the outage. */
  longestGapMs: number;
}

export interface Writer extends AsyncDisposable {
  /** Numbers whose commit was acknowledged, ascending; a copy. */
  acknowledged(): number[];
  /** Ends after the write under way, and closes the connection. May be called again; never throws. */
  stop(): Promise<WriterTotals>;
  /** The acknowledged numbers that app.ledger, as this connection sees it, does not hold. Must be empty. */
  verify(connection: Connection): Promise<number[]>;
}

/** Milliseconds until an unanswered write counts as lost: a server that vanished sends no reset. */
const patience = 5_000;
/** Milliseconds before connecting again: quick enough to measure a gap, slow enough not to burden a start. */
const retryMs = 25;

/** Rejects after `patience`; a late answer is of no interest, and its failure must not end this process. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  answer.catch(() => {});
  try {
    const late = sleep(patience, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no answer within ${patience} ms`);
    });
    late.catch(() => {});
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}

/**
 * Starts to insert numbered rows into `app.ledger`, one commit each, going on from the highest number there.
 * After any failure it connects again and continues with the next number: whether the failed one was kept is
 * unknown, as it is to every application. One writer at a time.
 * @param settings the database `shop` of the sample
 * @throws UpgradeError where the first connection fails, pg's error where there is no app.ledger
 */
export async function startWriter(
  settings: ConnectionSettings,
  { everyMs = 5 }: WriterOptions = {},
): Promise<Writer> {
  const open = (): Promise<Connection> =>
    connect(settings, { name: 'sample writer', timeout: patience, statementTimeout: patience });
  let connection: Connection | null = await open();
  let number = 0;
  try {
    const [row] = await connection.query<{ last: string | null }>('SELECT max(id) AS last FROM app.ledger');
    number = Number(row?.last ?? 0);
  } catch (cause) {
    await connection.close();
    throw cause;
  }

  const acknowledged: number[] = [];
  const stopping = new AbortController();
  let attempts = 0;
  let failures = 0;
  let longestGapMs = 0;
  let lastAt = performance.now();

  const noteGap = (): void => {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - lastAt);
    lastAt = now;
  };

  const write = async (): Promise<void> => {
    connection ??= await open();
    attempts += 1;
    number += 1;
    await inTime(
      connection.query('INSERT INTO app.ledger (id, at) VALUES ($1, clock_timestamp())', [number]),
    );
    acknowledged.push(number);
    noteGap();
  };

  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let pause = everyMs;
      try {
        await write();
      } catch {
        failures += 1;
        pause = retryMs;
        // Not awaited: closing a connection to a server that vanished may take minutes.
        void connection?.close();
        connection = null;
      }
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
    }
    noteGap();
    if (connection) await inTime(connection.close()).catch(() => {});
  };
  const worked = work();

  const stop = async (): Promise<WriterTotals> => {
    stopping.abort();
    await worked;
    return { acknowledged: acknowledged.length, attempts, failures, longestGapMs };
  };
  return {
    acknowledged: () => [...acknowledged],
    stop,
    verify: (reader) => missingFrom(reader, [...acknowledged]),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
