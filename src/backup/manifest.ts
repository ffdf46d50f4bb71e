/** A list of a backup's files with their sizes and sha256 sums: what changed on disk since is seen before a restore. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { UpgradeError } from '../errors.ts';

const version = z.string().regex(/^\d{1,2}(\.\d{1,3}){1,2}$/);

/** Paths are relative to the backup, and stay below it; sizes are bytes. */
const manifestSchema = z.object({
  version: z.literal(1),
  target: z.string().regex(/^[a-z0-9-]{1,63}$/),
  created: z.iso.datetime(),
  server: version,
  clients: version,
  keepDays: z.int().min(1),
  files: z.array(
    z.object({
      path: z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[^\0]+$/),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** The list itself. `created` is ISO 8601, `server` and `clients` are versions, `sha256` is in hexadecimal. */
export type Manifest = z.infer<typeof manifestSchema>;
/** One file. */
type ManifestFile = Manifest['files'][number];

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
    const manifest = manifestSchema.safeParse(JSON.parse(text));
    if (manifest.success) return manifest.data;
  } catch {
    // Falls through to the one error below: unreadable and absent are the same to the reader.
  }
  throw new UpgradeError('backup-manifest', `${folder} holds no readable ${manifestName}.`, {
    phase: 'prove',
    hint: 'It is not a backup of this action, or its dump never finished. Take a new one.',
  });
}

/** Files that a restore goes by. */
const isRead = /^(db-\d+\/|(globals\.sql|inventory\.json|snapshot\.json)$)/;

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
    now.delete(path);
  }
  // Whatever else lies there is nobody's business; what a restore reads must have been there from the beginning.
  for (const path of now.keys()) if (isRead.test(path)) faults.push(`${path} is not in the list of files`);
  return faults;
}
