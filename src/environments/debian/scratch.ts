/**
 * A throw-away server on the machine of the cluster, by the programs that are installed there: it has the files of every
 * extension that the database uses, which the machine of the job need not have.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { UpgradeError } from '../../errors.ts';
import { connect } from '../../postgres/connection.ts';
import { listDatabaseNames } from '../../postgres/databases.ts';
import { randomPassword, type ScratchOptions, type ScratchServer } from '../../postgres/scratch.ts';
import { comfortSettings, isolationSettings, settingLines } from '../../postgres/scratch-settings.ts';
import type { ConnectionSettings } from '../../postgres/settings.ts';
import type { PgVersion } from '../../postgres/version.ts';
import type { Host } from '../../process/host.ts';
import { foreignScript, scratchScript } from './scratch-scripts.ts';

/** Folder in which scratch servers are made: on the filesystem where Debian keeps data, and their user may look into it. */
export const scratchBase = '/var/lib';

/**
 * Names of installed extensions whose files do not come with the server's own package: on another machine a server may
 * not have them.
 */
export async function foreignExtensions(
  host: Host,
  settings: ConnectionSettings,
  major: number,
): Promise<string[]> {
  const names = new Set<string>();
  const name = 'postgres-upgrade inspect';
  const ask = async (
    database: string,
    sql: (connection: Awaited<ReturnType<typeof connect>>) => Promise<void>,
  ) => {
    await using connection = await connect({ ...settings, database }, { name });
    await sql(connection);
  };
  let databases: string[] = [];
  await ask(settings.database, async (connection) => {
    databases = await listDatabaseNames(connection);
  });
  for (const database of databases)
    await ask(database, async (connection) => {
      for (const { extname } of await connection.query<{ extname: string }>(
        'SELECT e.extname FROM pg_catalog.pg_extension AS e',
      ))
        names.add(extname);
    });
  const { stdout } = await host.script(foreignScript, [String(major), ...names]);
  return stdout.split('\n').filter((each) => names.has(each));
}

/** Starts one. @throws UpgradeError `scratch-start` */
export async function startThere(
  host: Host,
  version: PgVersion,
  options: ScratchOptions,
  signal: AbortSignal,
): Promise<ScratchServer> {
  const folder = `${scratchBase}/postgres-upgrade-scratch-${randomBytes(8).toString('hex')}`;
  const socket = `${folder}/socket`;
  const password = randomPassword();
  const { major } = version;
  const conf = `${settingLines(comfortSettings())}${settingLines(isolationSettings(options, socket, major))}`;
  // Whoever restores looks there how full the disk is.
  await mkdir(options.folder, { recursive: true });
  const args = [folder, String(major), options.superuser, options.encoding, conf, password];
  const server = await host.attend(scratchScript, args, signal).catch((cause: unknown) => {
    if (!(cause instanceof UpgradeError) || cause.code !== 'attended') throw cause;
    throw new UpgradeError('scratch-start', `A scratch server did not start on ${host.name}.`, {
      phase: 'prove',
      hint: (cause.hint ?? '').replaceAll(password, '***'),
      cause,
    });
  });
  const at = host.remote ? await host.reachSocket(`${socket}/.s.PGSQL.5432`) : { host: socket, port: 5432 };
  const bytes = async (): Promise<number> => {
    const { stdout } = await host.run(['du', '-sk', `${folder}/data`], { timeout: 600_000 });
    return Number.parseInt(stdout, 10) * 1024;
  };
  return {
    version,
    settings: (database) => ({
      ...at,
      user: options.superuser,
      password,
      database,
      ssl: 'disable',
      sslRootCert: undefined,
    }),
    kind: 'binaries',
    where: `${host.name}:/usr/lib/postgresql/${major}/bin`,
    isolation: [
      'It runs on the machine of the cluster, as the user nobody, in a network namespace of its own where the kernel makes one, and is reached through a socket by a password that nobody has seen.',
    ],
    bytes,
    restart: () => Promise.reject(new Error('a scratch server on the target is not restarted')),
    extensionVersions: async () => null,
    async [Symbol.asyncDispose]() {
      await server.end();
    },
  };
}
