/** An embedded cluster as a spec describes it, on a real server. */
import { join } from 'node:path';
import type { EmbeddedConfig } from '../../src/environments/embedded/config.ts';
import { embedded } from '../../src/environments/embedded/embedded.ts';
import type { Environment } from '../../src/environments/environment.ts';
import { startServer } from '../../src/postgres/server.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';
import type { Log } from '../../src/process/log.ts';
import type { TestServer } from '../support/servers.ts';

const quiet: Log = { info() {}, progress() {}, annotate() {}, startGroup() {}, endGroup() {} };

/** Opens the environment of a test's server. */
export function environmentOf(
  server: TestServer,
  config: Partial<EmbeddedConfig> = {},
  connection: ConnectionSettings = server.settings(),
): Environment {
  return embedded.open(
    {
      kind: 'embedded',
      data: server.data,
      port: server.port,
      state: join(server.folder, 'state'),
      ...config,
    },
    {
      target: 'sample',
      log: quiet,
      signal: new AbortController().signal,
      connection,
      secret: () => '',
      wanted: { major: 15, minor: 18 },
    },
  );
}

/** Starts a test's server as an administrator would: with options of its own, and a log of its own. */
export async function startWithOptions(server: TestServer): Promise<{ log: string }> {
  const { binaries, data, port, user } = server;
  const log = join(server.folder, 'own.log');
  await startServer({ binaries, data, user, log, args: ['-p', String(port), '-c', 'work_mem=5MB'] });
  return { log };
}

/** What a client sees of a server. */
export async function serves(server: TestServer): Promise<{ version: string; work_mem: string } | undefined> {
  await using connection = await server.connect();
  const [row] = await connection.query<{ version: string; work_mem: string }>(
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, current_setting('work_mem') AS work_mem",
  );
  return row;
}
