/** Observing the upgraded target: clients, applications, extensions, version and log, until the time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step, StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { compareVersions } from '../postgres/version.ts';
import { formatDuration, formatTime, plural } from '../report/format.ts';
import type { ObservedRecord, WatchRecord } from '../report/record-watch.ts';
import { milliseconds } from '../spec/duration.ts';
import type { WatchSpec } from '../spec/watch-schema.ts';
import { watchRecordOf } from './application-before.ts';
import type { Run } from './target.ts';
import { connectEvery, type Limit } from './watch-limits.ts';
import { type Looks, looksAt } from './watch-look.ts';
import { lookOnce, type Watching } from './watch-once.ts';

/** Time that passes; milliseconds that no change of the system's clock touches. */
export interface Clock {
  now(): number;
  /** @throws where the signal fires */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Milliseconds by which a timer may fire too early. */
const early = 20;
/** Milliseconds until a look beyond the end, at most. */
const lastAfter = 5000;

/** @throws UpgradeError `watch-limit`; Cancelled */
export function watchStep(
  run: Run,
  looks: (signal: AbortSignal) => Looks = (signal) => looksAt(run, signal),
  clock: Clock = realClock,
): Step {
  const { spec, journal, environment, wanted } = run;
  return {
    // Observed once to the end, and still served: there is nothing more to wait for.
    async isDone() {
      const { steps } = journal.state();
      if (steps.get('watch') !== 'done' || steps.get('validate') !== 'done') return false;
      const facts = await environment.inspect().catch(() => null);
      return facts?.serving === true && compareVersions(facts.running, wanted) === 0;
    },
    async run(step) {
      if (spec.watch) await watch(run, spec.watch, step, looks(step.signal), clock);
      return { state: 'done' };
    },
  };
}

async function watch(run: Run, spec: WatchSpec, step: StepRun, looks: Looks, clock: Clock): Promise<void> {
  const record = watchRecordOf(run);
  const observed = begin(run, spec);
  record.observed = observed;
  const end = clock.now() + observed.forMs;
  const wait = async (ms: number): Promise<void> => {
    const left = formatDuration(end - clock.now());
    step.progress(`observing: ${left} left, ${plural(observed.looks, 'look')}, ${troubles(record)}`);
    await clock.wait(ms, step.signal);
  };
  const watching: Watching = { run, spec, record, observed, looks, streaks: new Map(), wait };
  let nextLook = clock.now();
  let again = false;
  try {
    for (;;) {
      const last = clock.now() + early >= end;
      const due = last || clock.now() + early >= nextLook;
      if (due) nextLook = clock.now() + observed.everyMs;
      observed.limit = await lookOnce(watching, due, last);
      if (observed.limit) throw crossed(observed.limit);
      // What fails in the last look gets its second one.
      if (last && (again || watching.streaks.size === 0)) break;
      again = last;
      run.recorder.save();
      const now = clock.now();
      const pause = last ? lastAfter : Math.min(Math.max(nextLook - now, 0), Math.max(end - now, 0));
      await wait(Math.min(pause, connectEvery(observed)));
    }
  } finally {
    observed.to = run.context.now().toISOString();
    run.recorder.save();
  }
  step.note(`observed for ${spec.for}: ${troubles(record)}`);
}

function begin(run: Run, spec: WatchSpec): ObservedRecord {
  return {
    from: run.context.now().toISOString(),
    to: null,
    forMs: milliseconds(spec.for),
    everyMs: spec.every * 1000,
    looks: 0,
    connections: { attempts: 0, failures: 0, allowed: spec['connection-failures'], last: null },
    extensions: [],
    log: null,
    limit: null,
  };
}

/** "121 new connections, none failed; storefront answered 120 of 121 times". */
function troubles({ applications, observed }: WatchRecord): string {
  const { attempts = 0, failures = 0 } = observed?.connections ?? {};
  return [
    `${plural(attempts, 'new connection')}, ${failures === 0 ? 'none' : failures} failed`,
    ...applications
      .filter(({ looks }) => looks > 0)
      .map((each) => `${each.name} answered ${each.looks - each.failures} of ${each.looks} times`),
    ...(observed?.extensions ?? []).map(
      ({ database, extension, most }) => `${plural(most, 'error')} of ${extension} in ${database}`,
    ),
  ].join('; ');
}

function crossed({ what, since }: Limit): UpgradeError {
  return new UpgradeError(
    'watch-limit',
    `While the target was observed, a limit was crossed: ${what.replace(/\.$/, '')} (since ${formatTime(since)}).`,
    {
      phase: 'validate',
      hint: 'The record says what was seen. Look at the logs of the server and of the applications at that time.',
      docs: 'applications.md#watching',
    },
  );
}
