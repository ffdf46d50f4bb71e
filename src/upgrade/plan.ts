/** From spec and facts to a plan. Pure: no clock, no network. */
import type { CommonStep, EnvironmentFacts, Route } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { compareVersions, formatVersion, type PgVersion } from '../postgres/version.ts';
import { assertUsableTarget } from '../releases/releases.ts';
import type { PlannedStep, PlanRecord } from '../report/record.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { digestOf } from './digest.ts';

/** What the engine's own steps look like in a plan; null where the spec gives them nothing to do. */
export function commonStep(id: CommonStep, spec: TargetSpec): PlannedStep | null {
  const names = spec.applications.map(({ name }) => name).join(', ');
  switch (id) {
    case 'backup':
      return {
        id,
        title: spec.backup.prove === 'restore' ? 'Back up and prove it' : 'Back up',
        does: [
          'pg_dumpall --globals-only, pg_dump of every database under an exported snapshot, a list of files with their sha256',
          ...(spec.backup.prove === 'restore'
            ? [
                'pg_restore --exit-on-error into a scratch server of the wanted version, compared object by object and row by row',
              ]
            : []),
          ...(spec.backup.prove === 'checksum'
            ? ['every file read again and compared with its sha256; not restored']
            : []),
          ...(spec.backup.prove === 'none' ? ['the backup is not looked at again'] : []),
        ],
        undo: null,
        breaks: null,
        interruptible: true,
      };
    case 'stop-applications':
      return spec.applications.length === 0
        ? null
        : {
            id,
            title: `Stop ${names}`,
            does: spec.applications.map(({ stop }) => stop.join(' ')),
            undo: 'start them again',
            breaks: `${names} serves nobody until the end`,
            interruptible: true,
          };
    case 'start-applications':
      return spec.applications.length === 0
        ? null
        : {
            id,
            title: `Start ${names}`,
            does: spec.applications.flatMap(({ start, health }) => [
              start.join(' '),
              ...(health ? [`GET ${health} until it answers`] : []),
            ]),
            undo: null,
            breaks: null,
            interruptible: false,
          };
    case 'validate':
      return {
        id,
        title: 'Validate',
        does: ['version by a real query', 'facts compared with those from before', 'every check again'],
        undo: null,
        breaks: null,
        interruptible: true,
      };
  }
}

/**
 * @throws UpgradeError `downgrade`, `version-unknown`, `version-avoid`, and what the environment's planner throws
 */
export function makePlan(
  spec: TargetSpec,
  facts: EnvironmentFacts,
  wanted: PgVersion,
  systemIdentifier: string | null,
  planRoute: (facts: EnvironmentFacts, wanted: PgVersion) => Route,
): PlanRecord {
  assertNoDowngrade(facts.running, wanted);
  const release = assertUsableTarget(wanted);
  const route = planRoute(facts, wanted);
  const steps = route.steps
    .map((step) => (typeof step === 'string' ? commonStep(step, spec) : step))
    .filter((step): step is PlannedStep => step !== null);
  const notes = [...route.notes];
  if (release.caution) notes.push(`PostgreSQL ${release.version}: ${release.caution}.`);
  if (release.inferred)
    notes.push(
      `PostgreSQL ${release.version} is known from its sister releases only: read its release notes.`,
    );
  if (spec.backup.prove !== 'restore')
    notes.push(`The backup will not be proved by a restore (backup.prove: ${spec.backup.prove}).`);
  if (spec.pause !== 'none' && route.name === 'minor-in-place') {
    notes.push(
      `pause: ${spec.pause} has no effect here: the target has one member, and nothing to pause between.`,
    );
  }
  const from = formatVersion(facts.running);
  const digest = digestOf({
    target: spec.name,
    environment: spec.environment,
    systemIdentifier,
    details: facts.details,
    from,
    wanted: formatVersion(wanted),
    route: route.name,
    steps: steps.map(({ id, does, undo }) => ({ id, does, undo })),
    prove: spec.backup.prove,
    onFailure: spec['on-failure'],
    pause: spec.pause,
    applications: spec.applications,
  });
  return { digest, route: route.name, from, wanted: formatVersion(wanted), steps, notes };
}

/** @throws UpgradeError `downgrade` */
export function assertNoDowngrade(running: PgVersion, wanted: PgVersion): void {
  if (compareVersions(wanted, running) >= 0) return;
  throw new UpgradeError(
    'downgrade',
    `The target runs ${formatVersion(running)}, and the spec asks for ${formatVersion(wanted)}: that is a downgrade.`,
    {
      phase: 'plan',
      hint: 'Correct the version in the spec. To go back after an upgrade by this action, use mode: rollback.',
    },
  );
}
