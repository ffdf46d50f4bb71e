/** The folder from which root runs scripts is nobody else's. */
import { chmod, mkdir, mkdtempDisposable, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logScript } from '../../../src/environments/debian/cluster-scripts.ts';
import { assertOwnFolder, strangersIn } from '../../../src/environments/debian/own-folder.ts';
import { localHost } from '../../../src/process/local-host.ts';
import { failureOf } from '../../support/targets.ts';

const host = localHost(null);
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "own ' $(id) "));

describe('who else could exchange it', () => {
  it.each([
    ['0 0 drwx------ /var/lib/x', []],
    ['1000 1000 drwx------ /var/lib/x', ['/var/lib/x belongs to user 1000']],
    ['0 0 drwxrwxr-x /var/lib', []],
    ['0 50 drwxrwsr-x /var/local', ['group 50 may write to /var/local']],
    ['0 0 drwxrwxrwx /srv', ['everybody may write to /srv']],
    ['0 0 drwxrwxrwt /tmp', []],
    ['0 0 lrwxrwxrwx /srv/link', []],
    ['1000 0 lrwxrwxrwx /srv/link', ['/srv/link belongs to user 1000']],
  ])('%s', (line, strangers) => {
    expect(strangersIn(`0\n${line}\n${line}\n`)).toEqual(strangers);
  });

  it('where we are not root, our own folders are ours', () => {
    expect(strangersIn('1000\n1000 1000 drwx------ /home/deploy/state\n0 0 drwxr-xr-x /home\n')).toEqual([]);
  });
});

describe('the folder', () => {
  it('is made for us alone', async () => {
    await using at = await folder();
    const state = join(at.path, 'a', 'b');
    await assertOwnFolder(host, state);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
  });

  it('must not be where everybody may write, also not behind a link', async () => {
    await using at = await folder();
    const open = join(at.path, 'open');
    await mkdir(join(open, 'state'), { recursive: true });
    await chmod(open, 0o777);
    await symlink(join(open, 'state'), join(at.path, 'link'));
    const refused = {
      code: 'state-folder',
      message: expect.stringContaining(`is not only ours: everybody may write to ${open}.`),
    };
    expect(await failureOf(assertOwnFolder(host, join(open, 'state')))).toMatchObject(refused);
    expect(await failureOf(assertOwnFolder(host, join(at.path, 'link')))).toMatchObject(refused);
  });
});

it('the end of a log is read from its beginning where it became shorter', async () => {
  await using at = await folder();
  const log = join(at.path, 'log');
  await chmod(at.path, 0o755);
  await writeFile(log, 'one\ntwo\nthree\n');
  const end = async (from: number, bytes: number): Promise<string> =>
    (await host.script(logScript, [log, String(from), String(bytes), at.path])).stdout;
  expect(await end(4, 100)).toBe('14\ntwo\nthree\n');
  expect(await end(0, 6)).toBe('14\nthree\n');
  expect(await end(99, 100)).toBe(`14\n${await readFile(log, 'utf8')}`);
});
