import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packBackup } from '../../src/backup/encrypt.ts';
import { listFiles } from '../../src/backup/manifest.ts';
import { run } from '../../src/process/run.ts';

const never = new AbortController().signal;
let home = '';
let backup = '';
let file = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pgu-pack-'));
  backup = join(home, 'orders-2026-11-20');
  file = join(home, 'dump.tar.age');
  await mkdir(join(backup, 'db-1'), { recursive: true });
  await writeFile(join(backup, 'globals.sql'), 'CREATE ROLE app;\n');
  await writeFile(join(backup, 'db-1/3001.dat.gz'), randomBytes(300_000));
  await writeFile(join(backup, 'db-1/empty.dat'), '');
});

afterEach(() => rm(home, { recursive: true }));

/** Unpacks an archive beside the backup and lists what came out. */
async function unpacked(archive: Uint8Array): Promise<unknown> {
  const folder = join(home, 'unpacked');
  await mkdir(folder);
  await writeFile(join(folder, 'dump.tar'), archive);
  expect((await run(['tar', '-xf', 'dump.tar'], { cwd: folder })).code).toBe(0);
  return listFiles(join(folder, 'orders-2026-11-20'));
}

async function decrypted(identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(await readFile(file));
}

describe('packBackup', () => {
  it('gives every recipient the same bytes back, and nobody else any', async () => {
    const identities = await Promise.all([generateIdentity(), generateIdentity()]);
    await packBackup(backup, file, await Promise.all(identities.map(identityToRecipient)), never);
    const content = await readFile(file);
    expect(content.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
    expect(content.includes('CREATE ROLE')).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const [one, two] = await Promise.all(identities.map(decrypted));
    expect(Buffer.compare(one ?? Buffer.alloc(0), two ?? Buffer.alloc(0))).toBe(0);
    expect(await unpacked(one ?? Buffer.alloc(0))).toEqual(await listFiles(backup));
    await expect(generateIdentity().then(decrypted)).rejects.toThrow('no identity matched');
  });

  it('leaves nothing but the one file', async () => {
    await packBackup(backup, file, [await identityToRecipient(await generateIdentity())], never);
    expect((await readdir(home)).sort()).toEqual(['dump.tar.age', 'orders-2026-11-20']);
  });

  it('packs in clear for no recipient', async () => {
    await packBackup(backup, file, [], never);
    expect(await unpacked(await readFile(file))).toEqual(await listFiles(backup));
  });

  it('removes what it did not finish', async () => {
    const recipients = [await identityToRecipient(await generateIdentity())];
    await expect(packBackup(join(home, 'none'), file, recipients, never)).rejects.toMatchObject({
      code: 'pack-failed',
      message: expect.stringMatching(/^The backup could not be packed for upload: tar: none: .*No such file/),
      hint: 'The backup itself is complete and stays where it is.',
    });
    await expect(packBackup(backup, file, recipients, AbortSignal.abort())).rejects.toMatchObject({
      code: 'pack-failed',
    });
    expect(await readdir(home)).toEqual(['orders-2026-11-20']);
  });

  it('does not wait for a tar that nobody reads any more', async () => {
    await writeFile(join(backup, 'large.dat'), Buffer.alloc(2 * 1024 ** 2));
    await expect(packBackup(backup, join(home, 'no/folder/dump.tar'), [], never)).rejects.toMatchObject({
      code: 'pack-failed',
      message: expect.stringContaining('ENOENT: no such file or directory'),
    });
    expect((await commandLines()).filter((line) => line.includes(home))).toEqual([]);
  });
});

/** The command line of every process that can be looked at. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}
