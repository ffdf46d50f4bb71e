/**
 * The client programs `pg_dump`, `pg_restore` and `pg_dumpall`, found by version and never by luck.
 *
 * On GitHub's runners `/usr/bin/pg_dump` is Debian's pg_wrapper, which picks whatever major is preinstalled;
 * an older pg_dump refuses a newer server, and it does so after the maintenance window has begun.
 */
import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { ask } from '../process/short.ts';
import { compareVersions, formatVersion, fromProgram, type PgVersion } from './version.ts';

/** One set of client programs. */
export interface ClientPrograms {
  /** Folder that holds the three programs. */
  bin: string;
  version: PgVersion;
}

const programs = ['pg_dump', 'pg_restore', 'pg_dumpall'] as const;
/** Their names. */
type ClientProgram = (typeof programs)[number];

/** Folders where packages put the programs of one major. */
async function candidateFolders(extra: readonly string[]): Promise<string[]> {
  const folders = [...extra];
  const debian = '/usr/lib/postgresql';
  for (const major of await readdir(debian).catch(() => [])) folders.push(join(debian, major, 'bin'));
  for (const entry of await readdir('/usr').catch(() => [])) {
    if (/^pgsql-\d+$/.test(entry)) folders.push(join('/usr', entry, 'bin'));
  }
  folders.push(...(process.env.PATH ?? '').split(delimiter));
  return [...new Set(folders.filter((folder) => folder !== ''))];
}

async function programsIn(folder: string): Promise<ClientPrograms | null> {
  if (!programs.every((name) => existsSync(join(folder, name)))) return null;
  const target = await realpath(join(folder, 'pg_dump')).catch(() => '');
  if (target.endsWith('/pg_wrapper')) return null;
  const answer = await ask(join(folder, 'pg_dump'), ['--version']);
  const version = answer?.code === 0 ? fromProgram(answer.stdout) : undefined;
  return version ? { bin: folder, version } : null;
}

/** Every set of client programs on this machine. */
export async function listClients(extra: readonly string[] = []): Promise<ClientPrograms[]> {
  const found: ClientPrograms[] = [];
  for (const folder of await candidateFolders(extra)) {
    const clients = await programsIn(folder);
    if (clients) found.push(clients);
  }
  return found;
}

/**
 * Chooses the programs for dumping a server and restoring into `major`: the same major with the newest minor,
 * else the nearest newer one (the proof decides whether its output is accepted). Never an older one:
 * pg_dump refuses a server of a newer major.
 */
export function chooseClients(found: readonly ClientPrograms[], major: number): ClientPrograms | null {
  const usable = found.filter(({ version }) => version.major >= major);
  usable.sort((a, b) => a.version.major - b.version.major || compareVersions(b.version, a.version));
  return usable[0] ?? null;
}

/** @throws UpgradeError `clients-missing`: says what is there and exactly what to install */
export async function findClients(major: number, extra: readonly string[] = []): Promise<ClientPrograms> {
  const found = await listClients(extra);
  const chosen = chooseClients(found, major);
  if (chosen) return chosen;
  const there = found.map(({ bin, version }) => `${bin} (${formatVersion(version)})`).join(', ');
  throw new UpgradeError(
    'clients-missing',
    `pg_dump, pg_restore and pg_dumpall of PostgreSQL ${major} are not on this machine.`,
    {
      phase: 'backup',
      hint: `Install them: apt-get install postgresql-client-${major} (Debian, Ubuntu) or dnf install postgresql${major} (PGDG), or name their folder in \`clients\` of the spec's backup. ${there ? `Found only: ${there}.` : 'Found none at all.'}`,
      docs: 'backup.md#client-programs',
    },
  );
}

/** Absolute path of one of them. */
export function clientPath(clients: ClientPrograms, program: ClientProgram): string {
  return join(clients.bin, program);
}
