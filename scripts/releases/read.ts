/** Reads a source: a file, a folder of files, or an address. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../src/errors.ts';

/** A text, and where it came from. */
interface Text {
  from: string;
  text: string;
}

/** Which files of a folder are meant, and their names in words. */
export interface Matching {
  pattern: RegExp;
  words: string;
}

/** One text for a file or an address, one each for the files of a folder. @throws Error that names what could not be read */
async function readSource(source: string, { pattern, words }: Matching): Promise<Text[]> {
  try {
    if (/^https?:/.test(source)) {
      const response = await fetch(source, { signal: AbortSignal.timeout(30_000) });
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      return [{ from: source, text: await response.text() }];
    }
    if (!(await stat(source)).isDirectory()) return [{ from: source, text: await readFile(source, 'utf8') }];
    const names = (await readdir(source)).filter((name) => pattern.test(name)).sort();
    if (names.length === 0) throw new Error(`it holds no file ${words}`);
    return await Promise.all(
      names.map(async (name) => ({
        from: join(source, name),
        text: await readFile(join(source, name), 'utf8'),
      })),
    );
  } catch (cause) {
    throw new Error(`${source} could not be read: ${messageOf(cause)}`, { cause });
  }
}

/** What a text lacks, on one line. */
function wrongIn(cause: unknown): string {
  if (!(cause instanceof z.ZodError)) return messageOf(cause);
  return cause.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`).join('; ');
}

/** Reads and parses; an error names the text. @throws Error */
export async function parseSources<T>(
  sources: readonly string[],
  matching: Matching,
  parse: (text: string) => T,
): Promise<T[]> {
  const parsed: T[] = [];
  for (const source of sources)
    for (const { from, text } of await readSource(source, matching))
      try {
        parsed.push(parse(text));
      } catch (cause) {
        throw new Error(`${from} is not as expected: ${wrongIn(cause)}`, { cause });
      }
  return parsed;
}
