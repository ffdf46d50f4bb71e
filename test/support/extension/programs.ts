/** Server programs of a test's own, with one more extension: the cache belongs to everybody. */
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Binaries, binariesIn } from '../../../src/postgres/binaries.ts';
import { installPackage } from '../../../src/postgres/install.ts';
import { parseVersion } from '../../../src/postgres/version.ts';

/** A private tree: programs copied, since they look for their files beside themselves; all else linked. */
export interface Programs extends AsyncDisposable {
  binaries: Binaries;
  /** Folder of control files and scripts. */
  extensions: string;
  /** Folder of the libraries. */
  libraries: string;
}

export const own = 'pgu_views';
const files = import.meta.dirname;

/** Links everything of a folder into a new one, so that single files can be taken away or added. */
async function linkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await symlink(join(from, name), join(to, name));
}

/** The programs of a version with the test extension, of which only the named scripts are there. */
export async function programsWith(
  version: string,
  scripts: readonly string[] = ['1.0', '1.0--1.1', '1.1--1.0'],
): Promise<Programs> {
  // Those of a Debian package on this machine cannot be moved.
  const native = await installPackage(parseVersion(version), () => {});
  const folder = await mkdtemp(join(tmpdir(), 'pgu-extension-'));
  await cp(join(native, 'bin'), join(folder, 'bin'), { recursive: true });
  const libraries = join(folder, 'lib/postgresql');
  await mkdir(join(folder, 'lib'));
  for (const name of await readdir(join(native, 'lib')))
    if (name !== 'postgresql') await symlink(join(native, 'lib', name), join(folder, 'lib', name));
  await linkAll(join(native, 'lib/postgresql'), libraries);
  const share = join(folder, 'share/postgresql');
  await linkAll(join(native, 'share/postgresql'), share);
  const extensions = join(share, 'extension');
  await rm(extensions);
  await linkAll(join(native, 'share/postgresql/extension'), extensions);
  for (const name of [`${own}.control`, ...scripts.map((each) => `${own}--${each}.sql`)])
    await cp(join(files, name), join(extensions, name));
  await chmod(folder, 0o755);
  const binaries = await binariesIn(folder, 'copy with an extension');
  if (!binaries) throw new Error(`the copy of ${version} does not start`);
  return {
    binaries,
    extensions,
    libraries,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
