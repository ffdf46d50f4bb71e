/** What a restore adds to the plan of a rollback. Pure. */
import { formatBytes, formatTime } from '../report/format.ts';
import type { BackupRecord, PlannedStep, PlanRecord } from '../report/record.ts';
import type { Names } from './restore-names.ts';

/** What the words are made of. */
export interface RestoreWords {
  backup: Pick<BackupRecord, 'started' | 'location' | 'databases'>;
  names: readonly Names[];
  /** Applications that will be stopped. */
  applications: readonly string[];
  /** Sentences about what would be lost, as far as anybody knows. */
  lost: readonly string[];
  /** Sentences about what is in the backup and is not restored. */
  left: readonly string[];
}

/** First of all: what applications would write from now on would be lost with the rest. */
export function stopPlan({ applications }: Pick<RestoreWords, 'applications'>): PlannedStep {
  return {
    id: 'stop-applications',
    title: 'Stop the applications',
    does: applications.map((name) => `run the stop command of ${name}`),
    undo: null,
    breaks: 'the applications are away until the restored databases are in place',
    risks: [
      'A stop command may fail: then the rollback ends before anything was restored, and the applications are started again.',
    ],
    interruptible: false,
  };
}

/** The restore itself, the look at it, and the start of the applications. */
export function restorePlan(words: RestoreWords): PlannedStep[] {
  const { backup, names, applications } = words;
  const since = formatTime(backup.started);
  const size = (name: string): string =>
    formatBytes(backup.databases.find((each) => each.name === name)?.sourceBytes ?? 0);
  return [
    {
      id: 'restore',
      title: `Restore the backup of ${since}`,
      does: [
        ...names.map(
          ({ database, copy }) =>
            `pg_restore of ${database} (${size(database)} at that time) from ${backup.location} into the new database ${copy}, ANALYZE, and a comparison with what the backup says`,
        ),
        'only when all of them are equal: end every session in the present databases, and in one transaction',
        ...names.map(
          ({ database, copy, kept }) =>
            `ALTER DATABASE ${database} RENAME TO ${kept}; ALTER DATABASE ${copy} RENAME TO ${database}`,
        ),
      ],
      undo: null,
      breaks: `every session in ${names.map(({ database }) => database).join(', ')} ends; then everything in them is as it was at ${since}`,
      risks: [
        `Everything that was written since ${since}, and what is still written until the exchange, is not in the restored databases. It stays in the old ones, which are kept and accept no connections.`,
        'Several databases were dumped one after the other: each is as it was at a moment of its own.',
        'A copy may not restore, or differ from the backup: then it is dropped, and the present databases go on serving as they are.',
        'The disks hold every database twice until somebody drops the old ones, and WAL, archive and standbys get as much to write.',
        'What was kept outside (caches, queues, other databases) may know of rows that are gone.',
      ],
      interruptible: true,
    },
    {
      id: 'validate-restored',
      title: 'Validate what was restored',
      does: ['the version that serves', 'every check', 'your own health SQL'],
      undo: null,
      breaks: null,
      risks: [
        'Where a check blocks, the run ends as failed, and the restored databases stay in their places.',
      ],
      interruptible: true,
    },
    ...(applications.length > 0
      ? [
          {
            id: 'start-applications',
            title: 'Start the applications',
            does: applications.map((name) => `run the start command of ${name}`),
            undo: null,
            breaks: null,
            risks: [
              'An application may not start: then the run ends as failed, and every other one is started.',
            ],
            interruptible: false,
          },
        ]
      : []),
  ];
}

/** What the reader should know before. */
export function restoreNotes({ backup, names, applications, lost, left }: RestoreWords): string[] {
  return [
    `The data does not stay as it is: ${names.map(({ database }) => database).join(', ')} will be as in the backup of ${formatTime(backup.started)}, and what was written since is lost to them. rollback.restore in the spec accepts that.`,
    ...lost.map((each) => `${each}.`),
    ...(applications.length > 0
      ? []
      : [
          'No application is stopped (the spec names none): what clients write until the exchange is lost too.',
        ]),
    'Databases that were made since the backup, roles, and settings of the server stay as they are.',
    ...left,
  ];
}

/**
 * @param back the risk of going back to the older version; null where that one serves already
 */
export function restoreRisk(
  back: PlanRecord['risk'] | null,
  version: string,
  started: string,
): PlanRecord['risk'] {
  const lost = `What was written since ${formatTime(started)} is lost to the restored databases; the old ones are kept.`;
  if (back === null) return { class: 'minor', reasons: [lost, `PostgreSQL ${version} stays as it is.`] };
  // True of the version alone.
  const reasons = back.reasons.map((reason) =>
    reason.replace(', and nothing that was written since is lost', ''),
  );
  return { class: back.class, reasons: [lost, ...reasons] };
}
