/** The manifests that specs name: read from the workspace, and kept for the post step. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { writeWhole } from '../process/whole-file.ts';
import type { ReadManifest } from '../spec/load.ts';
import { largestManifest, unreadable } from '../spec/manifest.ts';
import { fileInside } from './inside.ts';

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
  const found = fileInside(workspace, file);
  if ('why' in found) throw unreadable(file, found.why);
  if (found.bytes > largestManifest) throw unreadable(file, 'it is larger than 1 MiB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(found.path));
  } catch (cause) {
    throw unreadable(file, cause instanceof TypeError ? 'it is not UTF-8' : messageOf(cause));
  }
}

const keptSchema = z.record(z.string(), z.string());
const name = 'manifests.json';

/** Keeps them beside the copy of the spec. */
export function keepManifests(folder: string, { texts }: ManifestReader): void {
  if (texts.size > 0) writeWhole(join(folder, name), JSON.stringify(Object.fromEntries(texts)));
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
