/** One look at the observed target: what is asked is counted, and judged. */
import { Cancelled, messageOf } from '../errors.ts';
import { formatVersion } from '../postgres/version.ts';
import type { ObservedRecord, WatchRecord } from '../report/record-watch.ts';
import type { WatchSpec } from '../spec/watch-schema.ts';
import { isAsked } from './application-health.ts';
import type { Run } from './target.ts';
import {
  connectionLimit,
  count,
  errorsLimit,
  type Limit,
  type Streaks,
  streakLimit,
} from './watch-limits.ts';
import type { Looks } from './watch-look.ts';

/** Milliseconds between two tries to connect, once one has failed. */
const retryAfter = 1000;

/** A watch that goes on. */
export interface Watching {
  run: Run;
  spec: WatchSpec;
  record: WatchRecord;
  observed: ObservedRecord;
  looks: Looks;
  streaks: Streaks;
  /** @param ms milliseconds; tells how far the watch is. @throws where it is cancelled */
  wait(ms: number): Promise<void>;
}

/**
 * Opens a new connection, and looks at everything else where that is due.
 * @param final whether no attempts to connect are to come
 * @returns the first limit that is crossed
 * @throws Cancelled
 */
export async function lookOnce(watching: Watching, due: boolean, final: boolean): Promise<Limit | null> {
  const { run, spec, observed, looks, streaks } = watching;
  const at = run.context.now().toISOString();
  const wanted = formatVersion(run.wanted);
  const answer = await tryToConnect(watching);
  if (due) observed.looks += 1;
  if (typeof answer !== 'string') return answer;
  if (answer !== wanted)
    return { name: 'version', what: `PostgreSQL ${answer} serves, not ${wanted}`, since: at };
  if (due) {
    await askApplications(watching, at);
    await countErrors(watching, at);
    const log = await looks.log().catch(() => null);
    observed.log ??= log?.source ?? null;
    const [grave] = log?.grave ?? [];
    if (grave !== undefined) return { name: 'log', what: `the server's log says ${grave}`, since: at };
  }
  return (
    connectionLimit(observed, streaks, final) ??
    errorsLimit(observed, spec.errors, at) ??
    streakLimit(streaks, 'applications') ??
    streakLimit(streaks, 'errors')
  );
}

/**
 * Tries again at once where it fails: whether that was a moment or more must not wait.
 * @returns the version that serves, or the limit that was crossed on the way
 */
async function tryToConnect({ run, observed, streaks, looks, wait }: Watching): Promise<string | Limit> {
  const { connections } = observed;
  for (;;) {
    connections.attempts += 1;
    try {
      const version = await looks.connect();
      count(streaks, 'connection', null, '');
      return version;
    } catch (cause) {
      if (cause instanceof Cancelled) throw cause;
      connections.failures += 1;
      connections.last = messageOf(cause);
      count(streaks, 'connection', connections.last, run.context.now().toISOString());
      const limit = connectionLimit(observed, streaks, false);
      if (limit) return limit;
      await wait(Math.min(retryAfter, observed.everyMs));
    }
  }
}

async function askApplications({ run, record, streaks, looks }: Watching, at: string): Promise<void> {
  await Promise.all(
    run.spec.applications.filter(isAsked).map(async (application) => {
      const entry = record.applications.find(({ name }) => name === application.name);
      const { well, seen } = await looks.application(application);
      if (!entry) return;
      entry.looks += 1;
      entry.last = seen;
      if (!well) entry.failures += 1;
      // One that was broken before is looked at, and decides nothing.
      const counts = !well && entry.before !== 'unwell';
      const what = `${entry.name} does not answer at ${entry.health} (${seen})`;
      count(streaks, `applications:${entry.name}`, counts ? what : null, at);
    }),
  );
}

async function countErrors({ observed, streaks, looks }: Watching, at: string): Promise<void> {
  try {
    for (const { database, extension, errors, before } of await looks.errors()) {
      const known = observed.extensions.find(
        (each) => each.database === database && each.extension === extension,
      );
      if (known) known.most = Math.max(known.most, errors);
      else observed.extensions.push({ database, extension, before: before ?? errors, most: errors });
    }
    count(streaks, 'errors:asked', null, at);
  } catch (cause) {
    if (cause instanceof Cancelled) throw cause;
    count(streaks, 'errors:asked', `the errors of extensions cannot be counted: ${messageOf(cause)}`, at);
  }
}
