/**
 * Whether mode `rollback` may restore a backup: only the one of the very upgrade that is taken back, by the time that
 * the spec names, with every file as it was written. Asked before anything is changed.
 */
import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { sep } from 'node:path';
import { verifyFiles } from '../backup/manifest.ts';
import { type KeptBackup, readDump } from '../backup/read-dump.ts';
import { errorsOf, UpgradeError } from '../errors.ts';
import { formatBytes, formatDuration, plural } from '../report/format.ts';
import type { BackupRecord } from '../report/record.ts';
import { consentedSince } from '../spec/rollback-schema.ts';
import { type JournalState, readJournal } from './journal.ts';
import { writtenSince } from './restore-lost.ts';
import { restoreStep } from './restore-step-id.ts';
import type { Run } from './target.ts';

/** What is to be restored. */
export interface Restore extends KeptBackup {
  record: BackupRecord;
}

/** The sentence that allows to restore this backup. */
export function consentFor({ started }: Pick<BackupRecord, 'started'>): string {
  return `I accept losing writes since ${started}`;
}

/** Whether a journal says that this backup was restored. Pure. */
export function wasRestored(state: JournalState, { started }: Pick<BackupRecord, 'started'>): boolean {
  return state.steps.get(restoreStep) === 'done' && state.backup?.started === started;
}

/** Whether an earlier rollback, which has ended, restored this backup: a consent is good for one time. */
export async function restoredBefore(run: Run, backup: BackupRecord): Promise<boolean> {
  const archives = await run.environment.home.journal.readArchives();
  return archives.some((lines) => wasRestored(readJournal(lines), backup));
}

/**
 * @param backup of the upgrade that is taken back; null where the journal tells of none
 * @throws UpgradeError `restore-consent`, `restore-backup`
 */
export async function allowedRestore(run: Run, backup: BackupRecord | null): Promise<BackupRecord | null> {
  const consent = run.spec.rollback?.restore;
  if (consent === undefined) return null;
  if (backup === null) {
    throw new UpgradeError(
      'restore-backup',
      'The journal tells of no backup of the upgrade that would be taken back.',
      {
        phase: 'rollback',
        hint: 'Without the key rollback.restore in the spec mode: rollback goes back on the same data. To restore some other backup: docs/restore.md, by hand.',
        docs: 'restore.md#by-hand',
      },
    );
  }
  const since = consentedSince(consent);
  if (Date.parse(since) === Date.parse(backup.started)) return backup;
  const lost = await writtenSince(run, backup).catch(() => []);
  throw new UpgradeError(
    'restore-consent',
    `The spec accepts losing writes since ${since}, and the backup of the upgrade that would be taken back was begun at ${backup.started}.`,
    {
      phase: 'rollback',
      hint: [
        `Everything that was written since then (${formatDuration(run.context.now().getTime() - Date.parse(backup.started))} ago) is not in it${lost.length > 0 ? `: ${lost.join('; ')}` : ''}.`,
        `To restore it all the same, write: restore: "${consentFor(backup)}". To go back and keep every write, leave the key out.`,
      ].join('\n'),
      docs: 'restore.md#the-consent',
    },
  );
}

function unusable(what: string, hint: string): UpgradeError {
  return new UpgradeError('restore-backup', what, {
    phase: 'rollback',
    hint,
    docs: 'restore.md#when-it-stops',
  });
}

/**
 * Reads the backup, every file of it.
 * @throws UpgradeError `restore-backup`; Cancelled
 */
export async function readRestore(run: Run, record: BackupRecord): Promise<Restore> {
  const { location, host, started } = record;
  const away = `It must be in ${location} on ${host}, where it was written`;
  const there = (await stat(location).catch(() => null))?.isDirectory() === true;
  if (!there) {
    throw unusable(
      host === hostname()
        ? `The backup of ${started} is not in ${location} any more.`
        : `The backup of ${started} is on ${host}, and this job runs on ${hostname()}.`,
      host === hostname()
        ? `Bring it back to ${location} (an uploaded dump: docs/backup.md, Encryption), or leave rollback.restore out.`
        : `${away}: run the job there, or bring the folder to the same path here.`,
    );
  }
  const kept = await readDump(location, run.spec.name).catch((cause: unknown) => {
    const [error] = errorsOf(cause);
    throw unusable(
      `The backup of ${started} in ${location} cannot be read: ${error?.message}`,
      error?.hint ?? '',
    );
  });
  if (kept.dump.manifestSha256 !== record.manifestSha256) {
    throw unusable(
      `The backup in ${location} is not the one that was taken: the sum of its manifest.json is another one.`,
      'Somebody changed or exchanged it. Nothing can say what is in it.',
    );
  }
  run.context.log.progress(
    `${run.spec.name}: reading every file of the backup again (${formatBytes(record.bytes)})`,
  );
  const faults = await verifyFiles(location, kept.dump.manifest, run.context.signal);
  if (faults.length > 0) {
    throw unusable(
      `The backup in ${location} is damaged: ${faults[0]?.replaceAll(sep, '/')}.`,
      `${plural(faults.length, 'fault')}: ${faults.slice(0, 5).join('; ')}. Bring back the files as they were.`,
    );
  }
  if (record.proof.verdict === 'failed') {
    throw unusable(
      `The backup in ${location} did not pass its proof: ${record.proof.differences[0] ?? 'it differs'}.`,
      'It must not be relied on.',
    );
  }
  return { ...kept, record };
}
