/** Downtime as a client sees it. */
import { Worker } from 'node:worker_threads';
import type { ConnectionSettings } from './settings.ts';

/** What the worker is started with; `everyMs` is the pause between two transactions in milliseconds. */
export interface ProbeStart {
  settings: ConnectionSettings;
  everyMs: number;
}

/** Times are milliseconds since 1970; latencies are milliseconds. */
export interface ProbeReport {
  attempts: number;
  failures: number;
  longestGap: number;
  gapStarted: number | null;
  firstFailure: number | null;
  /** First commit after the first failure. */
  firstSuccess: number | null;
  lastSuccess: number | null;
  /** Latencies until the first failure, and after it. */
  before: number[];
  after: number[];
}

/** A running probe. */
export interface Probe {
  /** Waits until `count` transactions more were committed; gives up after `timeout` milliseconds. */
  settle(count: number, timeout: number): Promise<void>;
  stop(): Promise<ProbeReport>;
  startedAt: Date;
}

/** The worker stands beside this file in the sources, and beside the bundle in dist. */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './probe-worker.ts' : './probe-worker.js',
    import.meta.url,
  );
}

/** Milliseconds after which the worker counts as dead. */
const askPatience = 10_000;

/** Milliseconds that `stop` leaves the worker for the transaction under way. */
const stopPatience = 2000;

/** Starts committing a transaction every `everyMs` milliseconds. */
export function startProbe(settings: ConnectionSettings, everyMs = 5): Probe {
  const worker = new Worker(workerUrl(), { workerData: { settings, everyMs } satisfies ProbeStart });
  worker.unref();
  let waiting: { resolve(report: ProbeReport): void; reject(cause: Error): void } | null = null;
  let dead: Error | null = null;
  let ended = false;
  const die = (cause: Error): void => {
    dead ??= cause;
    waiting?.reject(dead);
  };
  worker.on('error', die);
  worker.on('exit', () => {
    if (!ended) die(new Error('the measuring thread ended'));
  });
  worker.on('message', (answer: { kind: 'report' | 'final'; report: ProbeReport }) => {
    ended = answer.kind === 'final';
    waiting?.resolve(answer.report);
  });
  /** Nobody may wait for a measurement for ever: the run has a server to look after. */
  const ask = async (message: 'report' | 'stop'): Promise<ProbeReport> => {
    if (dead) throw dead;
    const timer = setTimeout(() => die(new Error('the measuring thread does not answer')), askPatience);
    try {
      return await new Promise<ProbeReport>((resolve, reject) => {
        waiting = { resolve, reject };
        worker.postMessage(message);
      });
    } finally {
      clearTimeout(timer);
      waiting = null;
    }
  };
  const committed = async (): Promise<number> => {
    const report = await ask('report');
    return report.attempts - report.failures;
  };
  return {
    startedAt: new Date(),
    async settle(count, timeout) {
      const goal = (await committed()) + count;
      const deadline = Date.now() + timeout;
      while ((await committed()) < goal && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async stop() {
      worker.ref();
      const stopped = Date.now();
      // A server that hangs keeps the worker in its last transaction: what it saw until then is asked instead.
      const timer = setTimeout(() => worker.postMessage('report'), stopPatience);
      const report = await ask('stop').finally(async () => {
        clearTimeout(timer);
        await worker.terminate();
      });
      return ended ? report : leftHanging(report, stopped);
    },
  };
}

/** The last transaction never ended: it counts as a failure from the last success on. Pure. */
function leftHanging(report: ProbeReport, now: number): ProbeReport {
  const { lastSuccess } = report;
  const gap = lastSuccess === null ? 0 : now - lastSuccess;
  return {
    ...report,
    failures: report.failures + 1,
    firstFailure: report.firstFailure ?? now,
    ...(gap > report.longestGap ? { longestGap: gap, gapStarted: lastSuccess } : {}),
  };
}

/** Median and 95th percentile; zeros for no samples. */
export function quantiles(samples: readonly number[]): {
  transactions: number;
  medianMs: number;
  p95Ms: number;
} {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 1000) / 1000;
  return { transactions: sorted.length, medianMs: at(0.5), p95Ms: at(0.95) };
}
