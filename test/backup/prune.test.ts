import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Manifest, writeManifest } from '../../src/backup/manifest.ts';
import { pruneBackups } from '../../src/backup/prune.ts';

const now = new Date('2026-11-20T18:00:00.000Z');
let folder = '';

async function backup(name: string, day: string, changes: Partial<Manifest> = {}): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'globals.sql'), '');
  await writeManifest(join(folder, name), {
    version: 1,
    target: 'orders',
    created: `${day}T18:00:00.000Z`,
    server: '15.17',
    clients: '15.18',
    keepDays: 14,
    files: [],
    ...changes,
  });
}

async function prune(): Promise<{ removed: string[]; left: string[] }> {
  const removed = await pruneBackups(folder, 'orders', now);
  return {
    removed: removed.map((path) => path.replace(`${folder}/`, '')),
    left: (await readdir(folder)).sort(),
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgu-prune-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('pruneBackups', () => {
  it('removes what is past its days, by the days that each backup was made with', async () => {
    await backup('new', '2026-11-20');
    await backup('fresh', '2026-11-07');
    await backup('on-the-day', '2026-11-06');
    await backup('past', '2026-11-05');
    await backup('kept-for-long', '2026-01-01', { keepDays: 365 });
    await backup('kept-for-a-day', '2026-11-18', { keepDays: 1 });
    expect(await prune()).toEqual({
      removed: ['kept-for-a-day', 'past'],
      left: ['fresh', 'kept-for-long', 'new', 'on-the-day'],
    });
  });

  it('keeps the newest however old it is', async () => {
    await backup('older', '2020-01-01');
    await backup('old', '2020-01-02');
    expect(await prune()).toEqual({ removed: ['older'], left: ['old'] });
  });

  it('touches nothing that is not a backup of this target', async () => {
    await backup('new', '2026-11-20');
    await backup('other-target', '2020-01-01', { target: 'stock' });
    await backup('no-time', '2020-01-01', { created: 'yesterday' });
    await mkdir(join(folder, 'foreign'));
    await writeFile(join(folder, 'foreign/data'), '');
    await mkdir(join(folder, 'unfinished'));
    await writeFile(join(folder, 'unfinished/manifest.json'), '{');
    await writeFile(join(folder, 'a-file'), '');
    expect(await prune()).toEqual({
      removed: [],
      left: ['a-file', 'foreign', 'new', 'no-time', 'other-target', 'unfinished'],
    });
  });

  it('has nothing to do in a folder that is not there', async () => {
    expect(await pruneBackups(join(folder, 'none'), 'orders', now)).toEqual([]);
  });
});
