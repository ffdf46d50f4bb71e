/** Dumps what belongs to no database: roles, their memberships and settings, tablespaces. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientPath } from '../postgres/clients.ts';
import { type ClientLogin, conninfo } from '../postgres/passfile.ts';
import { run } from '../process/run.ts';
import type { DumpOptions } from './dump.ts';
import { assertDumped, cutShort } from './dump-error.ts';
import { lastLine } from './globals.ts';

/**
 * Writes `globals.sql` into the dump's folder. It holds password hashes: nobody else may read it.
 * @throws UpgradeError `dump-failed`, `dump-space`
 */
export async function dumpGlobals(
  options: DumpOptions,
  login: Pick<ClientLogin, 'args' | 'env'>,
): Promise<void> {
  const file = join(options.folder, 'globals.sql');
  await writeFile(file, '', { mode: 0o600 });
  const { code, stderr } = await run(
    [
      clientPath(options.clients, 'pg_dumpall'),
      '--globals-only',
      '--encoding=UTF8',
      `--file=${file}`,
      `--database=${conninfo(options.settings.database)}`,
      ...login.args,
    ],
    // VALID UNTIL is written in the session's date style, which another server may read as another day, or not at all.
    { env: { ...login.env, PGDATESTYLE: 'ISO', PGTZ: 'UTC' }, signal: options.signal },
  );
  assertDumped('the roles', code, stderr, options.folder);
  if (!(await readFile(file, 'utf8')).includes(`\n${lastLine}\n`))
    throw cutShort('the roles', options.folder);
}
