/** Names of the databases that a restore makes and keeps. Pure. */

/** Bytes of a name: NAMEDATALEN - 1 (documentation, "Identifiers and Key Words"). */
const longest = 63;

/** A name for each database that is restored: of the copy while it is made, and of the old one afterwards. */
export interface Names {
  database: string;
  copy: string;
  kept: string;
}

/** As much of a text as fits, whole characters only. */
function cut(text: string, bytes: number): string {
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}

function free(base: string, suffix: string, taken: Set<string>): string {
  for (let count = 1; ; count += 1) {
    const end = count === 1 ? suffix : `${suffix}_${count}`;
    const name = `${cut(base, longest - end.length)}${end}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/**
 * @param databases that are restored
 * @param present every name that is taken
 * @param at when the restore begins: it is part of the names, in UTC
 */
export function namesFor(databases: readonly string[], present: readonly string[], at: Date): Names[] {
  const taken = new Set([...present, ...databases]);
  const stamp = at
    .toISOString()
    .replace(/\.\d+Z$/, 'z')
    .replaceAll(/[-:]/g, '')
    .toLowerCase();
  return databases.map((database) => ({
    database,
    copy: free(database, `_restoring_${stamp}`, taken),
    kept: free(database, `_before_restore_${stamp}`, taken),
  }));
}

/** Whether a name is one that a copy gets: whatever a journal says, nothing else may be dropped. */
export function isCopyName(name: unknown): name is string {
  return typeof name === 'string' && /_restoring_\d{8}t\d{6}z(_\d+)?$/.test(name);
}
