/** Files of our own: reports, records, what main keeps for the post step. */
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Makes a folder that only this user may enter; one that is there stays as it is.
 * @throws where it is a symbolic link: what is written there would land elsewhere
 */
export function makeOwnFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (lstatSync(folder).isSymbolicLink()) throw new Error(`${folder} is a symbolic link`);
}

/**
 * Writes a file whole or not at all; only this user may read it. A symbolic link that stands in its place, or in that
 * of the temporary file beside it, is replaced and never followed.
 * @throws what writing throws
 */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
  renameSync(temporary, file);
}
