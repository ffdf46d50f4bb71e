/** Removes backups that are past their days. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from './manifest.ts';

/**
 * Removes backups of `target` in `folder` that are older than their own `keepDays`; the newest always stays,
 * and nothing without a manifest of ours is touched.
 * @returns the folders that were removed
 */
export async function pruneBackups(folder: string, target: string, now: Date): Promise<string[]> {
  const backups: { path: string; created: number; expires: number }[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const manifest = await readManifest(path).catch(() => null);
    if (manifest?.target !== target) continue;
    const created = Date.parse(manifest.created);
    if (Number.isFinite(created))
      backups.push({ path, created, expires: created + manifest.keepDays * 86_400_000 });
  }
  backups.sort((a, b) => b.created - a.created);
  const expired = backups.slice(1).filter(({ expires }) => expires < now.getTime());
  for (const { path } of expired) await rm(path, { recursive: true, force: true });
  return expired.map(({ path }) => path);
}
