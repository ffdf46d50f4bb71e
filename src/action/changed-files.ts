/** SQL files that targets name: a changed one is a change of the target, though no line of the spec changes. */
import type { ChangeRecord } from '../report/record-change.ts';
import type { LoadedTarget } from '../spec/load.ts';
import { sqlFilesOf } from '../spec/sql-files.ts';
import type { Api } from './api.ts';
import { fileAt } from './base-files.ts';

/** Files that are compared; of more it is not known, and so they count as changed. */
const most = 50;

/**
 * Adds the paths of the files that differ from the base to `others`, on a push only for targets whose version changes.
 * One that cannot be read at the base counts as changed. Never throws.
 * @param texts the files of the checkout, by path
 */
export async function addChangedFiles(
  changes: Map<string, ChangeRecord>,
  targets: readonly LoadedTarget[],
  texts: ReadonlyMap<string, string>,
  api: Api,
): Promise<void> {
  const known = new Map<string, Promise<boolean>>();
  const differs = (file: string, base: string): Promise<boolean> => {
    const before = known.get(file);
    if (before) return before;
    const found =
      known.size >= most
        ? Promise.resolve(true)
        : fileAt(api, file, base).then(
            (text) => text !== texts.get(file),
            () => true,
          );
    known.set(file, found);
    return found;
  };
  for (const { spec } of targets) {
    const change = changes.get(spec.name);
    if (!change || ['new', 'unknown'].includes(change.kind)) continue;
    // A push was merged: its files count only where its version is upgraded.
    if (change.kind === 'none' && change.event === 'push') continue;
    const files = [...new Set(sqlFilesOf(spec).map(({ file }) => file))];
    const changed = await Promise.all(
      files.map(async (file) => ((await differs(file, change.base)) ? [file] : [])),
    );
    changes.set(spec.name, { ...change, others: [...change.others, ...changed.flat().sort()] });
  }
}
