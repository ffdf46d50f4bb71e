/** What each of the engine's own steps can break, and what happens then. Pure; as true as the step's code. */
import type { CommonStep } from '../environments/environment.ts';
import type { TargetSpec } from '../spec/schema.ts';

/** What happens after a step that failed, behind the backup. */
export function afterFailure(spec: TargetSpec): string {
  return spec['on-failure'] === 'rollback'
    ? 'then the upgrade is taken back and the version before serves again (on-failure: rollback)'
    : 'then the run ends as failed, and the version stays as it is at that moment (on-failure: stop)';
}

/** Rebuilding an index beside the one that is in use. */
const rebuilding =
  'A rebuild loads the disks, needs room for a second copy of the index, and waits for long transactions; reads and writes go on.';

function backupRisks({ backup: { prove } }: TargetSpec): string[] {
  return [
    'The dump reads every table while clients work: disks and network are busier.',
    'It holds one snapshot until it ends: until then vacuum cannot remove rows that die meanwhile, and tables that are written to grow.',
    'It takes a shared lock on every table: DROP, TRUNCATE and most of ALTER TABLE wait until it ends. A table that somebody else locks for 30 seconds ends the dump, and the upgrade, before anything was changed.',
    'A disk may fill up: then the unfinished dump is removed and the upgrade ends before anything was changed.',
    ...(prove === 'restore'
      ? [
          'The proof starts a second server beside the target, which needs memory, CPU and disk until it is removed again.',
          'The restored copy may differ: then the upgrade ends before anything was changed.',
        ]
      : []),
    ...(prove === 'checksum' ? ['A dump that cannot be restored would not be noticed.'] : []),
    ...(prove === 'none' ? ['A dump that is damaged or cannot be restored would not be noticed.'] : []),
  ];
}

function applicationRisks(spec: TargetSpec): { stop: string[]; start: string[] } {
  const timed = spec.applications.some(({ health }) => health !== undefined);
  return {
    stop: [
      'A stop command may fail, or take more than 10 minutes: then the upgrade ends before the version is changed, and the applications are started again.',
      'The run may be killed meanwhile: then the post step, or the next run, starts the applications.',
    ],
    start: [
      `An application may not start on the new version${timed ? ', or not answer in time' : ''}: ${afterFailure(spec)}. Every other one is started all the same.`,
      ...(timed
        ? [
            'One that did not answer before the upgrade is waited for 30 seconds at most, and keeps nobody from anything.',
          ]
        : []),
    ],
  };
}

/** Sentences for the step of this id. */
export function stepRisks(
  id: Exclude<CommonStep, 'read-only' | 'read-write' | 'drain' | 'extensions' | 'watch'>,
  spec: TargetSpec,
): string[] {
  switch (id) {
    case 'backup':
      return backupRisks(spec);
    case 'stop-applications':
      return applicationRisks(spec).stop;
    case 'start-applications':
      return applicationRisks(spec).start;
    case 'configure':
      return [
        `The server may not know the setting, or something stronger may set it: ${afterFailure(spec)}.`,
        'An older server does not start while the setting stands in its files: the way back takes it out first.',
      ];
    case 'collations':
      return [
        `Only where a collation changed its version: ${rebuilding.charAt(0).toLowerCase()}${rebuilding.slice(1)} Only the index of an exclusion constraint is rebuilt with a lock, and writers of its table wait.`,
        `An index may not be rebuildable (duplicates in a unique one), or a table may be partitioned by ranges of text: ${afterFailure(spec)}.`,
      ];
    case 'advice':
      return [
        rebuilding,
        'What fails is told with its SQL and left to a person: it never takes the upgrade back.',
        'An update of an extension changes its objects and cannot be undone.',
      ];
    case 'validate':
      return [
        `A fact may differ without a reason, a check or your own health SQL may block: ${afterFailure(spec)}.`,
        ...(spec['on-failure'] === 'rollback' ? ['The way back breaks clients a second time.'] : []),
      ];
  }
}
