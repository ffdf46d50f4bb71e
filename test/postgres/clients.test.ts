import { chmod, mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ClientPrograms, chooseClients, clientPath, listClients } from '../../src/postgres/clients.ts';
import { formatVersion, parseVersion } from '../../src/postgres/version.ts';

function clients(...versions: string[]): ClientPrograms[] {
  return versions.map((version) => ({ bin: `/bin-${version}`, version: parseVersion(version) }));
}

describe('chooseClients', () => {
  it.each([
    [15, ['15.18'], '15.18'],
    [15, ['15.9', '15.18', '15.10'], '15.18'],
    [15, ['18.7', '15.1', '16.16'], '15.1'],
    [15, ['18.7', '16.2', '16.16', '17.12'], '16.16'],
    [15, ['14.25', '13.23'], null],
    [15, ['14.25', '18.0'], '18.0'],
    [15, [], null],
  ])('for %d of %j takes %s', (major, versions, chosen) => {
    const found = chooseClients(clients(...versions), major);
    expect(found && formatVersion(found.version)).toBe(chosen);
  });

  it('takes the first folder of two equal ones, and leaves the list as it was', () => {
    const list = [...clients('16.1'), { bin: '/spec', version: parseVersion('15.18') }, ...clients('15.18')];
    const before = [...list];
    expect(chooseClients(list, 15)?.bin).toBe('/spec');
    expect(list).toEqual(before);
  });
});

describe('listClients', () => {
  /** A folder of programs that say a version, as the real ones do. */
  async function programs(folder: string, version: string, names: readonly string[]): Promise<string> {
    await mkdir(folder, { recursive: true });
    for (const name of names) {
      await writeFile(join(folder, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`);
      await chmod(join(folder, name), 0o755);
    }
    return folder;
  }
  const all = ['pg_dump', 'pg_restore', 'pg_dumpall'];

  it('finds complete sets only, and never a wrapper that chooses by itself', async () => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'pgu clients-'));
    const good = await programs(join(home.path, 'good'), '15.18', all);
    const half = await programs(join(home.path, 'half'), '15.18', ['pg_dump', 'pg_restore']);
    const odd = await programs(join(home.path, 'odd'), 'unknown', all);
    const wrapped = await programs(join(home.path, 'wrapped'), '16.1', ['pg_wrapper']);
    for (const name of all) await symlink('pg_wrapper', join(wrapped, name));
    const found = await listClients([good, half, odd, wrapped, join(home.path, 'none'), good]);
    expect(found.filter(({ bin }) => bin.startsWith(home.path))).toEqual([
      { bin: good, version: { major: 15, minor: 18 } },
    ]);
    expect(found[0]?.bin).toBe(good);
  });
});

describe('clientPath', () => {
  it('joins folder and program', () => {
    expect(
      clientPath({ bin: '/usr/lib/postgresql/15/bin', version: { major: 15, minor: 1 } }, 'pg_dumpall'),
    ).toBe('/usr/lib/postgresql/15/bin/pg_dumpall');
  });
});
