/**
 * Which settings each major knows. Read from the sources of the newest minor of each; what an extension adds has a
 * dot in its name and is not here.
 */
import table from './setting-names.json' with { type: 'json' };

const changes = new Map<number, { added: string[]; removed: string[] }>(
  Object.entries(table.changes).map(([major, change]) => [Number(major), change]),
);

/** Newest major of the table. */
export const newestKnownMajor = Math.max(...changes.keys());

/** Names that live on under another one: the server still reads them. */
const renamed: ReadonlyMap<string, { name: string; since: number }> = new Map([
  ['ssl_ecdh_curve', { name: 'ssl_groups', since: 18 }],
]);

/** Every setting of a major in small letters; null where the table does not reach. */
export function settingNames(major: number): ReadonlySet<string> | null {
  if (major < table.first.major || major > newestKnownMajor) return null;
  const names = new Set(table.first.names.map((name) => name.toLowerCase()));
  for (let each = table.first.major + 1; each <= major; each += 1) {
    for (const name of changes.get(each)?.added ?? []) names.add(name.toLowerCase());
    for (const name of changes.get(each)?.removed ?? []) names.delete(name.toLowerCase());
  }
  return names;
}

/** What a setting is called in this major where an old name still works; null else. */
export function newNameOf(name: string, major: number): string | null {
  const found = renamed.get(name.toLowerCase());
  return found && major >= found.since ? found.name : null;
}
