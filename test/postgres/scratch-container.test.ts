import { expect, it } from 'vitest';
import { containerArguments, containerSettings } from '../../src/postgres/scratch-container.ts';

const container = { name: 'n', image: 'postgres:17.9', home: '/tmp/pgu-abc', major: 17 };

it('starts without a network, with the password in a file, and its isolation as arguments', () => {
  const args = containerArguments({ superuser: 'ops team', encoding: 'UTF8', preload: 'a,b' }, container);
  const [options, server] = [args.slice(0, args.indexOf('postgres')), args.slice(args.indexOf('postgres'))];
  expect(options).toEqual([
    'run',
    '--detach',
    '--name',
    'n',
    '--label',
    'postgres-upgrade=scratch',
    '--network',
    'none',
    '--pull',
    'missing',
    '--stop-signal',
    'SIGINT',
    '--mount',
    'type=bind,source=/tmp/pgu-abc/socket,target=/var/run/postgresql',
    '--mount',
    'type=bind,source=/tmp/pgu-abc/settings,target=/etc/postgresql-scratch,readonly',
    '--mount',
    'type=bind,source=/tmp/pgu-abc/password,target=/run/scratch-password,readonly',
    '--env',
    'POSTGRES_USER=ops team',
    '--env',
    'POSTGRES_DB=postgres',
    '--env',
    'POSTGRES_PASSWORD_FILE=/run/scratch-password',
    '--env',
    'POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale=C --auth=scram-sha-256',
    '--env',
    'PGHOST=/var/run/postgresql',
    'postgres:17.9',
  ]);
  expect(server.slice(0, 5)).toEqual([
    'postgres',
    '-c',
    'config_file=/etc/postgresql-scratch/postgresql.conf',
    '-c',
    'listen_addresses=',
  ]);
  for (const setting of [
    'archive_mode=off',
    'event_triggers=off',
    'max_worker_processes=0',
    'shared_preload_libraries=a,b',
  ])
    expect(server).toContain(setting);
});

it('hands no encoding to a shell that is none', () =>
  expect(() =>
    containerArguments({ superuser: 'a', encoding: 'UTF8; rm -rf /', preload: '' }, container),
  ).toThrow('no encoding'));

it('has what initdb would have written, and the settings that are given over it', () => {
  const text = containerSettings({ fsync: 'on', datestyle: 'SQL' });
  expect(text).toContain("default_text_search_config = 'pg_catalog.english'\n");
  expect(text.match(/^(fsync|datestyle) = .*$/gm)).toEqual(["datestyle = 'SQL'", "fsync = 'on'"]);
});
