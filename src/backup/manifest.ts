/** A list of a backup's files with their sizes and sha256 sums: what changed on disk since is seen before a restore. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UpgradeError } from '../errors.ts';

/** One file: path relative to the backup, size in bytes, sha256 in hexadecimal. */
interface ManifestFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** The list itself. `created` is ISO 8601, `server` and `clients` are versions. */
export interface Manifest {
  version: 1;
  target: string;
  created: string;
  server: string;
  clients: string;
  keepDays: number;
  files: ManifestFile[];
}

/** Its file name, at the top of the backup. */
export const manifestName = 'manifest.json';

/** sha256 of a file, in hexadecimal; reads it as a stream. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== manifestName)
    .sort();
}

/** Lists a folder's files as they are now. */
export async function listFiles(folder: string, signal?: AbortSignal): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of await filesBelow(folder)) {
    const full = join(folder, path);
    files.push({ path, bytes: (await stat(full)).size, sha256: await sha256Of(full, signal) });
  }
  return files;
}

/** Writes the manifest. @returns sha256 of the manifest itself: it names the backup for good */
export async function writeManifest(folder: string, manifest: Manifest): Promise<string> {
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  await writeFile(join(folder, manifestName), text, { mode: 0o600 });
  return createHash('sha256').update(text).digest('hex');
}

/** @throws UpgradeError `backup-manifest` */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => '');
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.version === 1 && Array.isArray(manifest.files)) return manifest;
  } catch {
    // Falls through to the one error below: unreadable and absent are the same to the reader.
  }
  throw new UpgradeError('backup-manifest', `${folder} holds no readable ${manifestName}.`, {
    phase: 'prove',
    hint: 'It is not a backup of this action, or its dump never finished. Take a new one.',
  });
}

/** What is wrong with the files of a backup; empty for nothing. */
export async function verifyFiles(
  folder: string,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<string[]> {
  const now = new Map((await listFiles(folder, signal)).map((file) => [file.path, file]));
  const faults: string[] = [];
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = now.get(path);
    if (!file) faults.push(`${path} is missing`);
    else if (file.bytes !== bytes) faults.push(`${path} has ${file.bytes} bytes instead of ${bytes}`);
    else if (file.sha256 !== sha256) faults.push(`${path} was changed: its sha256 is another one`);
  }
  return faults;
}
