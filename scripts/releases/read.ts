/** Reads a source: a file, a folder of files, or an address. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/errors.ts';

/** A text, and where it came from. */
export interface Text {
  from: string;
  text: string;
}

/** @param matching which files of a folder are meant @throws Error that names what could not be reached */
export async function readSource(source: string, matching: RegExp): Promise<Text[]> {
  try {
    if (/^https?:/.test(source)) {
      const response = await fetch(source, { signal: AbortSignal.timeout(30_000) });
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      return [{ from: source, text: await response.text() }];
    }
    if (!(await stat(source)).isDirectory()) return [{ from: source, text: await readFile(source, 'utf8') }];
    const names = (await readdir(source)).filter((name) => matching.test(name)).sort();
    if (names.length === 0) throw new Error(`no file in it matches ${matching.source}`);
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

/** Reads and parses; an error names the text. @throws Error */
export async function parseSources<T>(
  sources: readonly string[],
  matching: RegExp,
  parse: (text: string) => T,
): Promise<T[]> {
  const parsed: T[] = [];
  for (const source of sources)
    for (const { from, text } of await readSource(source, matching))
      try {
        parsed.push(parse(text));
      } catch (cause) {
        throw new Error(`${from} is not as expected: ${messageOf(cause)}`, { cause });
      }
  return parsed;
}
