/** The packages that were saved before an upgrade: they are the way back. Pure. */
import { z } from 'zod';

const chosen = z.object({ name: z.string(), version: z.string() });

const savedSchema = z.object({
  version: z.literal(1),
  at: z.iso.datetime(),
  /** PostgreSQL versions before and after. */
  from: z.string(),
  to: z.string(),
  /** Everything of PostgreSQL that was installed before. */
  before: z.array(z.object({ name: z.string(), version: z.string(), source: z.string() })),
  /** What the transaction changes: as it was, and as it becomes. */
  old: z.array(chosen),
  new: z.array(chosen),
  /** Sum by file, relative to the folder `saved`. */
  files: z.record(z.string(), z.string()),
});

/** What `saved.json` says. */
export type Saved = z.infer<typeof savedSchema>;

/** Null where there is none, or nobody can read it. */
export function readSaved(text: string): Saved | null {
  try {
    return savedSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether it was saved for this very change. */
export function isFor(saved: Saved | null, from: string, to: string): saved is Saved {
  return saved !== null && saved.from === from && saved.to === to;
}

/** Lines for `sha256sum --check` of all files in a folder of it (`old`, `new`). */
export function sumLines(saved: Saved, folder: 'old' | 'new'): string {
  return Object.entries(saved.files)
    .filter(([file]) => file.startsWith(`${folder}/`))
    .map(([file, sum]) => `${sum}  ${file}\n`)
    .join('');
}

/** Reads what `sha256sum` prints. */
export function readSums(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const found = /^([0-9a-f]{64}) [ *]((?:new|old)\/[^/]+\.deb)$/.exec(line);
      return found ? [[found[2] ?? '', found[1] ?? ''] as const] : [];
    }),
  );
}
