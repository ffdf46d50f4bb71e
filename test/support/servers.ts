/** Real PostgreSQL servers for tests: binaries from the tool cache, each cluster in a folder of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from '../../src/postgres/binaries.ts';
import { type Connection, connect } from '../../src/postgres/connection.ts';
import { findBinaries } from '../../src/postgres/find-binaries.ts';
import {
  configure,
  freePort,
  initCluster,
  removeFolder,
  serverFolder,
  serverPid,
  startServer,
  stopServer,
} from '../../src/postgres/server.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { type SystemUser, scratchUser } from '../../src/process/user.ts';

export interface TestServer extends AsyncDisposable {
  binaries: Binaries;
  /** Folder that holds `data` and `server.log`. */
  folder: string;
  data: string;
  port: number;
  user: SystemUser | null;
  url: string;
  settings(database?: string): ConnectionSettings;
  connect(database?: string): Promise<Connection>;
  start(): Promise<void>;
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  log(): Promise<string>;
}

export interface TestServerOptions {
  settings?: Record<string, string>;
  checksums?: boolean;
  start?: boolean;
  /** Uses this data directory (a base backup, for example) instead of making a new cluster. */
  data?: string;
  /** Programs other than those of the cache: a copy with one more library, for example. */
  binaries?: Binaries;
}

export const password = 'correct horse battery staple';

export function binariesOf(version: string): Promise<Binaries> {
  return findBinaries(parseVersion(version), undefined, () => {});
}

/** Makes and starts a server; superuser `postgres` with `password`, which loopback does not ask for (trust). */
export async function testServer(version: string, options: TestServerOptions = {}): Promise<TestServer> {
  const binaries = options.binaries ?? (await binariesOf(version));
  const user = await scratchUser();
  const folder = await serverFolder(user);
  const data = options.data ?? join(folder, 'data');
  const port = await freePort();
  if (!options.data) {
    await initCluster({ binaries, data, superuser: 'postgres', checksums: options.checksums ?? false, user });
    await configure(data, {
      fsync: 'off',
      max_connections: '40',
      shared_buffers: '32MB',
      unix_socket_directories: '',
      max_prepared_transactions: '5',
      ...options.settings,
    });
  }
  const settings = (database = 'postgres'): ConnectionSettings => ({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database,
    ssl: 'disable',
    sslRootCert: undefined,
  });
  const log = join(folder, 'server.log');
  const server: TestServer = {
    binaries,
    folder,
    data,
    port,
    user,
    url: `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    settings,
    connect: (database) => connect(settings(database), { name: 'test' }),
    start: () => startServer({ binaries, data, args: ['-p', String(port)], log, user }),
    stop: (how = 'fast') => stopServer(binaries, data, user, how),
    log: () => readFile(log, 'utf8').catch(() => ''),
    async [Symbol.asyncDispose]() {
      if ((await serverPid(data)) !== null)
        await stopServer(binaries, data, user, 'immediate').catch(() => {});
      await removeFolder(folder);
    },
  };
  if (options.start !== false) await server.start();
  return server;
}
