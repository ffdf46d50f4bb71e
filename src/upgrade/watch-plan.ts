/** Observing the upgraded target, as the plan shows it. Pure. */
import type { PlannedStep } from '../report/record.ts';
import { percent } from '../report/watch-words.ts';
import { durationWords } from '../spec/duration.ts';
import type { TargetSpec } from '../spec/schema.ts';
import type { WatchSpec } from '../spec/watch-schema.ts';
import { isAsked } from './application-health.ts';
import { afterFailure } from './risk-steps.ts';
import { connectEvery } from './watch-limits.ts';

/** Null where the spec does not ask for it. */
export function plannedWatch(spec: TargetSpec): PlannedStep | null {
  const { watch } = spec;
  return watch === undefined
    ? null
    : {
        id: 'watch',
        title: `Observe for ${durationWords(watch.for)}`,
        does: does(spec, watch),
        undo: null,
        breaks: null,
        risks: risks(spec, watch),
        interruptible: true,
      };
}

function does(spec: TargetSpec, watch: WatchSpec): string[] {
  const counted = Object.entries(spec.extensions).filter(([, each]) => each['errors-sql'] !== undefined);
  return [
    `a new connection every ${connectEvery({ everyMs: watch.every * 1000 }) / 1000} s: at most ${percent(watch['connection-failures'])} may fail, and no three one after the other`,
    `the version that serves: ${spec.postgres}`,
    ...spec.applications
      .filter(isAsked)
      .map(({ health }) => `GET ${health} every ${watch.every} s: no two failures one after the other`),
    ...counted.map(
      ([name]) => `errors-sql of ${name} every ${watch.every} s: at most ${watch.errors} more than before`,
    ),
    "the server's log, where it can be read: no PANIC, no FATAL that tells of damage",
  ];
}

function risks(spec: TargetSpec, watch: WatchSpec): string[] {
  return [
    `A limit may be crossed: ${afterFailure(spec)}.`,
    ...(spec['on-failure'] === 'rollback'
      ? ['The way back breaks clients a second time; what they have written meanwhile stays.']
      : []),
    `The run takes ${durationWords(watch.for)} longer: the job's timeout must have room for it.`,
    'A run that is cancelled meanwhile leaves the new version, which was found good; a killed one does too.',
    ...(spec.applications.some(isAsked)
      ? ['An application that did not answer before the upgrade does not count.']
      : []),
  ];
}
