import { mkdtempDisposable, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { areWeRoot, giveTo, scratchUser, userForOwner } from '../../src/process/user.ts';

const ourselves = process.getuid?.() ?? -1;
/** An id that no account has. */
const stranger = 54_321;

describe('userForOwner', () => {
  it('refuses a data directory of root, whoever asks', async () => {
    await expect(userForOwner(0)).rejects.toMatchObject({
      code: 'server-user',
      message: 'The data directory belongs to root, and PostgreSQL refuses to run as root.',
      hint: 'Give it to the user that runs PostgreSQL: chown -R postgres: DIR.',
    });
  });

  it('of somebody else is that user for root, and refused to anybody else', async () => {
    if (areWeRoot()) {
      expect(await userForOwner(stranger)).toEqual({ uid: stranger, gid: stranger, name: 'uid 54321' });
      expect(await userForOwner(1)).toMatchObject({ uid: 1, name: 'daemon' });
    } else {
      expect(await userForOwner(ourselves)).toBe(null);
      await expect(userForOwner(stranger)).rejects.toMatchObject({
        code: 'server-user',
        message: 'The data directory belongs to uid 54321, not to the user that runs this job.',
      });
    }
  });
});

describe('scratchUser', () => {
  it('is an unprivileged account for root, and nobody else otherwise', async () => {
    const user = await scratchUser();
    if (areWeRoot()) {
      expect(['postgres', 'nobody']).toContain(user?.name);
      expect(user?.uid).toBeGreaterThan(0);
    } else {
      expect(user).toBe(null);
    }
  });
});

describe('the user option of run()', () => {
  it('is who the program runs as, with no group of ours', async () => {
    const user = await scratchUser();
    const { stdout } = await run(['id', '-u'], { user });
    expect(Number(stdout)).toBe(user?.uid ?? ourselves);
    if (user) {
      const groups = await run(['id', '-G'], { user });
      expect(groups.stdout.trim().split(' ').map(Number)).toEqual([user.gid]);
    }
  });
});

describe('giveTo', () => {
  it('gives paths to a user, and leaves them for null', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-user-'));
    await giveTo(null, folder.path);
    expect((await stat(folder.path)).uid).toBe(ourselves);
    const user = areWeRoot() ? { uid: stranger, gid: stranger, name: 'x' } : null;
    await giveTo(user, folder.path);
    expect((await stat(folder.path)).uid).toBe(user?.uid ?? ourselves);
  });
});
