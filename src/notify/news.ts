/** What a channel is told: the same facts in every format. Pure. */
import { formatDuration } from '../report/format.ts';
import type { Gate, Mode, Result, UpgradeRecord } from '../report/record.ts';

/** When a channel is told. */
export type Moment = 'start' | 'pause' | 'end';

/** One piece of news about one target. Durations are milliseconds, versions PostgreSQL's own. */
export interface News {
  /** Unique for a run, target and moment: the post step tells the end of a killed run under the same one. */
  id: string;
  moment: Moment;
  /** ISO 8601, UTC. */
  time: string;
  /** Address of the repository; of the machine outside GitHub. */
  source: string;
  target: string;
  environment: string;
  mode: Mode;
  from: string | null;
  wanted: string;
  /** What serves now; null where nothing does, and before that was asked. */
  now: string | null;
  /** Null at the start. */
  result: Result | null;
  /** One sentence: what happened, or what begins. */
  verdict: string;
  state: string | null;
  next: string | null;
  downtimeMs: number | null;
  planDigest: string | null;
  /** Of the workflow run; null outside GitHub. */
  url: string | null;
  actor: string;
  overrides: { gate: Gate; by: string; what: string }[];
}

/** @param actor who started the run */
export function newsOf(record: UpgradeRecord, moment: Moment, actor: string, time: Date): News {
  const { target, mode, versions, run, plan } = record;
  const start = moment === 'start';
  return {
    id: `${record.id}/${moment}`,
    moment,
    time: time.toISOString(),
    source: run ? run.url.replace(/\/actions\/runs\/.*$/, '') : `//${encodeURIComponent(record.host)}`,
    target: target.name,
    environment: target.environment,
    mode,
    from: versions.from,
    wanted: versions.wanted,
    now: start ? versions.from : versions.now,
    result: start ? null : record.result,
    verdict: start ? beginning(record) : record.verdict,
    state: start ? null : record.state,
    next: start ? null : record.next,
    downtimeMs: record.downtime?.longestGapMs ?? null,
    planDigest: plan?.digest ?? null,
    url: run?.url ?? null,
    actor,
    overrides: record.overrides,
  };
}

function beginning({ mode, target, versions }: UpgradeRecord): string {
  const what = {
    upgrade: 'Upgrade',
    resume: 'Resumed upgrade',
    rollback: 'Rollback',
    plan: 'Plan',
    check: 'Check',
    rehearse: 'Rehearsal',
  }[mode];
  const from = versions.from === null ? '' : ` from PostgreSQL ${versions.from}`;
  return `${what} of ${target.name}${from} to ${versions.wanted} starts.`;
}

/** The sentence of the communication log. */
export function headline({ result, verdict }: News): string {
  return result === null ? verdict : `${result}: ${verdict}`;
}

/** Lines for people, below the headline. */
export function detailsOf(news: News): string[] {
  const { state, next, downtimeMs, actor, overrides } = news;
  return [
    ...(state === null ? [] : [state]),
    ...(downtimeMs === null ? [] : [`Longest time without a commit: ${formatDuration(downtimeMs)}.`]),
    ...(next === null ? [] : [`Next: ${next}`]),
    ...overrides.map(({ gate, by, what }) => `Override of ${gate} by ${by}: ${what}`),
    `Started by ${actor}.`,
  ];
}
