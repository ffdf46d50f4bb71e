/** Waiting for open transactions. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step, StepRun } from '../environments/environment.ts';
import { Cancelled, UpgradeError } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { DrainSpec } from '../spec/drain-schema.ts';
import { connectTo } from './connect.ts';
import { oursSql } from './read-only-sessions.ts';
import type { Run } from './target.ts';

/** Milliseconds between two looks, between two lines of progress, and until ended sessions must be gone. */
const pace = 100;
const tellEvery = 1000;
const patience = 30_000;

/** A transaction of somebody else. `age` in seconds. Never the query: it may hold secrets. */
interface Open extends Record<string, unknown> {
  pid: number;
  user: string | null;
  application: string;
  state: string | null;
  age: number;
  /** Tells the session from a later one with the same number. */
  began: string;
}

/** Walsenders, autovacuum and workers are no client backends; a session without a transaction has no xact_start. */
const openSql = `
SELECT a.pid, a.usename::pg_catalog.text AS "user", a.application_name AS application, a.state,
  extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.float8 AS age,
  a.backend_start::pg_catalog.text AS began
FROM pg_catalog.pg_stat_activity AS a
WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL AND ${oursSql} IS NOT TRUE
ORDER BY a.xact_start`;

/** For people; names are anybody's. */
function named({ pid, user, application, state, age }: Open): string {
  return `process ${pid} of ${JSON.stringify(user ?? '')} (${JSON.stringify(application)}), ${state ?? 'unknown'}, open for ${Math.round(age)} s`;
}

const transactions = (count: number): string =>
  count === 1 ? '1 transaction is' : `${count} transactions are`;

/** @throws Cancelled, UpgradeError `drain-rights`, `drain-timeout` */
export function drainStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      const { drain } = run.spec;
      if (!drain) return { state: 'done' };
      await using connection = await connectTo(run);
      await assertSeesAll(connection, step);
      const begun = performance.now();
      const left = await waitFor(connection, drain, step);
      if (left.length > drain['at-most']) {
        if (drain.then === 'give-up') throw givenUp(left, drain);
        await endAll(connection, left, step);
      }
      step.note(
        `drained in ${Math.round(performance.now() - begun)} ms: ${transactions(Math.min(left.length, drain['at-most']))} left`,
      );
      return { state: 'done' };
    },
  };
}

/** What cannot be seen must not count as drained. */
async function assertSeesAll(connection: Connection, step: StepRun): Promise<void> {
  const [row] = await connection.query<{ stats: boolean; tracked: boolean }>(
    `SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS stats,
       pg_catalog.current_setting('track_activities') = 'on' AS tracked`,
  );
  if (row?.stats !== true)
    throw new UpgradeError(
      'drain-rights',
      'The user of the connection does not see transactions of others.',
      {
        phase: 'upgrade',
        hint: 'Use a superuser, or GRANT pg_read_all_stats TO the user. The version was not changed.',
        docs: 'read-only.md#draining',
      },
    );
  if (!row.tracked)
    step.note('track_activities is off: transactions of sessions that do not track them cannot be seen');
}

/** @returns what is open in the end: no more than `at-most`, unless the time is over */
async function waitFor(connection: Connection, drain: DrainSpec, step: StepRun): Promise<Open[]> {
  const deadline = performance.now() + drain.timeout * 1000;
  let told = 0;
  for (;;) {
    if (step.signal.aborted) throw new Cancelled();
    const open = await connection.query<Open>(openSql);
    const now = performance.now();
    const [oldest] = open;
    if (open.length <= drain['at-most'] || oldest === undefined || now >= deadline) return open;
    if (now - told >= tellEvery) {
      told = now;
      step.progress(
        `${transactions(open.length)} open, at most ${drain['at-most']} may be; the oldest: ${named(oldest)}; ${Math.ceil((deadline - now) / 1000)} s left`,
      );
    }
    await sleep(Math.min(pace, Math.max(1, deadline - now)));
  }
}

function givenUp(left: readonly Open[], { timeout, 'at-most': most }: DrainSpec): UpgradeError {
  return new UpgradeError(
    'drain-timeout',
    `${transactions(left.length)} still open after ${timeout} seconds, and at most ${most} may be.`,
    {
      phase: 'upgrade',
      hint: `${listed(left)}\nEnd them, or wait until they are done, then run again. Or let the action end them: drain.then: end.`,
      docs: 'read-only.md#draining',
    },
  );
}

const mostListed = 20;

function listed(sessions: readonly Open[]): string {
  const more = sessions.length - mostListed;
  return [...sessions.slice(0, mostListed).map(named), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** Ends these sessions, and returns when they are gone. What others begin meanwhile is not waited for. */
async function endAll(connection: Connection, sessions: readonly Open[], step: StepRun): Promise<void> {
  const deadline = performance.now() + patience;
  const refused = new Set<number>();
  const values = [sessions.map(({ pid }) => pid), sessions.map(({ began }) => began)];
  const find = `FROM pg_catalog.pg_stat_activity AS a
    JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.text[])) AS e (pid, began)
      ON a.pid = e.pid AND a.backend_start::pg_catalog.text = e.began`;
  for (;;) {
    const left = await connection.query<{ pid: number }>(`SELECT a.pid ${find}`, values);
    if (left.length === 0) break;
    for (const { pid } of left)
      await connection.query('SELECT pg_catalog.pg_terminate_backend($1)', [pid]).catch((cause: unknown) => {
        if ((cause as { code?: unknown }).code !== '42501') throw cause;
        refused.add(pid);
      });
    const stuck = sessions.filter(({ pid }) => left.some((each) => each.pid === pid));
    if (stuck.every(({ pid }) => refused.has(pid)))
      throw notEnded(stuck, 'the user of the connection may not end them');
    if (performance.now() > deadline)
      throw notEnded(stuck, `they did not end within ${patience / 1000} seconds`);
    step.progress(`waiting until ${left.length} sessions have ended`);
    await sleep(pace);
  }
  for (const session of sessions) step.note(`ended: ${named(session)}`);
}

function notEnded(stuck: readonly Open[], why: string): UpgradeError {
  return new UpgradeError(
    'drain-timeout',
    `Sessions that are still in a transaction could not be ended: ${why}.`,
    {
      phase: 'upgrade',
      hint: `${listed(stuck)}\nOnly a superuser may end sessions of superusers; pg_signal_backend is enough for all others.`,
      docs: 'read-only.md#draining',
    },
  );
}
