/** What is read from, and written to, files of a cluster without its server. */
import { chown, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { areWeRoot } from '../../process/user.ts';

/** The last bytes of a file, from the first whole line on; null where it cannot be read. */
export async function endOfFile(
  path: string,
  bytes: number,
): Promise<{ source: string; text: string; size: number } | null> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return null;
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8', 0, bytesRead);
    return { source: path, text: size > length ? text.slice(text.indexOf('\n') + 1) : text, size };
  } finally {
    await file.close();
  }
}

/**
 * Takes settings out of postgresql.auto.conf, which ALTER SYSTEM writes one a line; only while no server runs. Written
 * beside it and moved over it, so that there is always a whole file.
 */
export async function forgetSettings(data: string, names: readonly string[]): Promise<void> {
  const path = join(data, 'postgresql.auto.conf');
  // Values may be of any encoding: every byte stays as it is.
  const text = await readFile(path, 'latin1');
  const kept = text.split('\n').filter((line) => !names.some((name) => isOf(line, name)));
  if (kept.length === text.split('\n').length) return;
  const { mode, uid, gid } = await stat(path);
  await writeFile(`${path}.new`, Buffer.from(kept.join('\n'), 'latin1'), { mode: mode & 0o777, flush: true });
  if (areWeRoot()) await chown(`${path}.new`, uid, gid);
  await rename(`${path}.new`, path);
}

function isOf(line: string, name: string): boolean {
  return line.split('=')[0]?.trim().toLowerCase() === name.toLowerCase();
}
