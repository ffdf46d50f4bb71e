/** Unpacking what was packed for upload. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packBackup } from '../../src/backup/encrypt.ts';
import { listFiles } from '../../src/backup/manifest.ts';
import { unpackBackup } from '../../src/backup/unpack.ts';
import { failureOf } from '../support/targets.ts';

const never = new AbortController().signal;
let home = '';
let backup = '';
let file = '';
let into = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pgu-unpack-'));
  backup = join(home, 'orders-2026-11-20');
  file = join(home, 'dump.tar.age');
  into = join(home, 'into');
  await mkdir(join(backup, 'db-1'), { recursive: true });
  await writeFile(join(backup, 'globals.sql'), 'CREATE ROLE app;\n');
  await writeFile(join(backup, 'db-1/3001.dat.gz'), randomBytes(300_000));
});
afterEach(() => rm(home, { recursive: true }));

async function packed(): Promise<string> {
  const identity = await generateIdentity();
  await packBackup(backup, file, [await identityToRecipient(identity)], never);
  return identity;
}

test('gives back what was packed, by any of several identities and in clear', async () => {
  const identity = await packed();
  const other = await generateIdentity();
  const folder = await unpackBackup(file, into, `# of the team\n${other}\n${identity}\n`, never);
  expect(folder).toBe(join(into, 'orders-2026-11-20'));
  expect(await listFiles(folder)).toEqual(await listFiles(backup));

  await packBackup(backup, join(home, 'dump.tar'), [], never);
  const clear = await unpackBackup(join(home, 'dump.tar'), join(home, 'clear'), null, never);
  expect(await listFiles(clear)).toEqual(await listFiles(backup));
});

test.each([
  [
    'another identity',
    async () => await generateIdentity(),
    "no identity matched any of the file's recipients",
  ],
  ['no identity at all', async () => 'nonsense', 'unrecognized identity type'],
])('%s leaves nothing', async (_name, identity, message) => {
  await packed();
  const error = await failureOf(unpackBackup(file, into, await identity(), never));
  expect(error).toMatchObject({ code: 'unpack-failed' });
  expect(error.message).toContain(message);
  expect((await readdir(home)).sort()).toEqual(['dump.tar.age', 'orders-2026-11-20']);
});

test('a file that is damaged in the middle ends with an error, and tar with it', async () => {
  const identity = await packed();
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(file, bytes);
  expect(await failureOf(unpackBackup(file, into, identity, never))).toMatchObject({ code: 'unpack-failed' });
  expect(await readdir(home)).not.toContain('into');
});

test('a link in the archive is refused', async () => {
  await symlink('/etc/passwd', join(backup, 'db-1/3002.dat.gz'));
  const identity = await packed();
  const error = await failureOf(unpackBackup(file, into, identity, never));
  expect(error.message).toBe(
    'The dump dump.tar.age could not be unpacked: 3002.dat.gz is neither a file nor a folder.',
  );
});

test('a cancel is a cancel', async () => {
  const identity = await packed();
  const stop = new AbortController();
  stop.abort();
  expect(await failureOf(unpackBackup(file, into, identity, stop.signal))).toMatchObject({
    code: 'cancelled',
  });
});
