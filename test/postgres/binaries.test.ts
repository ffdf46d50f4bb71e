import { chmod, mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Binaries, binariesIn, extensionVersions } from '../../src/postgres/binaries.ts';
import { expandPattern } from '../../src/postgres/find-binaries.ts';

describe('expandPattern', () => {
  it.each([
    ['/opt/postgresql/{version}', '/opt/postgresql/15.20'],
    ['/usr/lib/postgresql/{major}/bin', '/usr/lib/postgresql/15/bin'],
    ['/a/{major}/{version}/{major}', '/a/15/15.20/15'],
    ['/a/{minor}', '/a/{minor}'],
    ['/a', '/a'],
  ])('%s', (pattern, folder) => expect(expandPattern(pattern, { major: 15, minor: 20 })).toBe(folder));
});

describe('binariesIn', () => {
  async function server(folder: string, says: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'postgres'), `#!/bin/sh\n${says}\n`);
    await chmod(join(folder, 'postgres'), 0o755);
  }

  it('looks at the folder and at bin inside, and asks the program for its version', async () => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'pgu-binaries-'));
    const bin = join(home.path, 'bin');
    await server(bin, 'echo "postgres (PostgreSQL) 15.20"');
    const found = { bin, version: { major: 15, minor: 20 }, env: {}, source: 'test' };
    expect(await binariesIn(home.path, 'test')).toEqual(found);
    expect(await binariesIn(bin, 'test')).toEqual(found);
    await mkdir(join(home.path, 'lib'));
    await writeFile(join(home.path, 'lib/libpq.so.5'), '');
    expect(await binariesIn(bin, 'test')).toEqual({
      ...found,
      env: { LD_LIBRARY_PATH: join(home.path, 'lib') },
    });
  });

  it.each(['exit 1', 'echo nonsense'])('takes no program that does "%s"', async (says) => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'pgu-binaries-'));
    expect(await binariesIn(home.path, 'test')).toBe(null);
    await server(home.path, says);
    expect(await binariesIn(home.path, 'test')).toBe(null);
  });
});

describe('extensionVersions', () => {
  async function versionsOf(files: readonly string[], folder = 'share/extension'): Promise<unknown> {
    await using home = await mkdtempDisposable(join(tmpdir(), 'pgu-extensions-'));
    await mkdir(join(home.path, folder), { recursive: true });
    for (const file of files) await writeFile(join(home.path, folder, file), '');
    const binaries: Binaries = {
      bin: join(home.path, 'bin'),
      version: { major: 1, minor: 0 },
      env: {},
      source: 'test',
    };
    await mkdir(binaries.bin);
    const found = await extensionVersions(binaries);
    return found && Object.fromEntries([...found].map(([name, list]) => [name, list.toSorted()]).sort());
  }

  it('reads names and versions from the scripts', async () => {
    const files = [
      'hstore.control',
      'hstore--1.4.sql',
      'hstore--1.4--1.5.sql',
      'hstore--1.5--1.6.sql',
      'uuid-ossp.control',
      'uuid-ossp--1.1.sql',
      'plpgsql.control',
      'plpgsql--1.0.sql',
      'empty.control',
      'pg--odd.control',
      'README.md',
      'hstore--1.4.sql.bak',
    ];
    const expected = { empty: [], hstore: ['1.4', '1.5', '1.6'], plpgsql: ['1.0'], 'uuid-ossp': ['1.1'] };
    expect(await versionsOf(files)).toEqual(expected);
    expect(await versionsOf(files, 'share/postgresql/extension')).toEqual(expected);
  });

  it('knows nothing where the folder is somewhere else', async () => {
    expect(await versionsOf([], 'share/other')).toBe(null);
  });
});
