/** Packs a backup into one file: encrypted to age recipients, or in clear where the spec says so in full words. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Encrypter } from 'age-encryption';
import { UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';

/**
 * Streams `tar` of the folder into `file`; nothing unencrypted touches the disk besides the backup itself.
 * @param recipients age recipients; none means in clear
 * @throws UpgradeError `pack-failed`; the unfinished file is removed
 */
export async function packBackup(
  folder: string,
  file: string,
  recipients: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const tar = new PassThrough();
  let output: Readable = tar;
  if (recipients.length > 0) {
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    output = Readable.fromWeb(
      (await encrypter.encrypt(Readable.toWeb(tar) as ReadableStream)) as Parameters<
        typeof Readable.fromWeb
      >[0],
    );
  }
  const sink = createWriteStream(file, { mode: 0o600 });
  // Nobody reads what tar writes once the file cannot be written: it would wait for ever.
  const stop = new AbortController();
  try {
    const [{ code, stderr }] = await Promise.all([
      run(['tar', '-cf', '-', '-C', dirname(folder), basename(folder)], {
        stdout: tar,
        signal: AbortSignal.any([signal, stop.signal]),
      }),
      pipeline(output, sink, { signal }).catch((failure: unknown) => {
        stop.abort();
        throw failure;
      }),
    ]);
    if (code !== 0) throw new Error(lastLines(stderr));
  } catch (cause) {
    // A file that is only now being opened would be there again after its removal.
    const closed = new Promise<void>((resolve) => {
      if (sink.closed) resolve();
      else sink.once('close', resolve);
    });
    sink.destroy();
    await closed;
    await rm(file, { force: true });
    throw new UpgradeError(
      'pack-failed',
      `The backup could not be packed for upload: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {
        phase: 'report',
        hint: 'The backup itself is complete and stays where it is.',
        cause,
      },
    );
  }
}
