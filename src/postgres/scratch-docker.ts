/**
 * A throw-away server in a container of an image that behaves like the official one (https://hub.docker.com/_/postgres):
 * without a network, reachable only through a socket in a folder that nobody else may enter.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpgradeError } from '../errors.ts';
import { lastLines } from '../process/run.ts';
import { connect } from './connection.ts';
import { containerErrors, containerLog, containerRuns, docker, removeContainer } from './docker.ts';
import { isolationWords } from './isolation.ts';
import { randomPassword, type ScratchOptions, type ScratchServer, socketFile } from './scratch.ts';
import { containerArguments, containerSettings } from './scratch-container.ts';
import { commitOnce, measuredRestart, settingsRefused } from './scratch-restart.ts';
import { comfortSettings, realSettings } from './scratch-settings.ts';
import { removeFolder } from './server.ts';
import type { ConnectionSettings } from './settings.ts';
import { compareVersions, formatVersion, fromVersionNum, type PgVersion } from './version.ts';

/** File in the folder of a scratch server with the name of its container: a later run removes what a killed one left. */
export const containerFile = 'container';

/** The entrypoint says it when its temporary server, which takes the same socket, has ended. */
const initialised = 'PostgreSQL init process complete';

/**
 * @param wanted what the image's tag promises; the server is asked
 * @throws UpgradeError `scratch-start`, `scratch-version`; Cancelled
 */
export async function startContainer(
  image: string,
  wanted: PgVersion,
  options: ScratchOptions,
  signal: AbortSignal,
): Promise<ScratchServer> {
  const name = `postgres-upgrade-scratch-${randomBytes(8).toString('hex')}`;
  // Short, because a socket's path may have 107 bytes at most.
  const home = await mkdtemp(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), 'pgu-'));
  const password = randomPassword();
  const conf = join(home, 'settings', 'postgresql.conf');
  const settings = (database: string): ConnectionSettings => ({
    host: join(home, 'socket'),
    port: 5432,
    user: options.superuser,
    password,
    database,
    ssl: 'disable',
    sslRootCert: undefined,
  });
  const configure = async (given: Readonly<Record<string, string>>): Promise<string> => {
    const text = containerSettings(given);
    await writeFile(conf, text, { mode: 0o644 });
    return text;
  };
  const remove = async (): Promise<void> => {
    await removeContainer(name);
    await removeFolder(options.folder);
    // A dead socket may stay where the container's user is not ours: it is of no use to anybody.
    await removeFolder(home).catch(() => {});
  };
  try {
    await mkdir(options.folder, { recursive: true, mode: 0o755 });
    await writeFile(join(options.folder, containerFile), `${name}\n`, { mode: 0o600 });
    await writeFile(join(options.folder, socketFile), `${home}\n`, { mode: 0o600 });
    await mkdir(join(home, 'socket'));
    await mkdir(join(home, 'settings'), { mode: 0o755 });
    // Its owner in the container may be anybody; on this machine the folder around it keeps everybody out.
    await writeFile(join(home, 'password'), `${password}\n`, { mode: 0o444 });
    let current = await configure(comfortSettings());
    signal.throwIfAborted();
    // Not to be interrupted: a container that Docker goes on making could not be removed yet.
    const begun = await docker(containerArguments(options, { name, image, home, major: wanted.major }), {
      shielded: true,
      timeout: 1_800_000,
    });
    signal.throwIfAborted();
    if (begun.code !== 0)
      throw refused(`The container of ${image} did not start.`, lastLines(begun.stderr, 6));
    await waitFor(name, image, signal, async () => {
      const { stdout, stderr } = await docker(['logs', name], { signal });
      return `${stdout}${stderr}`.includes(initialised);
    });
    await waitFor(name, image, signal, () => serves(settings('postgres')));
    const version = await versionOf(settings('postgres'));
    if (compareVersions(version, wanted) !== 0) {
      throw new UpgradeError(
        'scratch-version',
        `The image ${image} holds PostgreSQL ${formatVersion(version)}, not ${formatVersion(wanted)}.`,
        {
          phase: 'prove',
          hint: 'Name an image in rehearsal.image whose tags are the versions that it holds.',
          docs: 'rehearsals.md#the-scratch-server',
        },
      );
    }
    // It is needed only once, and the container does not start again without the file.
    await chmod(join(home, 'password'), 0o600);
    await writeFile(join(home, 'password'), '');
    const begin = async (): Promise<void> => {
      const { code, stderr } = await docker(['start', name], { shielded: true });
      if (code !== 0) throw refused(`The container ${name} did not start again.`, lastLines(stderr, 6));
      await waitFor(name, image, new AbortController().signal, () => serves(settings('postgres')));
      await commitOnce(settings('postgres'));
    };
    const stop = async (seconds: number): Promise<void> => {
      const { code, stderr } = await docker(['stop', '-t', String(seconds), name], {
        timeout: (seconds + 60) * 1000,
        shielded: true,
      });
      if (code !== 0) throw refused(`The container ${name} did not stop.`, lastLines(stderr, 6));
    };
    return {
      version,
      settings,
      kind: 'docker',
      where: image,
      isolation: [
        'The network is cut off: its container has none (docker run --network none).',
        ...isolationWords(version.major),
      ],
      async bytes() {
        const { stdout } = await docker(['exec', name, 'sh', '-c', 'du -sk "$PGDATA"']);
        return Number.parseInt(stdout, 10) * 1024;
      },
      async restart(given) {
        const old = current;
        let before = '';
        return await measuredRestart({
          settings: settings('postgres'),
          stop: () => stop(600),
          async configure() {
            before = await containerErrors(name);
            current = await configure(realSettings(given));
          },
          start: begin,
          async goBack(cause) {
            const after = await containerErrors(name);
            // What is kept of a long log moves on.
            const words = lastLines(after.startsWith(before) ? after.slice(before.length) : after, 6);
            await stop(5).catch(() => {});
            current = old;
            await writeFile(conf, old);
            await begin();
            return settingsRefused(words, cause);
          },
        });
      },
      extensionVersions: () => offered(settings('postgres')),
      [Symbol.asyncDispose]: remove,
    };
  } catch (cause) {
    await remove();
    throw cause;
  }
}

