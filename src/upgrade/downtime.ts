/** How long clients are expected to wait, and who measured it. Pure; never part of the digest. */
import { formatTime } from '../report/format.ts';
import type { PlanRecord, UpgradeRecord } from '../report/record.ts';
import type { Rehearsed } from '../report/record-rehearsal.ts';

/** What is known of it. */
export interface Measured {
  /** The newest rehearsal of the same versions; null for none. */
  rehearsed?: Rehearsed | null;
  /** Record of the last upgrade of the same target; null for none. */
  last?: UpgradeRecord | null;
}

/** Where nobody knows. */
const unknown = 'nobody measured it yet, mode rehearse does';

/** In milliseconds; 0 where nothing breaks, null where nobody measured it. */
export function expectedDowntime(
  plan: Pick<PlanRecord, 'from' | 'wanted' | 'steps'>,
  { rehearsed = null, last = null }: Measured = {},
): PlanRecord['downtime'] {
  if (plan.from === plan.wanted)
    return { expectedMs: 0, basis: 'the version runs already: nothing is stopped' };
  if (plan.steps.every(({ breaks }) => breaks === null))
    return { expectedMs: 0, basis: 'no step breaks anything for clients' };
  const { expectedMs, basis } = measured(rehearsed, last);
  return { expectedMs, basis: basis + applicationsToo(plan.steps) };
}

function measured(rehearsed: Rehearsed | null, last: UpgradeRecord | null): PlanRecord['downtime'] {
  if (rehearsed?.passed && rehearsed.expectedDowntimeMs !== null)
    return {
      expectedMs: rehearsed.expectedDowntimeMs,
      basis: `measured by the rehearsal of ${formatTime(rehearsed.at)}${rehearsed.exact ? '' : ', which ran on the nearest version'}`,
    };
  if (last?.result === 'success' && last.downtime)
    return {
      expectedMs: last.downtime.longestGapMs,
      basis: `what clients saw of the upgrade ${last.versions.from ?? 'before'} → ${last.versions.wanted} of ${formatTime(last.started)}; this one was not rehearsed`,
    };
  if (rehearsed && !rehearsed.passed)
    return {
      expectedMs: null,
      basis: `the rehearsal of ${formatTime(rehearsed.at)} did not pass, so its measure does not count`,
    };
  return { expectedMs: null, basis: unknown };
}

/** Applications are off for longer than the database. */
function applicationsToo(steps: PlanRecord['steps']): string {
  const at = (id: string): number => steps.findIndex((step) => step.id === id) + 1;
  const [stop, start] = [at('stop-applications'), at('start-applications')];
  if (stop === 0) return '';
  return start === 0
    ? `. The applications are off longer: from step ${stop} on`
    : `. The applications are off longer: from step ${stop} to step ${start}`;
}
