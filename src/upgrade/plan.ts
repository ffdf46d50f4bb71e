/** From spec and facts to a plan. Pure: no clock, no network. */
import type { CommonStep, EnvironmentFacts, Route } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { compareVersions, formatVersion, type PgVersion } from '../postgres/version.ts';
import { findAdvice } from '../releases/advice-catalogue.ts';
import { assertUsableTarget } from '../releases/releases.ts';
import type { PlannedStep, PlanRecord } from '../report/record.ts';
import type { AdviceRecord, ReleaseRecord } from '../report/record-release.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { byWhom } from './advice-words.ts';
import { plannedStart } from './application-plan.ts';
import { isStopped } from './applications.ts';
import { digestOf, flatten } from './digest.ts';
import { expectedDowntime } from './downtime.ts';
import { plannedDrain } from './drain-plan.ts';
import { plannedExtensions } from './extensions-plan.ts';
import { neededSettings, setList } from './needed-settings.ts';
import { plannedReadOnly, plannedReadWrite } from './read-only-plan.ts';
import { type Change, riskOf } from './risk.ts';
import { stepRisks } from './risk-steps.ts';
import { plannedWatch } from './watch-plan.ts';

/** What the engine's own steps look like in a plan; null where spec and advice give them nothing to do. */
export function commonStep(
  id: CommonStep,
  spec: TargetSpec,
  advice: readonly AdviceRecord[] = [],
): PlannedStep | null {
  const stopped = spec.applications.filter(isStopped);
  const names = stopped.map(({ name }) => name).join(', ');
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
        risks: stepRisks(id, spec),
        interruptible: true,
      };
    case 'stop-applications':
      return stopped.length === 0
        ? null
        : {
            id,
            title: `Stop ${names}`,
            does: stopped.map(({ stop }) => stop.join(' ')),
            undo: 'start them again',
            breaks: `${names} serves nobody until the end`,
            risks: stepRisks(id, spec),
            interruptible: true,
          };
    case 'start-applications':
      return plannedStart(spec);
    case 'configure': {
      const settings = neededSettings(advice);
      const named = settings.map(({ name }) => name).join(', ');
      return spec.advice === 'report' || settings.length === 0
        ? null
        : {
            id,
            title: `Set ${named}`,
            does: [...settings.map(setList), 'pg_reload_conf(), and a look whether a new session sees it'],
            undo: `ALTER SYSTEM RESET ${named}, before the older version is started: it would refuse to start`,
            breaks: null,
            risks: stepRisks(id, spec),
            interruptible: false,
          };
    }
    case 'collations':
      return spec.advice === 'report'
        ? null
        : {
            id,
            title: 'Rebuild what sorts text, where text sorts differently now',
            does: [
              'REINDEX INDEX CONCURRENTLY of every index that depends on a collation whose version changed',
              'ALTER COLLATION ... REFRESH VERSION and ALTER DATABASE ... REFRESH COLLATION VERSION, after them',
            ],
            undo: 'the same again for the older library, once the older version serves',
            breaks: null,
            risks: stepRisks(id, spec),
            interruptible: true,
          };
    case 'advice':
      return spec.advice === 'report'
        ? null
        : {
            id,
            title: 'Carry out release advice',
            does: [
              ...byWhom(advice, 'action')
                .filter(({ id: each }) => !neededSettings(advice).some((setting) => setting.id === each))
                .map(({ id: each, todo }) => `${each}: ${todo}`),
              'ALTER EXTENSION ... UPDATE where the files of the new server offer a newer version',
            ],
            undo: null,
            breaks: null,
            risks: stepRisks(id, spec),
            interruptible: true,
          };
    case 'read-only':
      return plannedReadOnly(spec);
    case 'read-write':
      return plannedReadWrite(spec);
    case 'drain':
      return plannedDrain(spec);
    case 'extensions':
      return plannedExtensions(spec);
    case 'watch':
      return plannedWatch(spec);
    case 'validate':
      return {
        id,
        title: 'Validate',
        does: ['version by a real query', 'facts compared with those from before', 'every check again'],
        undo: null,
        breaks: null,
        risks: stepRisks(id, spec),
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
  advice: readonly AdviceRecord[] = [],
  known: ReleaseRecord | null = null,
  distribution?: Change['distribution'],
): PlanRecord {
  assertNoDowngrade(facts.running, wanted);
  const release = assertUsableTarget(wanted);
  const route = planRoute(facts, wanted);
  const steps = route.steps
    .map((step) => (typeof step === 'string' ? commonStep(step, spec, advice) : step))
    .filter((step): step is PlannedStep => step !== null);
  const notes = [...route.notes];
  if (release.caution) notes.push(`PostgreSQL ${release.version}: ${release.caution}.`);
  for (const { version, why, link } of known?.mustRead ?? [])
    notes.push(`A person must read the notes of ${version}: ${why}. ${link}`);
  for (const { title, todo, state, timing } of advice)
    if (state === 'applies' && timing !== 'after') notes.push(`${title}: ${todo}`);
  const left = byWhom(advice, 'person').filter(({ timing }) => timing === 'after');
  if (left.length > 0)
    notes.push(`What a person has to mend after the upgrade: ${left.map(({ title }) => title).join('; ')}.`);
  if (spec.backup.prove !== 'restore')
    notes.push(`The backup will not be proved by a restore (backup.prove: ${spec.backup.prove}).`);
  if (spec.pause !== 'none' && route.name === 'minor-in-place') {
    notes.push(
      `pause: ${spec.pause} has no effect here: the target has one member, and nothing to pause between.`,
    );
  }
  const from = formatVersion(facts.running);
  const decision = flatten({
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
    ...(spec['read-only'] ? { readOnly: spec['read-only'] } : {}),
    ...(spec.drain ? { drain: spec.drain } : {}),
    ...(Object.keys(spec.extensions).length > 0 ? { extensions: spec.extensions } : {}),
    ...(spec.watch ? { watch: spec.watch } : {}),
    // A check that blocked the plan must not be switched off behind the back of whoever approved it.
    checksDisabled: spec.checks.disable.toSorted(),
    advice: {
      by: spec.advice,
      // A standby that reconnects is nobody's decision.
      applies: advice
        .filter(({ id, state }) => state === 'applies' && findAdvice(id)?.momentary !== true)
        .map(({ id }) => id),
    },
  });
  return {
    digest: digestOf(decision),
    decision,
    route: route.name,
    from,
    wanted: formatVersion(wanted),
    steps,
    notes,
    risk: riskOf({ from: facts.running, wanted, ...(distribution ? { distribution } : {}) }),
    downtime: expectedDowntime({ from, wanted: formatVersion(wanted), steps }),
  };
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
