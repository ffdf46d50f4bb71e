/** A journal in files on this machine. */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import type { LineStore } from './environment.ts';

function linesOf(text: string): string[] {
  // A line without its newline was cut by a crash while it was written: nothing was done on its word yet.
  return text.split('\n').slice(0, -1);
}

/** Takes away a line that a crash cut: the next one would grow onto it, and neither could be read again. */
async function dropCutLine(handle: FileHandle): Promise<void> {
  const content = await handle.readFile();
  const whole = content.lastIndexOf('\n') + 1;
  if (whole < content.length) await handle.truncate(whole);
}

/** Lines in `folder/journal.jsonl`; archives beside it. */
export function fileStore(folder: string): LineStore {
  const file = join(folder, 'journal.jsonl');
  const archives = async (): Promise<string[]> => {
    const names = await readdir(folder).catch(() => []);
    return names
      .filter((name) => /^journal-.+\.jsonl$/.test(name))
      .sort()
      .reverse();
  };
  return {
    where: file,
    async read() {
      return linesOf(await readFile(file, 'utf8').catch(() => ''));
    },
    async append(line) {
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o755 });
        const handle = await open(file, 'a+', 0o600);
        try {
          await dropCutLine(handle);
          await handle.write(`${line}\n`);
          await handle.sync();
        } finally {
          await handle.close();
        }
      } catch (cause) {
        throw new UpgradeError(
          'journal-write',
          `The journal ${file} cannot be written: ${messageOf(cause)}.`,
          {
            hint: 'Without it a killed run could not be put right again. Make the folder writable, or name another in environment.state.',
            cause,
          },
        );
      }
    },
    async archive(name) {
      await rename(file, join(folder, `journal-${name}.jsonl`)).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'ENOENT') throw cause;
      });
    },
    async discard() {
      await rm(file, { force: true });
    },
    async prune(keep) {
      for (const name of (await archives()).slice(keep)) await rm(join(folder, name), { force: true });
    },
    async readArchives() {
      return Promise.all(
        (await archives()).map(async (name) => linesOf(await readFile(join(folder, name), 'utf8'))),
      );
    },
  };
}
