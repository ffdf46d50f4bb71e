/** The manifests that specs name: read from the workspace, and kept for the post step. */
import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { ReadManifest } from '../spec/load.ts';
import { largestManifest, unreadable } from '../spec/manifest.ts';

/** Reads manifests and remembers what it read. */
export interface ManifestReader {
  read: ReadManifest;
  /** What was read so far, by path. */
  texts: ReadonlyMap<string, string>;
}

/** Reads below `workspace` and nowhere else: a symbolic link of a pull request must not lead out of it. */
export function workspaceManifests(workspace: string): ManifestReader {
  const texts = new Map<string, string>();
  return {
    texts,
    read(file) {
      const known = texts.get(file);
      if (known !== undefined) return known;
      const text = readInside(workspace, file);
      texts.set(file, text);
      return text;
    },
  };
}

function readInside(workspace: string, file: string): string {
  let path: string;
  try {
    path = realpathSync(join(workspace, file));
  } catch {
    throw unreadable(file, 'there is no such file');
  }
  const inside = relative(realpathSync(workspace), path);
  if (inside.startsWith('..') || isAbsolute(inside)) throw unreadable(file, 'it leads out of the repository');
  const found = statSync(path);
  if (!found.isFile()) throw unreadable(file, 'it is no file');
  if (found.size > largestManifest) throw unreadable(file, 'it is larger than 1 MiB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw unreadable(file, cause instanceof TypeError ? 'it is not UTF-8' : messageOf(cause));
  }
}

const keptSchema = z.record(z.string(), z.string());
const name = 'manifests.json';

/** Keeps them beside the copy of the spec. */
export function keepManifests(folder: string, { texts }: ManifestReader): void {
  if (texts.size > 0) writeFileSync(join(folder, name), JSON.stringify(Object.fromEntries(texts)));
}

/** Those that main read: post must not depend on what became of the workspace. */
export function keptManifests(folder: string): ManifestReader {
  const texts = new Map<string, string>();
  try {
    const kept = keptSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    for (const [file, text] of Object.entries(kept)) texts.set(file, text);
  } catch {
    // A spec without manifests kept none; one with manifests is told below which is missing.
  }
  return {
    texts,
    read(file) {
      const text = texts.get(file);
      if (text === undefined) throw unreadable(file, 'main did not keep it for the post step');
      return text;
    },
  };
}
