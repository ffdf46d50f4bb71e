/** The extensions that the spec names, folded. */
import { countExtensions, errorWords, ownWords, versionWords } from './extension-words.ts';
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, joined, table, words } from './summary-parts.ts';

/** Null where the spec names none, or nobody looked. */
export function extensionDetails({ extensions }: UpgradeRecord, detail: Detail): string | null {
  if (extensions.length === 0) return null;
  const rows = extensions.map((each) => [
    code(each.extension, detail),
    code(each.database, detail),
    words(versionWords(each), detail),
    words(ownWords(each), detail),
    words(errorWords(each), detail),
    joined([...each.faults, ...each.done], detail, '; '),
  ]);
  return folded(
    `Extensions: ${countExtensions(extensions)}`,
    table(
      ['Extension', 'Database', 'Version', 'Its own', 'Errors', 'What is wrong, what was done'],
      rows,
      detail,
    ),
  );
}
