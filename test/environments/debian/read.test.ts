/** What is read from the programs of Debian: their real output, and hostile variants of it. */
import { describe, expect, it, test } from 'vitest';
import { findCluster, readClusters } from '../../../src/environments/debian/clusters.ts';
import { debianSchema } from '../../../src/environments/debian/config.ts';
import { readFacts } from '../../../src/environments/debian/look.ts';
import { sections } from '../../../src/environments/debian/look-scripts.ts';
import { readUnattended } from '../../../src/environments/debian/package-facts.ts';
import {
  choosePackages,
  postgresVersion,
  readInstalled,
  readMadison,
  readPolicy,
  readSimulation,
} from '../../../src/environments/debian/packages.ts';
import { readSaved, readSums } from '../../../src/environments/debian/saved.ts';

const old = '15.18-0+deb12u1';
const fresh = '15.20-0+deb12u1';
const installedText = `ii |libpq5|${old}|postgresql-15
ii |postgresql-15|${old}|postgresql-15
rc |postgresql-13|13.1-1|postgresql-13
un |postgresql-99||
iF |postgresql-client-15|${old}|postgresql-15
`;
const madison = ` postgresql-15 | ${fresh} | https://example.org/debian-security bookworm-security/main amd64 Packages
 postgresql-15 | ${old} | https://example.org/debian bookworm/main amd64 Packages
    libpq5 | ${fresh} | https://example.org/debian-security bookworm-security/main amd64 Packages
    libpq5 | ${old} | https://example.org/debian bookworm/main amd64 Packages
 postgresql-client-15 | ${fresh} | https://example.org/debian-security bookworm-security/main amd64 Packages
 postgresql-15 | ${old} | https://example.org/debian bookworm/main Sources
`;
const policy = `postgresql-15:
  Installed: ${old}
  Candidate: ${fresh}
  Version table:
     ${fresh} 500
 *** ${old} 500
        500 https://example.org/debian bookworm/main amd64 Packages
postgresql-99:
  Installed: (none)
  Candidate: (none)
`;

test('dpkg-query: what is unpacked, also half configured, without what is only configuration', () => {
  expect(readInstalled(installedText).map(({ name }) => name)).toEqual([
    'libpq5',
    'postgresql-15',
    'postgresql-client-15',
  ]);
});

test('apt-cache madison and policy', () => {
  const offers = readMadison(madison);
  expect(offers.get('postgresql-15')).toEqual([fresh, old]);
  expect(offers.get('libpq5')).toEqual([fresh, old]);
  expect(readPolicy(policy)).toEqual(new Map([['postgresql-15', fresh]]));
});

test.each([
  ['15.20-0+deb12u1', { major: 15, minor: 20 }],
  ['1:15.20-1.pgdg120+1', { major: 15, minor: 20 }],
  ['16.4-0ubuntu0.24.04.2', { major: 16, minor: 4 }],
  ['15.20', { major: 15, minor: 20 }],
  ['15.20~rc1-1', { major: 15, minor: 20 }],
  ['248+deb12u2', null],
  ['9.6.24-1', null],
])('PostgreSQL version of the package version %s', (text, version) => {
  expect(postgresVersion(text)).toEqual(version);
});

describe('the packages of an upgrade', () => {
  const installed = readInstalled(installedText);
  const offers = readMadison(madison);
  const wanted = { major: 15, minor: 20 };
  it('are those of the server and of its source, at exactly the wanted version, the server first', () => {
    expect(
      choosePackages(installed, offers, readPolicy(policy), wanted, { 'postgresql-15-cron': '1.6-1' }),
    ).toEqual([
      { name: 'postgresql-15', version: fresh },
      { name: 'libpq5', version: fresh },
      { name: 'postgresql-client-15', version: fresh },
      { name: 'postgresql-15-cron', version: '1.6-1' },
    ]);
  });
  it('have no version where the lists do not have it', () => {
    expect(choosePackages(installed, offers, new Map(), { major: 15, minor: 19 }, {})[0]).toEqual({
      name: 'postgresql-15',
      version: null,
    });
  });
  it('leave a libpq5 alone that another source brought', () => {
    const newer = installed.map((each) =>
      each.name === 'libpq5' ? { ...each, source: 'postgresql-18' } : each,
    );
    expect(choosePackages(newer, offers, new Map(), wanted, {}).map(({ name }) => name)).toEqual([
      'postgresql-15',
      'postgresql-client-15',
    ]);
  });
});

test('apt-get --simulate', () => {
  const text = `Inst postgresql-15 [${old}] (${fresh} Debian-Security:12/oldstable-security [amd64]) []
Inst libllvm99 (99-1 Debian:12 [amd64])
Remv postgresql-15-cron [1.5-1]
Conf postgresql-15 (${fresh} Debian-Security:12/oldstable-security [amd64])
`;
  expect(readSimulation(text, new Set(['postgresql-15', 'postgresql-15-cron']))).toEqual([
    { name: 'postgresql-15', from: old, to: fresh, expected: true },
    { name: 'libllvm99', from: null, to: '99-1', expected: false },
    { name: 'postgresql-15-cron', from: '1.5-1', to: null, expected: false },
  ]);
});

