/** The archive has dropped the present version: it comes from apt's cache, or is made anew, or the upgrade is refused. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BedTarget, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

let bed: Bed;
let target: BedTarget;
let packages: string[];
beforeAll(async () => {
  bed = await startBed({ supervisor: 'pg_ctlcluster' });
  target = await targetOn(bed);
  packages = ['postgresql-15', 'postgresql-client-15', 'libpq5'].map((name) => `${name}=${bed.packages.old}`);
  const made = await bed.run(
    'sh',
    '-c',
    'apt-get install -qq -y --no-install-recommends dpkg-repack fakeroot 2>&1',
  );
  expect(made.code, made.stdout).toBe(0);
  // Only the list of the security archive is left: it has the newer version alone.
  const lists = await bed.run(
    'sh',
    '-c',
    'cd /var/lib/apt/lists && rm -f $(ls | grep Packages | grep -v security)',
  );
  expect(lists.code, lists.stderr).toBe(0);
  const madison = await bed.run('apt-cache', 'madison', 'postgresql-15');
  expect(madison.stdout).not.toContain(bed.packages.old);
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

async function wayBack(): Promise<[string, string[]]> {
  const { checks } = await target.record();
  const found = checks.find(({ id }) => id === 'package-way-back');
  return [found?.status ?? 'none', found?.seen ?? []];
}

/** Up, and back again on live data. */
async function upAndBack(): Promise<void> {
  await using writer = await startWriter(bed.postgres.url);
  await using up = await target.run('upgrade');
  expect(up.conclusion, up.log).toBe('success');
  expect(await target.version()).toBe(bed.versions.new);
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  expect([await target.version(), await target.installed()]).toEqual([bed.versions.old, bed.packages.old]);
  expect(await writer.missing()).toEqual([]);
}

test('nowhere: refused before anything is changed', async () => {
  await bed.run('mv', '/usr/bin/dpkg-repack', '/root/');
  await using run = await target.run('upgrade');
  await bed.run('mv', '/root/dpkg-repack', '/usr/bin/');
  expect(run.conclusion).toBe('failure');
  expect((await target.record()).result).toBe('refused');
  const [status, seen] = await wayBack();
  expect(status).toBe('blocked');
  expect(seen).toContain(`postgresql-15 ${bed.packages.old}: nowhere`);
  expect(await target.installed()).toBe(bed.packages.old);
});

test('dpkg-repack makes it anew from what is installed, and the way back works with it', async () => {
  await using run = await target.run('plan');
  expect(run.conclusion, run.log).toBe('success');
  expect((await wayBack())[1]).toContain(
    `postgresql-15 ${bed.packages.old}: made anew from what is installed (dpkg-repack)`,
  );
  await upAndBack();
});

test("apt's cache has it; a damaged file there is found before anything is installed", async () => {
  await bed.run('rm', '-rf', '/var/lib/postgres-upgrade/15-main/saved');
  // The main archive again, to fill the cache, and then away.
  const filled = await bed.run(
    'sh',
    '-c',
    `mkdir -p /root/lists/partial && cd /var/cache/apt/archives && apt-get -o Dir::State::Lists=/root/lists update -qq 2>&1 && apt-get -o Dir::State::Lists=/root/lists download -qq ${packages.join(' ')} 2>&1`,
  );
  expect(filled.code, filled.stdout).toBe(0);
  const file = join(bed.root, `var/cache/apt/archives/libpq5_${bed.packages.old}_amd64.deb`);
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, whole.length / 2));
  await using run = await target.run('upgrade');
  expect(run.conclusion).toBe('failure');
  const { issues, result } = await target.record();
  expect([result, issues.map(({ code }) => code)]).toEqual(['rolled-back', ['packages-fetch']]);
  expect(await target.installed()).toBe(bed.packages.old);

  await writeFile(file, whole);
  await using plan = await target.run('plan');
  expect(plan.conclusion, plan.log).toBe('success');
  expect((await wayBack())[1]).toContain(`postgresql-15 ${bed.packages.old}: in apt's cache`);
  await upAndBack();
});
