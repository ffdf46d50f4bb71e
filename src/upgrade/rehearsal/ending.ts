/** How a rehearsal ends: one sentence, and what to do next. */
import { formatVersion } from '../../postgres/version.ts';
import { formatDuration } from '../../report/format.ts';
import type { RehearsalRecord } from '../../report/record-rehearsal.ts';
import { command, type Ending } from '../finish.ts';
import type { Run } from '../target.ts';

/** From what the stages say; the record has checks and issues of the target. */
export function endingOf(run: Run, rehearsal: RehearsalRecord): Ending {
  const { spec, wanted, recorder } = run;
  const failed = rehearsal.stages.find(({ state }) => state === 'failed');
  const from = rehearsal.backup?.server ?? recorder.record.versions.from ?? '';
  const version = formatVersion(wanted);
  if (failed) {
    const [first = ''] = failed.output.at(-1)?.split('\n') ?? [];
    return {
      result: 'failed',
      verdict: `The rehearsal of ${from} to ${version} failed at "${failed.title}": ${first} The target was only read.`,
      next: failed.output.at(-1)?.split('\n').slice(1).join('\n') || command(run, 'rehearse'),
      finished: true,
    };
  }
  const { expectedDowntimeMs } = rehearsal.measures;
  const downtime =
    expectedDowntimeMs === null ? '' : ` Expected downtime: ${formatDuration(expectedDowntimeMs)}.`;
  const same = from === version;
  return {
    result: 'success',
    verdict: rehearsal.exact
      ? same
        ? `The backup of ${spec.name} was restored into PostgreSQL ${version}, which runs already.${downtime}`
        : `The upgrade of ${from} to ${version} was rehearsed on a restored copy, and it passed.${downtime}`
      : `The upgrade of ${from} was rehearsed on ${rehearsal.ranOn}, not on the wanted ${version}, and it passed there.${downtime}`,
    next: nextOf(run, same),
    finished: true,
  };
}

/** The upgrade itself, where nothing is known to stand in its way; never from a pull request. */
function nextOf(run: Run, same: boolean): string | null {
  const { recorder, context, spec } = run;
  if (same || context.onPullRequest) return null;
  const { checks, issues } = recorder.record;
  const standing = [
    ...issues.map(({ what }) => what),
    ...checks.flatMap(({ when, status, title }) =>
      when === 'before' && (status === 'blocked' || status === 'error') ? [title] : [],
    ),
  ];
  if (standing.length === 0) return command(run, 'upgrade');
  return [`An upgrade of ${spec.name} would be refused as it is now:`, ...standing].join('\n');
}
