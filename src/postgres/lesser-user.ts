/** Which operating-system user a scratch server runs as. */
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { areWeRoot, type SystemUser, userNamed } from '../process/user.ts';
import type { Binaries } from './binaries.ts';

/**
 * As root: `nobody`, where that one may enter the folder and run the programs. A copy of somebody's data, and whatever
 * runs in it as a superuser, should not be able to touch the files of the real server, nor log into it as their owner.
 * @param asked the user otherwise; null for ourselves
 * @param folder an existing folder, in which the server's data will lie
 */
export async function lesserUser(
  asked: SystemUser | null,
  binaries: Binaries,
  folder: string,
): Promise<SystemUser | null> {
  if (!asked || !areWeRoot()) return asked;
  const nobody = await userNamed('nobody');
  if (!nobody) return asked;
  const can = async (argv: readonly [string, ...string[]]): Promise<boolean> => {
    const tried = await run(argv, { user: nobody, env: binaries.env, timeout: 10_000 }).catch(() => null);
    return tried?.code === 0;
  };
  const may =
    (await can(['test', '-x', folder])) && (await can([join(binaries.bin, 'postgres'), '--version']));
  return may ? nobody : asked;
}
