/** The beds themselves: a test on top of them can rely on what is shown here. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/targets.ts';
import { type Bed, type Ran, type Supervisor, script, startBed } from './support/bed.ts';
import { leftOvers, listens, tracesOf } from './support/left-overs.ts';
import { startWriter } from './support/writer.ts';

/** Runs a command in the bed the way an operator does; `knownHosts` is what he believes. */
async function ssh(bed: Bed, command: string, knownHosts = bed.ssh.knownHosts): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'ssh-'));
  try {
    const [key, known] = [join(folder, 'key'), join(folder, 'known_hosts')];
    await writeFile(key, bed.ssh.key, { mode: 0o600 });
    await writeFile(known, knownHosts);
    const options = [`UserKnownHostsFile=${known}`, 'StrictHostKeyChecking=yes', 'BatchMode=yes'];
    const set = ['IdentitiesOnly=yes', 'GlobalKnownHostsFile=/dev/null', ...options].flatMap((each) => [
      '-o',
      each,
    ]);
    const args = ['-F', 'none', ...set, '-i', key, '-p', `${bed.ssh.port}`, bed.ssh.host, '--', command];
    return await new Promise((resolve) => {
      execFile('ssh', args, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A host key that is nobody's. */
const otherKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPPVH1XEOQJMSgP+8jwN4kp0UHVKXOorlvfD50YUhkNd';

const superuser = (bed: Bed, sql: string, database = 'postgres'): Promise<Ran> => {
  const psql = ['psql', '-XAtq', '-p', `${bed.postgres.port}`, '-d', database, '-c', sql];
  return bed.run('runuser', '-u', 'postgres', '--', ...psql);
};
const packages = (version: string): string[] =>
  ['postgresql-15', 'postgresql-client-15', 'libpq5'].map((name) => `${name}=${version}`);
const apt = (bed: Bed, ...argv: string[]): Promise<Ran> =>
  bed.run('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...argv);
const health = async (bed: Bed): Promise<number> =>
  fetch(bed.application.health).then(
    ({ status }) => status,
    () => 0,
  );

describe.each<Supervisor>(['pg_ctlcluster', 'systemd'])('%s', (supervisor) => {
  let bed: Bed;
  let startMs: number;
  beforeAll(async () => {
    const began = performance.now();
    bed = await startBed({ supervisor });
    startMs = performance.now() - began;
  });
  afterAll(() => bed?.[Symbol.asyncDispose]());

  test('starts in seconds and serves the older minor', async () => {
    expect(startMs).toBeLessThan(30_000);
    expect(bed.supervisor).toBe(supervisor);
    expect(bed.packages.new).toMatch(/^15\.\d+-/);
    expect(Number(bed.versions.new.slice(3))).toBeGreaterThan(Number(bed.versions.old.slice(3)));
    expect((await superuser(bed, 'SHOW server_version')).stdout).toMatch(
      new RegExp(`^${bed.versions.old.replace('.', '\\.')} `),
    );
    const [cluster] = JSON.parse((await bed.run('pg_lsclusters', '--json')).stdout);
    expect(cluster).toMatchObject({ version: 15, cluster: 'main', running: 1, start: 'auto' });
    expect(cluster.port).toBe(`${bed.postgres.port}`);
    expect(await readFile(join(bed.root, 'etc/postgresql/15/main/postgresql.conf'), 'utf8')).toMatch(
      new RegExp(`^port = ${bed.postgres.port}\\b`, 'm'),
    );
    const unit = await bed.run('systemctl', 'is-active', 'postgresql@15-main', 'ssh');
    expect(unit.stdout).toBe(supervisor === 'systemd' ? 'active\nactive\n' : '');
    expect(unit.code).toBe(supervisor === 'systemd' ? 0 : 1);
  });

  test("offers both minors from Debian's archives", async () => {
    const { stdout } = await bed.run('apt-cache', 'madison', 'postgresql-15');
    const offered = stdout.split('\n').map((line) => line.split('|')[1]?.trim());
    expect(offered).toEqual(expect.arrayContaining([bed.packages.old, bed.packages.new]));
    const folder = (await bed.run('mktemp', '--directory')).stdout.trim();
    const both = [bed.packages.old, bed.packages.new];
    for (const version of both) {
      const fetched = await bed.run('env', '-C', folder, 'apt-get', 'download', `postgresql-15=${version}`);
      expect(fetched).toMatchObject({ code: 0 });
    }
    expect((await readdir(join(bed.root, folder))).sort()).toEqual(
      both.map((version) => expect.stringContaining(`postgresql-15_${version}_`)),
    );
  });

  test('lets deploy in with the key, who may become root; a host with another key is refused', async () => {
    expect(await ssh(bed, 'id --name --user; sudo --non-interactive id --name --user')).toEqual({
      code: 0,
      stdout: 'deploy\nroot\n',
      stderr: '',
    });
    expect(await ssh(bed, 'exit 7')).toMatchObject({ code: 7 });
    const [host = ''] = bed.ssh.knownHosts.split(' ');
    const refused = await ssh(bed, 'true', `${host} ${otherKey}\n`);
    expect(refused.code).toBe(255);
    expect(refused.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect((await ssh(bed, 'true', '')).stderr).toContain('No ED25519 host key is known');
  });

  test('upgrades and goes back while a client and an application write; nothing acknowledged is lost', async () => {
    await using writer = await startWriter(bed.postgres.url);
    expect(await health(bed)).toBe(0);
    expect(await bed.run('storefront', 'start')).toMatchObject({ code: 0 });
    await until(
      () => health(bed),
      (status) => status === 200,
    );

    // A plain install stops the cluster and starts it again.
    expect(await apt(bed, 'install', '-y', '-qq', ...packages(bed.packages.new))).toMatchObject({ code: 0 });
    expect((await superuser(bed, 'SHOW server_version')).stdout).toContain(bed.versions.new);
    await until(
      () => health(bed),
      (status) => status === 200,
    );
    const plain = writer.lap();

    const policy = join(bed.root, 'usr/sbin/policy-rc.d');
    await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    const back = await apt(bed, 'install', '-y', '-qq', '--allow-downgrades', ...packages(bed.packages.old));
    expect(back).toMatchObject({ code: 0 });
    await rm(policy);
    // Blocked: the new server still runs.
    expect((await superuser(bed, 'SHOW server_version')).stdout).toContain(bed.versions.new);
    expect(await bed.run('pg_ctlcluster', '15', 'main', 'restart')).toMatchObject({ code: 0 });
    expect((await superuser(bed, 'SHOW server_version')).stdout).toContain(bed.versions.old);
    await until(
      () => health(bed),
      (status) => status === 200,
    );
    const blocked = writer.lap();
    expect(plain).toBeGreaterThan(blocked);

    expect(await bed.run('storefront', 'stop')).toMatchObject({ code: 0 });
    expect(await health(bed)).toBe(0);
    const { acknowledged, failures } = await writer.stop();
    expect(acknowledged).toBeGreaterThan(100);
    expect(failures).toBeGreaterThan(0);
    expect(await writer.missing()).toEqual([]);
    const log = (await readFile(join(bed.root, bed.application.acknowledged), 'utf8')).trim().split('\n');
    const held = new Set(
      (await superuser(bed, 'SELECT id FROM orders', 'shop')).stdout.split('\n').map(Number),
    );
    const orders = log.map((line) => Number(line.split(' ')[0]));
    expect(orders.length).toBeGreaterThan(20);
    expect(orders.filter((each) => !held.has(each))).toEqual([]);
  });

  test('the application says when it cannot write', async () => {
    await bed.run('storefront', 'start');
    await until(
      () => health(bed),
      (status) => status === 200,
    );
    await bed.run('pg_ctlcluster', '15', 'main', 'stop');
    await until(
      () => health(bed),
      (status) => status === 503,
    );
    await bed.run('pg_ctlcluster', '15', 'main', 'start');
    await until(
      () => health(bed),
      (status) => status === 200,
    );
    await bed.run('storefront', 'stop');
  });

  test('leaves nothing', async () => {
    const traces = await tracesOf(bed.root);
    const ports = [bed.postgres.port, bed.ssh.port];
    expect(await Promise.all(ports.map(listens))).toEqual([true, true]);
    // Otherwise nothing would be found, whatever is left.
    expect(await leftOvers(traces)).toContainEqual(
      expect.stringContaining('postgres: 15/main: checkpointer'),
    );
    await bed[Symbol.asyncDispose]();
    expect(await leftOvers(traces)).toEqual([]);
    expect(await Promise.all(ports.map(listens))).toEqual([false, false]);
  });

  test.each(['the test', 'the watcher'])('leaves nothing when %s is killed', async (who) => {
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'support/owner.ts'), supervisor], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(owner.stdout), 'line');
    const { root, port } = JSON.parse(line);
    const traces = await tracesOf(root);
    expect(await listens(port)).toBe(true);
    process.kill(who === 'the test' ? Number(owner.pid) : traces.watcher, 'SIGKILL');
    const groups = who === 'the test' ? [] : traces.groups;
    await until(
      () => leftOvers(traces),
      (left) => left.length <= groups.length,
    );
    expect(await listens(port)).toBe(false);
    owner.kill('SIGKILL');
    // Its empty control groups go when the next one starts.
    if (groups.length > 0) await (await startBed({ supervisor }))[Symbol.asyncDispose]();
    expect(await leftOvers(traces)).toEqual([]);
  });
});

test('says what is missing', async () => {
  const failure = await new Promise<string>((resolve) => {
    // A shell without any capability: no namespaces.
    execFile(
      'setpriv',
      ['--bounding-set=-sys_admin', script, 'serve', '/', 'systemd', '/', '1'],
      (_error, _out, said) => resolve(said),
    );
  });
  expect(failure).toBe(
    'This needs the right to make namespaces (CAP_SYS_ADMIN): in a container, a privileged one.\n',
  );
});
