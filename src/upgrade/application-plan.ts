/** Starting applications, and waiting for those that stayed up, as the plan shows it. Pure. */
import type { PlannedStep } from '../report/record.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { isAsked } from './application-health.ts';
import { isStopped } from './applications.ts';
import { stepRisks } from './risk-steps.ts';

/** Null where there is nothing to start and nobody to wait for. */
export function plannedStart(spec: TargetSpec): PlannedStep | null {
  const stopped = spec.applications.filter(isStopped);
  const watched = spec.applications.filter((each) => !isStopped(each)).filter(isAsked);
  if (stopped.length + watched.length === 0) return null;
  const names = (list: readonly { name: string }[]): string => list.map(({ name }) => name).join(', ');
  const parts = [
    ...(stopped.length > 0 ? [`start ${names(stopped)}`] : []),
    ...(watched.length > 0 ? [`wait for ${names(watched)}`] : []),
  ].join(', ');
  return {
    id: 'start-applications',
    title: parts.charAt(0).toUpperCase() + parts.slice(1),
    does: [
      ...stopped.flatMap(({ start, health }) => [
        start.join(' '),
        ...(health ? [`GET ${health} until it answers`] : []),
      ]),
      ...watched.map(({ health }) => `GET ${health} until it answers`),
    ],
    undo: null,
    breaks: null,
    risks: stepRisks('start-applications', spec),
    interruptible: false,
  };
}
