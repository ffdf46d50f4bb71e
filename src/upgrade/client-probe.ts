/** The probe of a run: started once, measured until the end, written into the record. */
import { messageOf } from '../errors.ts';
import { type Probe, type ProbeReport, quantiles, startProbe } from '../postgres/probe.ts';
import type { DowntimeRecord, UpgradeRecord } from '../report/record.ts';
import type { Run } from './target.ts';

/** What the engine asks of the probe. */
export interface ClientProbe {
  /** Starts it and waits for a baseline; does nothing when it runs. */
  start(): Promise<void>;
  /** Stops it and writes what it saw into the record; does nothing when it never ran. */
  finish(): Promise<void>;
}

const everyMs = 5;
const baseline = 100;

/** Measuring never fails an upgrade: what could not be measured is not in the record, and the log says why. */
export function clientProbe(run: Run): ClientProbe {
  let probe: Probe | null = null;
  let tried = false;
  const quietly = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      run.context.log.info(`Downtime could not be measured: ${messageOf(cause)}`);
    }
  };
  return {
    start: () =>
      quietly(async () => {
        if (tried) return;
        tried = true;
        probe = startProbe(run.settings, everyMs);
        await probe.settle(baseline, 3000);
      }),
    finish: () =>
      quietly(async () => {
        if (!probe) return;
        const measured = probe;
        probe = null;
        await measured.settle(baseline, 3000);
        const report = await measured.stop();
        const { record } = run.recorder;
        record.downtime = downtimeOf(report, measured.startedAt, run.context.now());
        record.performance = performanceOf(report);
        run.recorder.save();
      }),
  };
}

const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

/** Pure. */
export function downtimeOf(report: ProbeReport, from: Date, to: Date): DowntimeRecord {
  // A server that never came back has been away until now.
  const open =
    report.lastSuccess !== null && report.firstFailure !== null && report.firstSuccess === null
      ? to.getTime() - report.lastSuccess
      : 0;
  return {
    longestGapMs: Math.max(report.longestGap, open),
    firstFailure: iso(report.firstFailure),
    firstSuccess: iso(report.firstSuccess),
    attempts: report.attempts,
    failures: report.failures,
    from: from.toISOString(),
    to: to.toISOString(),
    everyMs,
  };
}

/** Latency before and after in words; null where one side has too few transactions to say anything. Pure. */
export function performanceOf(report: ProbeReport): UpgradeRecord['performance'] {
  const before = quantiles(report.before);
  const after = quantiles(report.after);
  if (before.transactions < 20 || after.transactions < 20) return null;
  const slower = after.medianMs > 2 * before.medianMs && after.medianMs - before.medianMs > 1;
  return {
    before,
    after,
    assessment: slower
      ? `A transaction takes ${after.medianMs} ms in the median, and took ${before.medianMs} ms before: look at it once caches are warm.`
      : `No difference that a client would notice: ${before.medianMs} ms before and ${after.medianMs} ms after in the median.`,
  };
}
