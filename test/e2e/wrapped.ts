/** Server programs of a version whose `postgres` does something more first: how a bad new binary is planted. */
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binariesOf } from '../support/servers.ts';

/**
 * Makes `folder/bin` with the programs of a version. `script` is shell, run before the real server whenever `postgres`
 * is called for more than its version; the real one follows with the same arguments unless it exits.
 */
export async function wrappedBinaries(version: string, folder: string, script: string): Promise<string> {
  const { bin, env } = await binariesOf(version);
  const target = join(folder, 'bin');
  await mkdir(target, { recursive: true });
  for (const name of await readdir(bin)) {
    // A copy: pg_ctl looks for postgres beside the file that a link leads to.
    if (name === 'pg_ctl') await copyFile(join(bin, name), join(target, name));
    else if (name !== 'postgres') await symlink(join(bin, name), join(target, name));
  }
  await symlink(join(bin, '../lib'), join(folder, 'lib'));
  await symlink(join(bin, '../share'), join(folder, 'share'));
  const library = env.LD_LIBRARY_PATH ? `export LD_LIBRARY_PATH='${env.LD_LIBRARY_PATH}'\n` : '';
  const postgres = join(target, 'postgres');
  await writeFile(
    postgres,
    `#!/bin/sh\n${library}case "$1" in -V|--version) exec '${join(bin, 'postgres')}' "$1";; esac\n${script}\nexec '${join(bin, 'postgres')}' "$@"\n`,
  );
  await chmod(postgres, 0o755);
  return folder;
}

/** Shell for "this start serves the data directory for real", not a preflight and not a scratch server. */
export function whenServing(data: string, script: string): string {
  return `case "$*" in *" -C "*) ;; *"-D ${data} "*) ${script} ;; esac`;
}