function refused(message: string, words: string): UpgradeError {
  return new UpgradeError('scratch-start', message, { phase: 'prove', hint: words || 'It printed nothing.' });
}

/** @throws UpgradeError `scratch-start` with the container's last lines where it has ended */
async function waitFor(
  name: string,
  image: string,
  signal: AbortSignal,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + 300_000;
  for (;;) {
    const runs = await containerRuns(name);
    if (await isDone()) return;
    if (!runs) throw refused(`The container of ${image} ended at once.`, await containerLog(name, 8));
    if (Date.now() > end)
      throw refused(`The server of ${image} does not answer after 5 minutes.`, await containerLog(name, 8));
    await sleep(100, undefined, { signal });
  }
}

async function serves(settings: ConnectionSettings): Promise<boolean> {
  try {
    await using connection = await connect(settings, { timeout: 5000 });
    await connection.query('SELECT 1');
    return true;
  } catch (cause) {
    if (cause instanceof UpgradeError && cause.code === 'login-refused') throw cause;
    return false;
  }
}

async function versionOf(settings: ConnectionSettings): Promise<PgVersion> {
  await using connection = await connect(settings);
  const [row] = await connection.query<{ num: number }>(
    `SELECT pg_catalog.current_setting('server_version_num')::int AS num`,
  );
  return fromVersionNum(row?.num ?? 0);
}

async function offered(settings: ConnectionSettings): Promise<Map<string, string[]>> {
  await using connection = await connect(settings);
  const rows = await connection.query<{ name: string; versions: string[] }>(
    `SELECT name::text, array_agg(version::text ORDER BY version) AS versions
     FROM pg_catalog.pg_available_extension_versions GROUP BY name`,
  );
  return new Map(rows.map(({ name, versions }) => [name, versions]));
}
