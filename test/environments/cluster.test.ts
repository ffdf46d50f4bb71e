import { describe, expect, it } from 'vitest';
import { portIn, readStartOptions, startedWith } from '../../src/environments/embedded/cluster.ts';

describe('readStartOptions', () => {
  it.each<[string, string, { program: string; args: string[] }]>([
    [
      'of Debian',
      '/usr/lib/postgresql/15/bin/postgres "-D" "/var/lib/postgresql/15/main" "-c" "config_file=/etc/postgresql/15/main/postgresql.conf"\n',
      {
        program: '/usr/lib/postgresql/15/bin/postgres',
        args: ['-c', 'config_file=/etc/postgresql/15/main/postgresql.conf'],
      },
    ],
    [
      'of pg_ctl with a port',
      '/opt/pg/bin/postgres "-D" "/srv/orders" "-p" "5433" "-k" "/run/pg"\n',
      { program: '/opt/pg/bin/postgres', args: ['-p', '5433', '-k', '/run/pg'] },
    ],
    ['with nothing but the program', '/opt/pg/bin/postgres\n', { program: '/opt/pg/bin/postgres', args: [] }],
    [
      'with the data directory joined to its option',
      '/opt/pg/bin/postgres "-D/srv/orders" "-p5433"\n',
      { program: '/opt/pg/bin/postgres', args: ['-p5433'] },
    ],
    [
      'with spaces everywhere',
      '/opt/my pg/bin/postgres "-D" "/srv/my data" "-c" "log_line_prefix=%m [%p] "\n',
      { program: '/opt/my pg/bin/postgres', args: ['-c', 'log_line_prefix=%m [%p] '] },
    ],
    [
      'with quotes inside an argument',
      '/opt/pg/bin/postgres "-c" "log_line_prefix="%m"" "-c" "search_path="$user", public" "-c" "cluster_name=it\'s"\n',
      {
        program: '/opt/pg/bin/postgres',
        args: ['-c', 'log_line_prefix="%m"', '-c', 'search_path="$user", public', '-c', "cluster_name=it's"],
      },
    ],
    [
      'with an empty argument',
      '/opt/pg/bin/postgres "-c" "listen_addresses=" "" "-p" "1"\n',
      { program: '/opt/pg/bin/postgres', args: ['-c', 'listen_addresses=', '', '-p', '1'] },
    ],
    [
      'with a line break in an argument',
      '/opt/pg/bin/postgres "-c" "cluster_name=a\nb" "-p" "1"\n',
      { program: '/opt/pg/bin/postgres', args: ['-c', 'cluster_name=a\nb', '-p', '1'] },
    ],
    ['that are not there', '', { program: '', args: [] }],
  ])('%s', (_what, text, expected) => expect(readStartOptions(text)).toEqual(expected));
});

describe('portIn', () => {
  it.each([
    [[], null],
    [['-k', '/run/5433'], null],
    [['-p', '5433'], 5433],
    [['-p5433'], 5433],
    [['--port=5433'], 5433],
    [['-c', 'port=5433'], 5433],
    [['-cport=5433'], 5433],
    [['-c', 'superport=1'], null],
    [['-p', '5433', '-c', 'port=5434'], 5434],
    [['-p'], null],
    [['-p', 'x'], null],
  ])('%j is %s', (args, port) => expect(portIn(args)).toBe(port));
});

describe('startedWith', () => {
  it.each([
    ['/usr/lib/postgresql/15/bin/postgres "-D" "/srv/link/data" "-p" "5432"\n', '/srv/link/data'],
    ['/usr/lib/postgresql/15/bin/postgres "-D/srv/data"\n', '/srv/data'],
    ['/usr/lib/postgresql/15/bin/postgres "-c" "config_file=/etc/x.conf"\n', null],
    ['', null],
  ])('%s', (text, data) => expect(startedWith(text)).toBe(data));
});
