/** Files of the workspace: whoever opened a pull request put them there, symbolic links too. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

/** Whether `path` is `folder` or lies below it, by their names alone. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

/** A regular file below the workspace, links resolved; or why there is none. */
export type FoundFile = { path: string; bytes: number } | { why: string };

/** @param file from the root of the workspace, or absolute */
export function fileInside(workspace: string, file: string): FoundFile {
  let path: string;
  try {
    path = realpathSync(isAbsolute(file) ? file : join(workspace, file));
  } catch {
    return { why: 'there is no such file' };
  }
  if (!isInside(realpathSync(workspace), path)) return { why: 'it leads out of the repository' };
  const found = statSync(path);
  return found.isFile() ? { path, bytes: found.size } : { why: 'it is no file' };
}

/** Whether a folder, which need not be there yet, lies in the workspace: by its name, or behind links. */
export function touchesWorkspace(workspace: string, folder: string): boolean {
  if (isInside(resolve(workspace), resolve(folder))) return true;
  let there = resolve(folder);
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    return isInside(realpathSync(workspace), realpathSync(there));
  } catch {
    return false;
  }
}
