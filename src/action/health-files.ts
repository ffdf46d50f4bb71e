/** The SQL files that specs name: read once and looked at before anything is done. */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { UpgradeError, UpgradeErrors } from '../errors.ts';
import { statementsOf } from '../health/user-sql.ts';
import type { LoadedTarget } from '../spec/load.ts';

/** @throws UpgradeErrors `health-file` for each that cannot be read or lies elsewhere, `health-sql` for its faults */
export async function readHealthFiles(
  targets: readonly LoadedTarget[],
  workspace: string,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const faults: UpgradeError[] = [];
  for (const { spec, place } of targets)
    for (const entry of spec.health) {
      try {
        const text = files.get(entry.file) ?? (await read(entry.file, workspace));
        statementsOf(entry, text);
        files.set(entry.file, text);
      } catch (cause) {
        if (!(cause instanceof UpgradeError)) throw cause;
        faults.push(
          new UpgradeError(cause.code, cause.message, {
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

/** A symbolic link of a pull request must not lead out of the repository. */
async function read(file: string, workspace: string): Promise<string> {
  const path = await realpath(join(workspace, file)).catch(() => null);
  const inside = path === null ? '' : relative(await realpath(workspace), path);
  if (path === null || inside.startsWith('..') || isAbsolute(inside)) {
    throw new UpgradeError(
      'health-file',
      `The file ${file} of the key health ${path === null ? 'does not exist' : 'leads out of the repository'}.`,
      {
        phase: 'spec',
        hint: 'Name an .sql file by its path from the root of the repository.',
      },
    );
  }
  return await readFile(path, 'utf8');
}
