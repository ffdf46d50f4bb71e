/** What a container of a scratch server is started with. Pure. */
import { join } from 'node:path';
import type { ScratchOptions } from './scratch.ts';
import { isolationSettings, settingLines } from './scratch-settings.ts';

/** Places in the container. */
const inside = {
  socket: '/var/run/postgresql',
  settings: '/etc/postgresql-scratch',
  password: '/run/scratch-password',
};

/**
 * What initdb writes into a configuration of its own, which this one stands in for (src/bin/initdb/initdb.c,
 * setup_config): without it a text search would use another configuration than on any other server.
 */
const madeSettings = {
  lc_messages: 'C',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  datestyle: 'iso, mdy',
  default_text_search_config: 'pg_catalog.english',
};

/** The container's postgresql.conf. Isolation is not in it: arguments carry that. */
export function containerSettings(settings: Readonly<Record<string, string>>): string {
  return settingLines({ ...madeSettings, ...settings });
}

/** How to start the container; no secret among the arguments. */
export function containerArguments(
  options: Pick<ScratchOptions, 'superuser' | 'encoding' | 'preload'>,
  container: { name: string; image: string; home: string; major: number },
): string[] {
  // The image's entrypoint gives it to a shell.
  if (!/^\w+$/.test(options.encoding)) throw new Error(`no encoding: ${options.encoding}`);
  const isolation = {
    ...isolationSettings(options, inside.socket, container.major),
    // The folder around it keeps everybody out; the user in the container is another one than ours.
    unix_socket_permissions: '0777',
  };
  const mount = (from: string, to: string, how = ''): string =>
    `type=bind,source=${join(container.home, from)},target=${to}${how}`;
  return [
    'run',
    '--detach',
    ...['--name', container.name],
    ...['--label', 'postgres-upgrade=scratch'],
    ...['--network', 'none'],
    ...['--pull', 'missing'],
    // "fast" (documentation, "Shutting Down the Server"), whatever the image says.
    ...['--stop-signal', 'SIGINT'],
    ...['--mount', mount('socket', inside.socket)],
    ...['--mount', mount('settings', inside.settings, ',readonly')],
    ...['--mount', mount('password', inside.password, ',readonly')],
    ...['--env', `POSTGRES_USER=${options.superuser}`],
    // A database of the superuser's name would be made otherwise, and be in the way of a restored one.
    ...['--env', 'POSTGRES_DB=postgres'],
    ...['--env', `POSTGRES_PASSWORD_FILE=${inside.password}`],
    ...['--env', `POSTGRES_INITDB_ARGS=--encoding=${options.encoding} --locale=C --auth=scram-sha-256`],
    ...['--env', `PGHOST=${inside.socket}`],
    container.image,
    'postgres',
    ...['-c', `config_file=${inside.settings}/postgresql.conf`],
    // Arguments win over every file, and over ALTER SYSTEM.
    ...Object.entries(isolation).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}
