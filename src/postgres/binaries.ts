/** A folder of PostgreSQL server programs, and what they need to start. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../process/short.ts';
import { fromProgram, type PgVersion } from './version.ts';

/** One set of server programs. */
export interface Binaries {
  /** Folder that holds `postgres`, `pg_ctl` and `initdb`. */
  bin: string;
  version: PgVersion;
  /** Added to the environment of every program in it. */
  env: Record<string, string>;
  /** Where they were found, for people. */
  source: string;
}

/**
 * Looks at one folder (or its `bin` subfolder); null where it holds no usable server programs.
 * The libraries beside them are preferred: relocated packages carry their own.
 */
export async function binariesIn(folder: string, source: string): Promise<Binaries | null> {
  const bin = [folder, join(folder, 'bin')].find((dir) => existsSync(join(dir, 'postgres')));
  if (!bin) return null;
  const lib = join(bin, '..', 'lib');
  const env: Record<string, string> = {};
  if (existsSync(join(lib, 'libpq.so.5')) || existsSync(join(lib, 'pg-symlinks.json')))
    env.LD_LIBRARY_PATH = lib;
  const answer = await ask(join(bin, 'postgres'), ['--version'], env);
  const version = answer?.code === 0 ? fromProgram(answer.stdout) : undefined;
  return version ? { bin, version, env, source } : null;
}

/** Folder of the extensions' control files; null where the usual layouts do not hold it. */
function extensionFolder(binaries: Binaries): string | null {
  const { major } = binaries.version;
  const candidates = [
    join(binaries.bin, '../share/postgresql/extension'),
    join(binaries.bin, '../share/extension'),
    // Debian's layout, at home or moved elsewhere: lib/postgresql/15/bin beside share/postgresql/15.
    join(binaries.bin, `../../../../share/postgresql/${major}/extension`),
    `/usr/share/postgresql/${major}/extension`,
  ];
  return candidates.find((folder) => existsSync(folder)) ?? null;
}

/**
 * Which versions of which extensions the files beside the binaries can install, from the names
 * `NAME--VERSION.sql` and `NAME--FROM--TO.sql` (documentation, "Packaging Related Objects into an Extension").
 */
export async function extensionVersions(binaries: Binaries): Promise<Map<string, string[]> | null> {
  const folder = extensionFolder(binaries);
  if (!folder) return null;
  const versions = new Map<string, string[]>();
  for (const file of await readdir(folder)) {
    const control = /^(.+)\.control$/.exec(file);
    if (control?.[1] && !control[1].includes('--')) versions.set(control[1], versions.get(control[1]) ?? []);
    const script = /^(.+?)--(?:.+--)?(.+)\.sql$/.exec(file);
    if (script?.[1] && script[2]) {
      const list = versions.get(script[1]) ?? [];
      if (!list.includes(script[2])) list.push(script[2]);
      versions.set(script[1], list);
    }
  }
  return versions;
}
