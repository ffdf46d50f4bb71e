/** Unpacks a backup that was packed for upload: decrypts it with an age identity, and takes nothing but files from it. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Decrypter } from 'age-encryption';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';

/**
 * Streams the packed file into `folder`, which is made; nothing of it stays where that fails.
 * @param identities age identities (`AGE-SECRET-KEY-1...`), one a line; null for a file in clear
 * @returns the folder of the backup itself, below `folder`
 * @throws UpgradeError `unpack-failed`; Cancelled
 */
export async function unpackBackup(
  file: string,
  folder: string,
  identities: string | null,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A file that is damaged in the middle ends the stream, not tar, which would wait for the rest for ever.
  const stop = new AbortController();
  let broken: unknown = null;
  try {
    const packed = createReadStream(file);
    const stdin = identities === null ? packed : await decrypted(packed, identities);
    stdin.once('error', (cause: unknown) => {
      broken = cause;
      stop.abort();
    });
    const { code, stderr } = await run(
      // GNU tar takes leading slashes and `..` away by itself; owners and modes of another machine mean nothing here.
      ['tar', '-xf', '-', '-C', folder, '--no-same-owner', '--no-same-permissions'],
      { stdin, signal: AbortSignal.any([signal, stop.signal]) },
    );
    if (code !== 0) throw new Error(lastLines(stderr) || `tar ended with exit code ${code}`);
    await assertPlain(folder);
    const [inner, ...more] = await readdir(folder, { withFileTypes: true });
    if (!inner?.isDirectory() || more.length > 0) throw new Error('it does not hold exactly one folder');
    return join(folder, inner.name);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    if (signal.aborted) throw new Cancelled();
    throw new UpgradeError(
      'unpack-failed',
      `The dump ${file.split('/').at(-1)} could not be unpacked: ${messageOf(broken ?? cause)}.`,
      {
        phase: 'backup',
        hint:
          identities === null
            ? 'The file is damaged, or encrypted: name the identity in rehearsal.identity.'
            : 'Check that rehearsal.identity names the identity of one of the recipients in backup.encrypt-to.',
        cause,
      },
    );
  }
}

/** A link of a foreign archive would make the restore read something else of this machine. */
async function assertPlain(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const odd = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (odd) throw new Error(`${odd.name} is neither a file nor a folder`);
}

async function decrypted(packed: Readable, identities: string): Promise<Readable> {
  const decrypter = new Decrypter();
  for (const line of identities.split('\n')) {
    const identity = line.trim();
    if (identity !== '' && !identity.startsWith('#')) decrypter.addIdentity(identity);
  }
  const clear = await decrypter.decrypt(Readable.toWeb(packed) as ReadableStream);
  return Readable.fromWeb(clear as Parameters<typeof Readable.fromWeb>[0]);
}
