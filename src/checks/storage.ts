/** Will what the run writes fit? */
import { formatBytes } from '../report/format.ts';
import type { Check, DiskFact } from './check.ts';
import { worst } from './rows.ts';
import { bounded } from './words.ts';

/** Sizes are estimates: less than this share to spare is warned about. */
const spare = 0.2;

/** Filesystems with everything that goes there: two needs that fit one by one may not fit together. */
function byFilesystem(disks: readonly DiskFact[]): DiskFact[][] {
  const groups = new Map<string, DiskFact[]>();
  for (const disk of disks) {
    const key = disk.filesystem === undefined ? `path ${disk.path}` : `filesystem ${disk.filesystem}`;
    groups.set(key, [...(groups.get(key) ?? []), disk]);
  }
  return [...groups.values()];
}

/** Adds up what the run writes to each filesystem, and compares it with the space there; a line for each. Pure. */
export function roomOn(
  disks: readonly DiskFact[],
): { status: 'blocked' | 'warning' | 'passed'; line: string }[] {
  return byFilesystem(disks).map((group) => {
    const free = Math.min(...group.map(({ freeBytes }) => freeBytes));
    const needed = group.reduce((sum, { neededBytes }) => sum + neededBytes, 0);
    const what = group.map(({ purpose, path }) => `${purpose} in ${path}`).join(' and ');
    const status = free < needed ? 'blocked' : free < needed * (1 + spare) ? 'warning' : 'passed';
    return { status, line: `${what}: ${formatBytes(needed)} needed, ${formatBytes(free)} free` };
  });
}

/** Whether all of it fits. Bytes. */
export const diskSpace: Check = {
  id: 'disk-space',
  title: 'Enough free space where the run writes',
  scope: 'machine',
  when: 'before',
  minMajor: 13,
  sql: null,
  fix: 'Free space there, or name a folder on another filesystem in the spec.',
  judge(_rows, context) {
    if (context.disks.length === 0) return { status: 'skipped', seen: ['no filesystem was measured'] };
    const found = worst(roomOn(context.disks));
    return { status: found.status, seen: bounded(found.lines) };
  },
};
