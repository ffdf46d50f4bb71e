/** Which steps take an embedded cluster to the wanted version. Pure. */
import { UpgradeError } from '../../errors.ts';
import { formatVersion, type PgVersion } from '../../postgres/version.ts';
import { plannedCheckpoint } from '../checkpoint.ts';
import type { EnvironmentFacts, Route } from '../environment.ts';

/** @throws UpgradeError `route-major`: a new major needs dump and restore, which this kind cannot do */
export function planEmbedded(facts: EnvironmentFacts, wanted: PgVersion): Route {
  const from = formatVersion(facts.running);
  const to = formatVersion(wanted);
  if (facts.running.major !== wanted.major) {
    throw new UpgradeError(
      'route-major',
      `${from} to ${to} is a major upgrade, and an embedded cluster can only change its minor version in place.`,
      {
        phase: 'plan',
        hint: `A data directory of PostgreSQL ${facts.running.major} is not readable by ${wanted.major}. Stay on a ${facts.running.major}.x version here.`,
        docs: 'embedded.md#limits',
      },
    );
  }
  return {
    name: 'minor-in-place',
    notes: ['The data directory stays as it is: minor versions of one major read the same files.'],
    steps: [
      'backup',
      {
        id: 'preflight',
        title: `Read the configuration with ${to}`,
        does: [
          `postgres -C shared_buffers with the programs of ${to}: parses the whole configuration, starts nothing`,
        ],
        undo: null,
        breaks: null,
        risks: [
          `${to} may refuse the configuration: then the upgrade ends here, and ${from} was not stopped.`,
          `The programs of ${from}, which are the way back, may be gone: then the upgrade ends here as well.`,
        ],
        interruptible: true,
      },
      'stop-applications',
      'read-only',
      'drain',
      plannedCheckpoint,
      {
        id: 'restart',
        title: `Restart on ${to}`,
        does: [
          'CHECKPOINT',
          `pg_ctl stop -m fast (${from})`,
          `pg_ctl start (${to}) on the same data directory`,
          'wait for a real query',
        ],
        undo: `stop, and start ${from} again on the same data directory`,
        breaks: 'every session ends; new ones are refused until the new server answers',
        risks: [
          'Transactions that are open at the stop are rolled back.',
          'The stop waits for a last checkpoint, and for archiver and standbys to take the last WAL, 10 minutes at most: clients wait as long.',
          `${to} may refuse to start: then ${from} is started again on the same data.`,
          `If ${from} does not start either, nothing serves: the run ends as failed and says what to do.`,
          'The server begins with cold caches: queries are slower until they are warm.',
        ],
        interruptible: false,
      },
      'configure',
      'collations',
      'extensions',
      'validate',
      'read-write',
      'start-applications',
      'watch',
      'advice',
    ],
  };
}
