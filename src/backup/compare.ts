/** Compares what a source held with what a restore brought back. Pure. */
import type { Inventory, SequenceState } from './inventory.ts';

const most = 50;

/** Position on the number line: a sequence that was never called stands just before its value. */
function position({ value, called }: SequenceState): bigint {
  return BigInt(value) * 2n + (called ? 1n : 0n);
}

function differences(
  what: string,
  source: Readonly<Record<string, string>>,
  copy: Readonly<Record<string, string>>,
): string[] {
  const found: string[] = [];
  for (const [identity, hash] of Object.entries(source)) {
    const other = copy[identity];
    if (other === undefined) found.push(`${what}${identity} is missing in the restored copy`);
    else if (other !== hash) found.push(`${what}${identity} differs in the restored copy`);
  }
  for (const identity of Object.keys(copy)) {
    if (!(identity in source)) found.push(`${what}${identity} exists only in the restored copy`);
  }
  return found;
}

/**
 * Every difference in one database, as sentences.
 * @param after sequences as they stood when the dump had ended: the dumped value lies between both readings,
 *   since sequences do not belong to any snapshot
 */
export function compareInventories(
  database: string,
  source: Inventory,
  after: Readonly<Record<string, SequenceState>>,
  copy: Inventory,
): string[] {
  const prefix = `${database}: `;
  const found = differences(prefix, source.objects, copy.objects);
  for (const [table, counted] of Object.entries(source.tables)) {
    const other = copy.tables[table];
    if (!other) found.push(`${prefix}table ${table} is missing in the restored copy`);
    else if (other.rows !== counted.rows)
      found.push(`${prefix}table ${table} has ${counted.rows} rows, its restored copy ${other.rows}`);
    else if (other.fingerprint !== counted.fingerprint)
      found.push(`${prefix}table ${table} has ${counted.rows} rows in both, but their content differs`);
  }
  for (const [name, before] of Object.entries(source.sequences)) {
    const end = after[name] ?? before;
    const bounds = [position(before), position(end)].sort((a, b) => (a < b ? -1 : 1));
    const other = copy.sequences[name];
    const restored = other && position(other);
    const [low, high] = bounds;
    if (restored === undefined) found.push(`${prefix}sequence ${name} is missing in the restored copy`);
    else if (low !== undefined && high !== undefined && (restored < low || restored > high)) {
      found.push(`${prefix}sequence ${name} stood at ${before.value}, its restored copy at ${other?.value}`);
    }
  }
  if (source.largeObjects.count !== copy.largeObjects.count) {
    found.push(
      `${prefix}${source.largeObjects.count} large objects, ${copy.largeObjects.count} in the restored copy`,
    );
  } else if (source.largeObjects.fingerprint !== copy.largeObjects.fingerprint) {
    found.push(`${prefix}the content of its large objects differs in the restored copy`);
  }
  return found;
}

/** Roles and their attributes. */
export function compareCluster(
  source: Readonly<Record<string, string>>,
  copy: Readonly<Record<string, string>>,
): string[] {
  return differences('', source, copy);
}

/** As many differences as a reader can use, and how many more there are. */
export function shorten(found: readonly string[]): string[] {
  return found.length <= most ? [...found] : [...found.slice(0, most), `and ${found.length - most} more`];
}