describe('pg_lsclusters', () => {
  const json = JSON.stringify([
    {
      version: 15,
      cluster: 'main',
      port: '5432',
      running: 1,
      pgdata: '/srv/15 main',
      configdir: '/etc/postgresql/15/main',
      logfile: '/var/log/postgresql/postgresql-15-main.log',
      start: 'auto',
    },
    { version: 15, cluster: 'ha', port: 5433, running: 0, pgdata: '/srv/ha', supervisor: 'patroni' },
    { version: '9.6', cluster: 'old' },
  ]);
  const table = `15  main    5432 online          postgres /srv/15 main /var/log/postgresql/postgresql-15-main.log
15  ha      5433 down,patroni    postgres /srv/ha      syslog
`;
  it('prints JSON, or a table where libjson-perl is missing: both say the same', () => {
    const main = {
      version: 15,
      cluster: 'main',
      port: 5432,
      running: true,
      data: '/srv/15 main',
      configuration: '/etc/postgresql/15/main',
      log: '/var/log/postgresql/postgresql-15-main.log',
      supervisor: null,
    };
    expect(readClusters(json)[0]).toEqual({ ...main, start: 'auto' });
    expect(readClusters(table)[0]).toEqual({ ...main, start: null });
    expect(readClusters(table)[1]).toMatchObject({ running: false, supervisor: 'patroni', log: null });
  });
  it('names what is there, and who else manages it', () => {
    const clusters = readClusters(json);
    expect(() => findCluster(clusters, 16, 'main', 'db1')).toThrow(
      expect.objectContaining({
        code: 'cluster-missing',
        hint: expect.stringContaining('15/main, 15/ha'),
      }),
    );
    expect(() => findCluster(clusters, 15, 'ha', 'db1')).toThrow(
      expect.objectContaining({ code: 'cluster-supervised' }),
    );
    expect(() => readClusters('[{')).toThrow(expect.objectContaining({ code: 'clusters-unreadable' }));
  });
});

describe('what manages the cluster', () => {
  const text = (init: string, running: number): string =>
    `\n==clusters\n${JSON.stringify([{ version: 15, cluster: 'main', port: 5432, running, pgdata: '/d' }])}\n==init\n${init}\n==end\n`;
  const supervisor = (init: string, running: number, asked = 'auto'): string =>
    readFacts(
      text(init, running),
      debianSchema.parse({ kind: 'debian', version: 15, supervisor: asked }),
      'db1',
    ).supervisor;
  it.each([
    ['systemd\nactive', 1, 'systemd'],
    ['systemd\ninactive', 0, 'systemd'],
    ['systemd\ninactive', 1, 'pg_ctlcluster'],
    ['', 1, 'pg_ctlcluster'],
  ])('%j with running %i is %s', (init, running, expected) => {
    expect(supervisor(init, running)).toBe(expected);
  });
  it('is refused where it is not what the spec says', () => {
    for (const [init, asked] of [
      ['', 'systemd'],
      ['systemd\ninactive', 'systemd'],
      ['systemd\nactive', 'pg_ctlcluster'],
    ] as const)
      expect(() => supervisor(init, 1, asked)).toThrow(expect.objectContaining({ code: 'supervisor' }));
  });
  it('an output without its end is no answer', () => {
    expect(() =>
      readFacts('==clusters\n[]', debianSchema.parse({ kind: 'debian', version: 15 }), 'db1', 'sh: killed'),
    ).toThrow(expect.objectContaining({ code: 'debian-tools', hint: 'sh: killed' }));
    expect(() =>
      readFacts('\n==missing\n', debianSchema.parse({ kind: 'debian', version: 15 }), 'db1'),
    ).toThrow(expect.objectContaining({ message: 'db1 has no pg_lsclusters.' }));
  });
});

test('sections: a line that only looks like one does not divide', () => {
  expect(sections('\n==a\n1\n== b\n2\n\n==b\n3\n')).toEqual(
    new Map([
      ['a', '1\n== b\n2\n'],
      ['b', '3'],
    ]),
  );
});

describe('unattended-upgrades', () => {
  const on = ['ii ', 'APT::Periodic::Unattended-Upgrade "1";'];
  it.each([
    [on, { enabled: true, takes: true }],
    [[...on, 'Unattended-Upgrade::Package-Blacklist:: "postgresql-";'], { enabled: true, takes: false }],
    [[...on, 'Unattended-Upgrade::Package-Blacklist:: "gresql-";'], { enabled: true, takes: true }],
    [[...on, 'Unattended-Upgrade::Package-Blacklist:: "(";'], { enabled: true, takes: true }],
    [['ii ', 'APT::Periodic::Unattended-Upgrade "0";'], { enabled: false, takes: false }],
    [['APT::Periodic::Unattended-Upgrade "1";'], { enabled: false, takes: false }],
  ])('%j', (lines, expected) => {
    expect(readUnattended(lines, 'postgresql-15')).toEqual(expected);
  });
});

test('saved packages: anything but a whole list is none', () => {
  expect(readSaved('')).toBeNull();
  expect(readSaved('{"version":1}')).toBeNull();
  const sum = 'a'.repeat(64);
  expect(readSums(`Get:1 x\n${sum}  new/a_1_amd64.deb\n${sum}  old/../b.deb\n`)).toEqual({
    'new/a_1_amd64.deb': sum,
  });
});

describe('the section of the spec', () => {
  const parse = (extra: Record<string, unknown>): boolean =>
    debianSchema.safeParse({ kind: 'debian', version: 15, ...extra }).success;
  it.each([
    { host: 'db1' },
    { host: 'deploy@db1.example.com' },
    { host: 'deploy@2001:db8::1' },
    { cluster: 'main' },
    { packages: { 'postgresql-15-cron': '1:1.6.2-1~bpo12+1' } },
  ])('takes %j', (extra) => expect(parse(extra)).toBe(true));
  it.each([
    { host: '-oProxyCommand=sh' },
    { host: 'a@-oProxyCommand=sh' },
    { host: 'a b' },
    { host: 'user@host;id' },
    { cluster: '../main' },
    { cluster: '-main' },
    { packages: { '--option': '1' } },
    { packages: { 'postgresql-15': '15.20; id' } },
    { become: 'su' },
    { version: '15' },
  ])('refuses %j', (extra) => expect(parse(extra)).toBe(false));
});
