/** Reads a backup from its folder again: one that this or an earlier run took. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { type Snapshot, snapshotSchema } from '../report/snapshot.ts';
import { type Dump, inventoryName, snapshotName } from './dump.ts';
import { manifestName, readManifest } from './manifest.ts';

/** A backup, and what the source was like right before it; null where the backup is older than such snapshots. */
export interface KeptBackup {
  dump: Dump;
  snapshot: Snapshot | null;
}

async function isBackup(folder: string): Promise<boolean> {
  return (await stat(join(folder, manifestName)).catch(() => null))?.isFile() === true;
}

/**
 * The folder of a backup: this one, or the newest finished backup of a target below it.
 * @throws UpgradeError `backup-missing`
 */
export async function findBackup(folder: string, target: string): Promise<string> {
  if (await isBackup(folder)) return folder;
  const found: { path: string; created: string }[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (!(await isBackup(path))) continue;
    const manifest = await readManifest(path).catch(() => null);
    if (manifest?.target === target) found.push({ path, created: manifest.created });
  }
  const newest = found.sort((a, b) => (a.created < b.created ? 1 : -1))[0];
  if (newest) return newest.path;
  throw new UpgradeError('backup-missing', `There is no finished backup of ${target} in ${folder}.`, {
    phase: 'backup',
    hint: 'Name the folder of a backup, or a folder that holds some; or take one: from: fresh.',
    docs: 'rehearsals.md#which-backup',
  });
}

/**
 * Reads what a backup says of itself. Its files are not verified here.
 * @throws UpgradeError `backup-manifest`, `backup-other-target`
 */
export async function readDump(folder: string, target: string): Promise<KeptBackup> {
  const manifest = await readManifest(folder);
  if (manifest.target !== target) {
    throw new UpgradeError(
      'backup-other-target',
      `The backup in ${folder} is one of ${manifest.target}, not of ${target}.`,
      {
        phase: 'backup',
        hint: 'Name a backup of this target.',
      },
    );
  }
  const text = await readFile(join(folder, manifestName), 'utf8');
  try {
    const described = JSON.parse(await readFile(join(folder, inventoryName), 'utf8')) as Omit<
      Dump,
      'folder' | 'manifest' | 'manifestSha256' | 'finished'
    >;
    const snapshot = await readFile(join(folder, snapshotName), 'utf8').catch(() => null);
    return {
      dump: {
        ...described,
        folder,
        manifest,
        manifestSha256: createHash('sha256').update(text).digest('hex'),
        // The manifest is written last.
        finished: (await stat(join(folder, manifestName))).mtime.toISOString(),
      },
      snapshot: snapshot === null ? null : snapshotSchema.parse(JSON.parse(snapshot)),
    };
  } catch (cause) {
    throw new UpgradeError('backup-manifest', `${folder} does not say what is in it.`, {
      phase: 'backup',
      hint: `Its ${inventoryName} or ${snapshotName} cannot be read. Take a new backup.`,
      cause,
    });
  }
}
