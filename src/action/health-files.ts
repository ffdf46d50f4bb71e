/** The SQL files that specs name: read once and looked at before anything is done. */
import { readFile } from 'node:fs/promises';
import { UpgradeError, UpgradeErrors } from '../errors.ts';
import { statementsOf } from '../health/user-sql.ts';
import type { LoadedTarget } from '../spec/load.ts';
import { sqlFilesOf } from '../spec/sql-files.ts';
import { fileInside } from './inside.ts';

/** @throws UpgradeErrors `health-file` for each that cannot be read or lies elsewhere, `health-sql` for its faults */
export async function readHealthFiles(
  targets: readonly LoadedTarget[],
  workspace: string,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const faults: UpgradeError[] = [];
  for (const { spec, place } of targets)
    for (const entry of sqlFilesOf(spec)) {
      try {
        const text = files.get(entry.file) ?? (await read(entry.file, workspace));
        statementsOf(entry, text);
        files.set(entry.file, text);
      } catch (cause) {
        if (!(cause instanceof UpgradeError)) throw cause;
        faults.push(
          new UpgradeError(cause.code, `${place.file}:${place.line}:${place.column} ${cause.message}`, {
            phase: 'spec',
            ...(cause.hint ? { hint: cause.hint } : {}),
            place: cause.place ?? place,
          }),
        );
      }
    }
  if (faults.length > 0) throw new UpgradeErrors(faults);
  return files;
}

/** Bytes; more than a person reads. */
const largest = 1024 * 1024;

/** A symbolic link of a pull request must not lead out of the repository. */
async function read(file: string, workspace: string): Promise<string> {
  const found = fileInside(workspace, file);
  if ('why' in found)
    throw fault(file, found.why.replace(/^it /, '').replace(/^there is no such file$/, 'does not exist'));
  if (found.bytes > largest) throw fault(file, `is larger than ${largest / 1024} KiB`);
  const bytes = await readFile(found.path);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Told below: a name in another encoding would be looked for, and not found.
  }
  throw fault(file, 'is not UTF-8');
}

function fault(file: string, what: string): UpgradeError {
  return new UpgradeError('health-file', `The file ${file} that the spec names ${what}.`, {
    phase: 'spec',
    hint: 'Name an .sql file by its path from the root of the repository; UTF-8, at most 1 MiB.',
  });
}
