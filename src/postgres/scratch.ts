/** A throw-away server on this machine: reachable only through a socket in a folder that nobody else may enter. */
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import { giveTo, type SystemUser } from '../process/user.ts';
import { type Binaries, extensionVersions } from './binaries.ts';
import { npmSource } from './find-binaries.ts';
import { cutNetwork, isolationWords, userWords } from './isolation.ts';
import { lesserUser } from './lesser-user.ts';
import { commitOnce, measuredRestart, settingsRefused } from './scratch-restart.ts';
import { comfortSettings, isolationSettings, realSettings, settingLines } from './scratch-settings.ts';
import { initCluster, removeFolder, serverFolder, startServer, stopServer } from './server.ts';
import type { ConnectionSettings } from './settings.ts';
import type { PgVersion } from './version.ts';

/** A throw-away server. Nothing but this process may reach it. */
export interface ScratchServer extends AsyncDisposable {
  version: PgVersion;
  settings(database: string): ConnectionSettings;
  kind: ScratchKind;
  /** Folder of its programs, or its image; for people. */
  where: string;
  /** How it is kept from acting on anything, one sentence each. */
  isolation: readonly string[];
  /** Bytes that its data takes on disk. */
  bytes(): Promise<number>;
  /**
   * Stops it as an upgrade does (fast, after a checkpoint), and starts it with these settings over its own.
   * Milliseconds until it had ended, and from then on until a client could commit.
   * @throws UpgradeError `scratch-start` with the server's own words; the server runs with its old settings again then
   */
  restart(settings: Readonly<Record<string, string>>): Promise<{ stopMs: number; startMs: number }>;
  /** Versions of extensions that its files offer; null where nobody can look. */
  extensionVersions(): Promise<ReadonlyMap<string, readonly string[]> | null>;
}

/** Where a scratch server comes from: packages from npm, a container image, programs that are installed. */
export type ScratchKind = 'embedded' | 'docker' | 'binaries';

/** What kind of scratch server is asked for. */
export interface ScratchChoice {
  kind: 'auto' | ScratchKind;
  /** Whether another minor of the same major will do where the exact one cannot be had. */
  nearest: boolean;
  /** Image for `docker`, without a tag. */
  image: string;
}

/** What a scratch server must be like to take a dump. */
export interface ScratchOptions {
  /** Name of the source's bootstrap superuser: grants name it as their grantor. */
  superuser: string;
  encoding: string;
  /** Value of shared_preload_libraries that the restored extensions need. */
  preload: string;
  folder: string;
  /** What is asked for; what the environment takes for a proof where it is missing. */
  choice?: ScratchChoice;
}

/** A password that nobody has seen. It lives as long as its server. */
export function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** File in the folder of a scratch server with the folder of its socket: a later run removes what a killed one left. */
export const socketFile = 'socket-folder';

/**
 * @param asked the operating-system user that it runs as at most; null for ourselves
 * @throws UpgradeError `scratch-start`
 */
export async function startScratch(
  binaries: Binaries,
  options: ScratchOptions,
  asked: SystemUser | null,
  signal: AbortSignal,
): Promise<ScratchServer> {
  const { major } = binaries.version;
  await mkdir(options.folder, { recursive: true, mode: 0o755 });
  const user = await lesserUser(asked, binaries, options.folder);
  const socket = await serverFolder(user);
  const data = join(options.folder, 'data');
  const log = join(options.folder, 'server.log');
  const conf = join(data, 'postgresql.conf');
  const password = randomPassword();
  const settings = (database: string): ConnectionSettings => ({
    host: socket,
    port: 5432,
    user: options.superuser,
    password,
    database,
    ssl: 'disable',
    sslRootCert: undefined,
  });
  const remove = async (): Promise<void> => {
    await stopServer(binaries, data, user, 'immediate', 30).catch(() => {});
    await removeFolder(options.folder);
    await removeFolder(socket);
  };
  try {
    await writeFile(join(options.folder, socketFile), `${socket}\n`, { mode: 0o600 });
    await mkdir(data, { mode: 0o700 });
    await giveTo(user, options.folder, data);
    signal.throwIfAborted();
    const { superuser, encoding } = options;
    await initCluster({ binaries, data, superuser, encoding, password, user });
    const made = await readFile(conf, 'utf8');
    const isolation = settingLines(isolationSettings(options, socket, major));
    await appendFile(conf, `\n${settingLines(comfortSettings())}${isolation}`);
    await chmod(data, 0o700);
    const cut = await cutNetwork(user);
    const start = (wait: number): Promise<void> =>
      startServer({
        binaries,
        data,
        args: [],
        log,
        user: cut.user,
        prefix: cut.prefix,
        // Where memory runs out, the copy goes first.
        oomScoreAdj: 1000,
        // A database link without a host would go to whatever serves the usual socket of this machine.
        variables: { PGHOST: socket },
        wait,
      });
    await start(60);
    return {
      version: binaries.version,
      settings,
      kind: binaries.source === npmSource ? 'embedded' : 'binaries',
      where: binaries.bin,
      isolation: [cut.sentence, userWords(user, asked), ...isolationWords(major)],
      bytes: () => folderBytes(data),
      async restart(given) {
        const old = await readFile(conf, 'utf8');
        let logged = 0;
        const begin = async (): Promise<void> => {
          await start(300);
          await commitOnce(settings('postgres'));
        };
        return await measuredRestart({
          settings: settings('postgres'),
          stop: () => stopServer(binaries, data, user, 'fast'),
          async configure() {
            logged = (await readFile(log, 'utf8')).length;
            const own = settingLines(realSettings(given));
            await writeFile(conf, `${made}\n${own}${isolation}`);
          },
          start: begin,
          async goBack(cause) {
            const words = lastLines((await readFile(log, 'utf8')).slice(logged), 6);
            await stopServer(binaries, data, user, 'immediate').catch(() => {});
            await writeFile(conf, old);
            await begin();
            return settingsRefused(words, cause);
          },
        });
      },
      extensionVersions: () => extensionVersions(binaries),
      [Symbol.asyncDispose]: remove,
    };
  } catch (cause) {
    await remove();
    if (!(cause instanceof UpgradeError)) throw cause;
    throw new UpgradeError('scratch-start', `A scratch server did not start: ${cause.message}`, {
      phase: 'prove',
      hint: cause.hint ?? 'See the lines above.',
      cause,
    });
  }
}

/** Bytes on disk. A file that goes while it is counted makes du complain; the sum is there all the same. */
async function folderBytes(folder: string): Promise<number> {
  const { stdout } = await run(['du', '-sk', folder]);
  return Number.parseInt(stdout, 10) * 1024;
}
