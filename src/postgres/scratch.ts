/** A throw-away server on this machine: reachable only through a socket in a folder that nobody else may enter. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { giveTo, type SystemUser } from '../process/user.ts';
import type { Binaries } from './binaries.ts';
import { configure, initCluster, removeFolder, serverFolder, startServer, stopServer } from './server.ts';
import type { ConnectionSettings } from './settings.ts';
import type { PgVersion } from './version.ts';

/** A throw-away server. Nothing but this process may reach it. */
export interface ScratchServer extends AsyncDisposable {
  version: PgVersion;
  settings(database: string): ConnectionSettings;
}

/** What a scratch server must be like to take a dump. */
export interface ScratchOptions {
  /** Name of the source's bootstrap superuser: grants name it as their grantor. */
  superuser: string;
  encoding: string;
  /** Value of shared_preload_libraries that the restored extensions need. */
  preload: string;
  folder: string;
}

/**
 * Speed instead of durability (it is thrown away), and nothing that acts by itself: no archiving, no
 * autovacuum, no listening on a network address.
 */
function scratchSettings(options: ScratchOptions, socket: string): Record<string, string> {
  return {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    archive_mode: 'off',
    autovacuum: 'off',
    max_wal_size: '2GB',
    maintenance_work_mem: '128MB',
    max_connections: '60',
    max_locks_per_transaction: '256',
    shared_preload_libraries: options.preload,
    logging_collector: 'off',
    log_min_messages: 'warning',
  };
}

/** @throws UpgradeError `scratch-start` */
export async function startScratch(
  binaries: Binaries,
  options: ScratchOptions,
  user: SystemUser | null,
  signal: AbortSignal,
): Promise<ScratchServer> {
  const socket = await serverFolder(user);
  const data = join(options.folder, 'data');
  await mkdir(options.folder, { recursive: true, mode: 0o755 });
  await mkdir(data, { mode: 0o700 });
  await giveTo(user, options.folder, data);
  const remove = async (): Promise<void> => {
    await stopServer(binaries, data, user, 'immediate', 30).catch(() => {});
    await removeFolder(options.folder);
    await removeFolder(socket);
  };
  try {
    signal.throwIfAborted();
    await initCluster({ binaries, data, superuser: options.superuser, encoding: options.encoding, user });
    await configure(data, scratchSettings(options, socket));
    await chmod(data, 0o700);
    await startServer({ binaries, data, args: [], log: join(options.folder, 'server.log'), user, wait: 60 });
  } catch (cause) {
    await remove();
    if (cause instanceof UpgradeError) {
      throw new UpgradeError(
        'scratch-start',
        `A scratch server for the proof did not start: ${cause.message}`,
        {
          phase: 'prove',
          hint: cause.hint ?? 'See the lines above.',
          cause,
        },
      );
    }
    throw cause;
  }
  return {
    version: binaries.version,
    settings: (database) => ({
      host: socket,
      port: 5432,
      user: options.superuser,
      password: undefined,
      database,
      ssl: 'disable',
      sslRootCert: undefined,
    }),
    [Symbol.asyncDispose]: remove,
  };
}
