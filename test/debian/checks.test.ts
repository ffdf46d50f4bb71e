/** Each pre-check of packages is seen to fire on a real Debian, and an upgrade that it blocks changes nothing. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/targets.ts';
import { type BedTarget, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';

let bed: Bed;
let target: BedTarget;
beforeAll(async () => {
  bed = await startBed({ supervisor: 'pg_ctlcluster' });
  target = await targetOn(bed);
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

const file = (path: string): string => join(bed.root, path);

/** What one check came to. */
async function result(id: string): Promise<{ status: string; seen: string[] }> {
  const { checks } = await target.record();
  const found = checks.find((check) => check.id === id);
  return { status: found?.status ?? 'none', seen: found?.seen ?? [] };
}

test('another candidate: pinned to the present version', async () => {
  await writeFile(
    file('/etc/apt/preferences.d/pin'),
    `Package: postgresql-15\nPin: version ${bed.packages.old}\nPin-Priority: 1001\n`,
  );
  await using run = await target.run('check');
  await rm(file('/etc/apt/preferences.d/pin'));
  expect(run.conclusion).toBe('failure');
  expect(await result('package-candidate')).toEqual({
    status: 'blocked',
    seen: [
      `postgresql-15: candidate ${bed.packages.old}, approved ${bed.versions.new}, installed ${bed.packages.old}`,
      `on offer: ${bed.packages.new}, ${bed.packages.old}`,
    ],
  });
});

test('a version that the archive does not have: said with what there is', async () => {
  await target.spec({ version: '15.19' });
  await using run = await target.run('plan');
  await target.spec();
  expect(run.conclusion).toBe('failure');
  expect((await result('package-candidate')).status).toBe('blocked');
  expect(await result('package-changes')).toEqual({
    status: 'blocked',
    seen: [
      'apt would refuse: the package lists do not have 15.19 of postgresql-15, libpq5, postgresql-client-15',
    ],
  });
});

test('a hold blocks, is lifted where the spec says so, and is there again afterwards', async () => {
  await bed.run('apt-mark', 'auto', 'libpq5');
  await bed.run('apt-mark', 'hold', 'postgresql-15');
  await using refused = await target.run('upgrade');
  expect(refused.conclusion).toBe('failure');
  expect((await target.record()).result).toBe('refused');
  expect(await result('package-holds')).toEqual({ status: 'blocked', seen: ['postgresql-15 is on hold'] });
  expect(await target.installed()).toBe(bed.packages.old);

  await target.spec({ environment: '      holds: lift' });
  await using lifted = await target.run('upgrade');
  expect(lifted.conclusion, lifted.log).toBe('success');
  expect(await target.version()).toBe(bed.versions.new);
  expect((await bed.run('apt-mark', 'showhold')).stdout.trim()).toBe('postgresql-15');
  expect((await bed.run('apt-mark', 'showauto', 'libpq5')).stdout.trim()).toBe('libpq5');

  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  expect((await bed.run('apt-mark', 'showhold')).stdout.trim()).toBe('postgresql-15');
  await bed.run('apt-mark', 'unhold', 'postgresql-15');
  await target.spec();
});

test('somebody else is installing: named with its process', async () => {
  const held = bed.run(
    'perl',
    '-MFcntl',
    '-e',
    'open F,"+<","/var/lib/dpkg/lock-frontend"; my $lock=pack("s s x4 q q l x4",F_WRLCK,0,0,0,0); fcntl(F,F_SETLKW,$lock) or die; open G,">","/root/held"; close G; sleep 1 while -e "/root/held"',
  );
  await until(
    () => bed.run('test', '-e', '/root/held'),
    ({ code }) => code === 0,
    20,
  );
  await using run = await target.run('check');
  await rm(file('/root/held'));
  await held;
  expect(run.conclusion).toBe('failure');
  const { status, seen } = await result('package-locks');
  expect(status).toBe('blocked');
  expect(seen).toEqual([expect.stringMatching(/^\/var\/lib\/dpkg\/lock-frontend is held by perl \(\d+\)$/)]);
});

test('a half installed package', async () => {
  const status = await bed.run(
    'sed',
    '-i',
    '/^Package: libpq5$/,/^$/s/^Status: .*/Status: install ok half-configured/',
    '/var/lib/dpkg/status',
  );
  expect(status.code).toBe(0);
  await using run = await target.run('check');
  await bed.run(
    'sed',
    '-i',
    '/^Package: libpq5$/,/^$/s/^Status: .*/Status: install ok installed/',
    '/var/lib/dpkg/status',
  );
  expect(run.conclusion).toBe('failure');
  const { status: found, seen } = await result('package-state');
  expect(found).toBe('blocked');
  expect(seen.join('\n')).toContain('libpq5');
});

test('something else would be removed: refused, also by apt itself', async () => {
  // A package that only the present version satisfies.
  const control = `Package: clings\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDepends: postgresql-15 (<< ${bed.packages.new})\nDescription: clings to a version\n`;
  await bed.run('mkdir', '-p', '/root/clings/DEBIAN');
  await writeFile(file('/root/clings/DEBIAN/control'), control);
  await bed.run('dpkg-deb', '--build', '/root/clings', '/root/clings.deb');
  expect((await bed.run('dpkg', '--install', '/root/clings.deb')).code).toBe(0);
  await using run = await target.run('check');
  await bed.run('dpkg', '--purge', 'clings');
  expect(run.conclusion).toBe('failure');
  const { status, seen } = await result('package-changes');
  expect(status).toBe('blocked');
  expect(seen.join('\n')).toMatch(/apt would refuse|clings 1 would be removed/);
});

test('a policy of its own, unattended-upgrades, another cluster: told, and nothing blocks', async () => {
  await writeFile(file('/usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 104\n', { mode: 0o755 });
  await bed.run('pg_createcluster', '15', 'reports', '--start');
  await using run = await target.run('check');
  expect(run.conclusion, run.log).toBe('success');
  expect((await result('package-restarts')).status).toBe('info');
  const { status, seen } = await result('package-neighbours');
  expect([status, seen]).toEqual([
    'warning',
    [
      expect.stringMatching(
        /^15\/reports on port \d+ is not restarted: it goes on with its version beside the files of /,
      ),
    ],
  ]);
  await using upgraded = await target.run('upgrade');
  expect(upgraded.conclusion, upgraded.log).toBe('success');
  // The other cluster was neither stopped nor restarted, and the policy is the one that was there.
  expect((await bed.run('cat', '/usr/sbin/policy-rc.d')).stdout).toBe('#!/bin/sh\nexit 104\n');
  const other = await bed.run(
    'runuser',
    '-u',
    'postgres',
    '--',
    'psql',
    '-XAtq',
    '--cluster',
    '15/reports',
    '-c',
    'SHOW server_version',
  );
  expect(other.stdout).toContain(bed.versions.old);
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  await bed.run('pg_dropcluster', '15', 'reports', '--stop');
});

test('two runs at once: the second is told who is at work', async () => {
  await using first = target.start('upgrade');
  await first.line(/\d\/\d+ Back up/);
  await using second = await target.run('upgrade', { inputs: { 'output-directory': `${target.output}-2` } });
  const ended = await first.done;
  expect(ended.conclusion, ended.log).toBe('success');
  expect(second.conclusion).toBe('failure');
  expect(second.log).toMatch(/Another run is at work on this target: /);
  await rm(`${target.output}-2`, { recursive: true, force: true });
  expect(await target.version()).toBe(bed.versions.new);
});
