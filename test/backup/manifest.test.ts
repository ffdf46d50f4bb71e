import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  listFiles,
  type Manifest,
  readManifest,
  sha256Of,
  verifyFiles,
  writeManifest,
} from '../../src/backup/manifest.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
let folder = '';

async function manifestNow(): Promise<Manifest> {
  return {
    version: 1,
    target: 'orders',
    created: '2026-11-20T18:00:00.000Z',
    server: '15.17',
    clients: '15.18',
    keepDays: 14,
    files: await listFiles(folder),
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgu-manifest-'));
  await mkdir(join(folder, 'db-1'));
  await writeFile(join(folder, 'globals.sql'), 'CREATE ROLE app;\n');
  await writeFile(join(folder, 'db-1/toc.dat'), 'PGDMP');
  await writeFile(join(folder, 'db-1/3001.dat.gz'), '');
});

afterEach(() => rm(folder, { recursive: true }));

describe('listFiles', () => {
  it('lists every file with size and sum, in order', async () => {
    expect(await listFiles(folder)).toEqual([
      { path: 'db-1/3001.dat.gz', bytes: 0, sha256: sha256('') },
      { path: 'db-1/toc.dat', bytes: 5, sha256: sha256('PGDMP') },
      { path: 'globals.sql', bytes: 17, sha256: sha256('CREATE ROLE app;\n') },
    ]);
  });

  it('leaves out the manifest itself, folders and links', async () => {
    await writeManifest(folder, await manifestNow());
    await mkdir(join(folder, 'empty'));
    await symlink('globals.sql', join(folder, 'link'));
    expect((await listFiles(folder)).map(({ path }) => path)).toEqual([
      'db-1/3001.dat.gz',
      'db-1/toc.dat',
      'globals.sql',
    ]);
  });

  it('stops when it is asked to', async () => {
    await expect(listFiles(folder, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});

describe('verifyFiles', () => {
  it('finds nothing wrong with what was written, nor with a file that came later', async () => {
    const manifest = await manifestNow();
    expect(await verifyFiles(folder, manifest)).toEqual([]);
    await writeFile(join(folder, 'notes.txt'), '{}');
    expect(await verifyFiles(folder, manifest)).toEqual([]);
  });

  it('finds files that were cut, deleted, or changed by a single bit', async () => {
    const manifest = await manifestNow();
    await truncate(join(folder, 'globals.sql'), 16);
    await rm(join(folder, 'db-1/3001.dat.gz'));
    await writeFile(join(folder, 'db-1/toc.dat'), 'PGDMQ');
    expect(await verifyFiles(folder, manifest)).toEqual([
      'db-1/3001.dat.gz is missing',
      'db-1/toc.dat was changed: its sha256 is another one',
      'globals.sql has 16 bytes instead of 17',
    ]);
  });
});

describe('the manifest', () => {
  it('is named by its own sum, is read again as it was, and is nobody else’s', async () => {
    const manifest = await manifestNow();
    const name = await writeManifest(folder, manifest);
    expect(name).toBe(await sha256Of(join(folder, 'manifest.json')));
    expect(await readManifest(folder)).toEqual(manifest);
    expect((await stat(join(folder, 'manifest.json'))).mode & 0o777).toBe(0o600);
  });

  it.each([null, '', '{"version": 1', 'null', '{"version": 2, "files": []}', '{"version": 1}'])(
    'is not to be read from %j',
    async (text) => {
      if (text !== null) await writeFile(join(folder, 'manifest.json'), text);
      await expect(readManifest(folder)).rejects.toMatchObject({
        code: 'backup-manifest',
        phase: 'prove',
        message: `${folder} holds no readable manifest.json.`,
        hint: 'It is not a backup of this action, or its dump never finished. Take a new one.',
      });
    },
  );
});
