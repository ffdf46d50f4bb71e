/** Reads a backup from its folder again: one that this or an earlier run took. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UpgradeError } from '../errors.ts';
import { type Snapshot, snapshotSchema } from '../report/snapshot.ts';
import { type Dump, inventoryName, snapshotName } from './dump.ts';
import { manifestName, readManifest } from './manifest.ts';

/** A backup, and what the source was like right before it; null where the backup is older than such snapshots. */
export interface KeptBackup {
  dump: Dump;
  snapshot: Snapshot | null;
}

const count = z.int().min(0);
const text = z.string();
const position = z.object({ value: z.string().regex(/^-?\d+$/), called: z.boolean() });

/** inventory.json: what comes from outside becomes paths, settings and arguments, so its form is checked. */
const describedSchema = z.object({
  superuser: text.min(1),
  closed: z.array(text),
  encoding: z.string().regex(/^\w+$/),
  // Names of libraries in the server's own folder; any other path would load any file of this machine.
  preload: z.string().regex(/^(?:\s*"?(?:\$libdir\/(?:plugins\/)?)?[\w.-]+"?\s*(?:,|$))*$/),
  databases: z.array(
    z.object({
      name: text.min(1),
      folder: z.string().regex(/^db-\d{1,5}$/),
      template: z.boolean(),
      bytes: count,
      sourceBytes: count,
      durationMs: count,
      inventory: z.object({
        tables: z.record(text, z.object({ rows: text, fingerprint: text })),
        sequences: z.record(text, position),
        largeObjects: z.object({ count, fingerprint: text }),
        objects: z.record(text, text),
        notCompared: z.array(text),
      }),
      sequencesAfter: z.record(text, position),
    }),
  ),
  cluster: z.record(text, text),
  started: z.iso.datetime(),
});

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
    const described = describedSchema.parse(JSON.parse(await readFile(join(folder, inventoryName), 'utf8')));
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
