/** A stand-in for `docker` on the PATH, whose images are real servers. */
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { removeFolder } from '../../src/postgres/server.ts';
import { run } from '../../src/process/run.ts';
import { scratchUser } from '../../src/process/user.ts';
import { binariesOf } from './servers.ts';

/** An image by its reference. */
export interface StandInImage {
  /** Version of the server that is really in it. */
  holds: string;
  /** On this machine already; can only be pulled otherwise. */
  here?: boolean;
  /** What the container says and ends with at once. */
  fails?: string;
}

export interface StandIn extends AsyncDisposable {
  folder: string;
  /** For the variable PATH. */
  path: string;
  /** Every call, its arguments joined by blanks. */
  calls(): Promise<string[]>;
  /** Names of the containers that exist. */
  containers(): Promise<string[]>;
  /** Whether its daemon answers. */
  answers(yes: boolean): Promise<void>;
}

export async function dockerStandIn(images: Readonly<Record<string, StandInImage>>): Promise<StandIn> {
  const folder = await mkdtemp(join(tmpdir(), 'pgu-docker-'));
  await chmod(folder, 0o755);
  const user = await scratchUser();
  const made: Record<string, unknown> = {};
  for (const [reference, { holds, here = false, fails }] of Object.entries(images)) {
    const { bin, env } = await binariesOf(holds);
    const { uid, gid } = user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    made[reference] = { bin, env, uid, gid, here, fails, variables: [`PG_VERSION=${holds}-1.pgdg13+1`] };
  }
  await writeFile(join(folder, 'images.json'), JSON.stringify(made));
  await copyFile(join(import.meta.dirname, 'docker-stand-in.mjs'), join(folder, 'docker.mjs'));
  // A real program name; node wants the suffix of a module.
  await writeFile(
    join(folder, 'docker'),
    `#!/bin/sh\nexec "${process.execPath}" "${folder}/docker.mjs" "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const containers = (): Promise<string[]> => readdir(join(folder, 'state')).catch(() => []);
  return {
    folder,
    path: `${folder}${delimiter}${process.env.PATH}`,
    containers,
    calls: async () =>
      (await readFile(join(folder, 'calls.jsonl'), 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as string[]).join(' ')),
    answers: (yes) => (yes ? rm(join(folder, 'down'), { force: true }) : writeFile(join(folder, 'down'), '')),
    async [Symbol.asyncDispose]() {
      for (const name of await containers())
        await run([join(folder, 'docker'), 'rm', '--force', '--volumes', name]);
      await removeFolder(folder);
    },
  };
}
