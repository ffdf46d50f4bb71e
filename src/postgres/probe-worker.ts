/**
 * The probe's own thread: a client that commits a real transaction every few milliseconds and reconnects as soon
 * as it can. A thread, so that work in the main one is not taken for downtime of the server.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Connection, connect } from './connection.ts';
import type { ProbeReport, ProbeStart } from './probe.ts';

const { settings, everyMs } = workerData as ProbeStart;
const most = 50_000;

let attempts = 0;
let failures = 0;
let longestGap = 0;
let gapStarted: number | null = null;
let firstFailure: number | null = null;
let firstSuccess: number | null = null;
let lastSuccess: number | null = null;
let stopping = false;
const before: number[] = [];
const after: number[] = [];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An id of its own makes it a writing transaction, with a commit record in the WAL, without touching a table. */
async function transact(connection: Connection): Promise<void> {
  await connection.script('BEGIN; SELECT pg_catalog.pg_current_xact_id(); COMMIT');
}

function succeeded(took: number): void {
  const now = Date.now();
  if (lastSuccess !== null && now - lastSuccess > longestGap) {
    longestGap = now - lastSuccess;
    gapStarted = lastSuccess;
  }
  if (firstFailure !== null && firstSuccess === null) firstSuccess = now;
  lastSuccess = now;
  const list = firstFailure === null ? before : after;
  if (list.length < most) list.push(took);
}

function report(): ProbeReport {
  return {
    attempts,
    failures,
    longestGap,
    gapStarted,
    firstFailure,
    firstSuccess,
    lastSuccess,
    before,
    after,
  };
}

async function loop(): Promise<void> {
  let connection: Connection | null = null;
  while (!stopping) {
    const begun = performance.now();
    attempts += 1;
    try {
      connection ??= await connect(settings, {
        name: 'postgres-upgrade probe',
        timeout: 2000,
        statementTimeout: 5000,
      });
      await transact(connection);
      succeeded(performance.now() - begun);
    } catch {
      failures += 1;
      firstFailure ??= Date.now();
      await connection?.close();
      connection = null;
    }
    const rest = everyMs - (performance.now() - begun);
    if (rest > 0) await pause(rest);
  }
  await connection?.close();
}

parentPort?.on('message', (message: 'report' | 'stop') => {
  if (message === 'stop') stopping = true;
  else parentPort?.postMessage({ kind: 'report', report: report() });
});
await loop();
parentPort?.postMessage({ kind: 'final', report: report() });
parentPort?.close();
