/** Stopping one version and starting another on the same data: the change itself, and its way back. */

import { existsSync } from 'node:fs';
import { mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, UpgradeError } from '../../errors.ts';
import { type Binaries, binariesIn } from '../../postgres/binaries.ts';
import { connect } from '../../postgres/connection.ts';
import { serverPid, startServer, stopServer } from '../../postgres/server.ts';
import type { ConnectionSettings } from '../../postgres/settings.ts';
import {
  compareVersions,
  formatVersion,
  fromVersionNum,
  type PgVersion,
  parseVersion,
} from '../../postgres/version.ts';
import { giveTo, type SystemUser, userForOwner } from '../../process/user.ts';

/** How to start a server of a version: goes into the journal, so that any later job can do it. */
export interface StartRecipe {
  data: string;
  bin: string;
  version: string;
  args: string[];
  log: string;
  /** Of the old server; 0 where it is not known. */
  oomScoreAdj?: number;
}

async function programs(recipe: StartRecipe): Promise<{ binaries: Binaries; user: SystemUser | null }> {
  const binaries = await binariesIn(recipe.bin, 'journal');
  if (!binaries || compareVersions(binaries.version, parseVersion(recipe.version)) !== 0) {
    throw new UpgradeError(
      'binaries-lost',
      `The programs of PostgreSQL ${recipe.version} are not in ${recipe.bin} any more.`,
      {
        hint: `Put them back, then start the cluster: pg_ctl start -D ${recipe.data}.`,
      },
    );
  }
  return { binaries, user: await userForOwner((await stat(recipe.data)).uid) };
}

/** pg_ctl opens the log as the server's user, who may not make a file in a folder that is ours. */
async function prepareLog(log: string, user: SystemUser | null): Promise<void> {
  if (existsSync(log)) return;
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, '', { mode: 0o600 });
  await giveTo(user, log);
}

/** Starts by recipe and waits until the server answers a real query with the recipe's version. */
export async function startByRecipe(
  recipe: StartRecipe,
  settings: ConnectionSettings,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { binaries, user } = await programs(recipe);
  await prepareLog(recipe.log, user);
  await startServer({
    binaries,
    data: recipe.data,
    args: recipe.args,
    log: recipe.log,
    user,
    variables,
    oomScoreAdj: recipe.oomScoreAdj ?? 0,
  });
  await assertServes(settings, parseVersion(recipe.version), recipe.data);
}

/** Fast stop: ends sessions, writes a checkpoint. Fine where nothing runs. */
export async function stopByRecipe(recipe: StartRecipe): Promise<void> {
  const { binaries, user } = await programs(recipe);
  await stopServer(binaries, recipe.data, user);
}

/** Stops whatever serves the data directory and starts the recipe's version; leaves it alone where that runs already. */
export async function returnTo(
  recipe: StartRecipe,
  settings: ConnectionSettings,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  if ((await serverPid(recipe.data)) !== null) {
    const running = await runningVersion(settings).catch(() => null);
    if (running && compareVersions(running, parseVersion(recipe.version)) === 0) return;
    await stopByRecipe(recipe);
  }
  await startByRecipe(recipe, settings, variables);
}

/** Looks this often at a server that is neither up nor gone, in milliseconds. */
const lookEvery = 2000;

/**
 * Makes sure that something serves the data directory: waits while a server there is still starting or stopping
 * (its process lives, but answers nothing), and starts the recipe's once it is gone.
 * @param patience milliseconds
 * @throws UpgradeError `server-stuck` where it is neither up nor gone after `patience`
 */
export async function ensureServing(
  recipe: StartRecipe,
  settings: ConnectionSettings,
  progress: (text: string) => void,
  patience = 600_000,
): Promise<void> {
  const begun = Date.now();
  for (;;) {
    const pid = await serverPid(recipe.data);
    if (pid === null) {
      try {
        return await startByRecipe(recipe, settings);
      } catch (cause) {
        // A start that a killed run left behind may have come first: then there is a server to wait for.
        if ((await serverPid(recipe.data)) === null) throw cause;
        continue;
      }
    }
    const answer = await runningVersion(settings).catch((cause: unknown) => messageOf(cause));
    if (typeof answer !== 'string') return;
    const waited = Math.round((Date.now() - begun) / 1000);
    if (waited * 1000 >= patience) {
      throw new UpgradeError(
        'server-stuck',
        `The server process ${pid} is neither up nor gone after ${waited} seconds: ${answer}`,
        {
          phase: 'rollback',
          hint: `Look at ${recipe.log}. When the process has ended: pg_ctl start -D ${recipe.data}.`,
        },
      );
    }
    progress(`waiting for the server process ${pid} to come up or to end, ${waited} s: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, lookEvery));
  }
}

/** What the server answers, by a real query. @throws UpgradeError where it cannot be reached */
export async function runningVersion(settings: ConnectionSettings): Promise<PgVersion> {
  await using connection = await connect(settings, { name: 'postgres-upgrade version', timeout: 5000 });
  const [row] = await connection.query<{ num: string }>(
    "SELECT pg_catalog.current_setting('server_version_num') AS num",
  );
  return fromVersionNum(Number(row?.num));
}

/** @throws UpgradeError `wrong-version`, `wrong-server`: what answers is not what was started */
export async function assertServes(
  settings: ConnectionSettings,
  version: PgVersion,
  data: string,
): Promise<void> {
  await using connection = await connect(settings, { name: 'postgres-upgrade start', timeout: 10_000 });
  const [row] = await connection.query<{ num: string; data: string }>(
    "SELECT pg_catalog.current_setting('server_version_num') AS num, pg_catalog.current_setting('data_directory') AS data",
  );
  const running = fromVersionNum(Number(row?.num));
  if (compareVersions(running, version) !== 0) {
    throw new UpgradeError(
      'wrong-version',
      `The server answers as ${formatVersion(running)}, not as ${formatVersion(version)}.`,
      {
        phase: 'upgrade',
        hint: 'Something else starts this cluster: stop it and run again.',
      },
    );
  }
  // A server reports the path that it was started with, symbolic links and all.
  if (!row || (await realpath(row.data).catch(() => row.data)) !== (await realpath(data).catch(() => data))) {
    throw new UpgradeError(
      'wrong-server',
      `The connection leads to the data directory ${row?.data ?? '?'}, not to ${data}.`,
      {
        phase: 'upgrade',
        hint: 'Check host and port of the connection against environment.data and environment.port.',
      },
    );
  }
}
