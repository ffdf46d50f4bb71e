/** A scratch server in a container of a real Docker. */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { errorsOf } from '../../src/errors.ts';
import { connect } from '../../src/postgres/connection.ts';
import type { ScratchChoice, ScratchServer } from '../../src/postgres/scratch.ts';
import { openScratch } from '../../src/postgres/scratch-open.ts';
import { removeFolder } from '../../src/postgres/server.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { cleanBackupWork } from '../../src/upgrade/backup-work.ts';
import { failureOf, processesWith } from '../support/targets.ts';
import { buildFrom, containers, docker, listed, startRegistry } from './host.ts';

let base: string;
let tags: string[];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pgu-container-'));
  tags = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  const left = { containers: await containers(), volumes: await listed('volume', 'ls', '--quiet') };
  for (const each of await containers()) await docker('rm', '--force', '--volumes', each);
  if (tags.length > 0) await docker('image', 'rm', ...tags);
  await removeFolder(base);
  expect(left).toEqual({ containers: [], volumes: [] });
});

/** As a backup names its folder. */
const time = '2026-11-20T18-00-00-000Z';
const work = (): string => join(base, `work-${time}`);
const at = (): string => join(work(), 'scratch');

async function open(
  version: string,
  choice: Partial<ScratchChoice> = {},
  signal: AbortSignal = new AbortController().signal,
  progress: string[] = [],
): Promise<ScratchServer> {
  return openScratch(
    parseVersion(version),
    { kind: 'docker', nearest: false, image: 'postgres', ...choice },
    { superuser: 'ops', encoding: 'UTF8', preload: '', folder: at() },
    { pattern: undefined, user: null, signal, progress: (line) => void progress.push(line) },
  );
}

/** Another name for the image; taken away after the test. */
async function tagged(...names: string[]): Promise<void> {
  for (const name of names) {
    await docker('tag', 'postgres:15.18', name);
    tags.push(name);
  }
}

async function row(server: ScratchServer, sql: string): Promise<Record<string, unknown> | undefined> {
  await using connection = await connect(server.settings('postgres'));
  return (await connection.query(sql))[0];
}

test('the final server is waited for; it is isolated, tells nobody its password, and is removed', async () => {
  let folder: string;
  {
    await using server = await open('15.18');
    folder = dirname(server.settings('postgres').host);
    const { password = '', ...without } = server.settings('postgres');
    expect(server).toMatchObject({
      kind: 'docker',
      where: 'postgres:15.18',
      version: { major: 15, minor: 18 },
    });
    const [name = ''] = await containers();
    expect(name).toMatch(/^postgres-upgrade-scratch-[0-9a-f]{16}$/);
    // The temporary server has ended: this one is the container's first process.
    expect(await docker('exec', name, 'head', '-n', '1', '/var/lib/postgresql/data/postmaster.pid')).toBe(
      '1',
    );
    expect(
      await row(
        server,
        `SELECT current_setting('archive_mode') AS a, current_setting('max_worker_processes') AS w, current_setting('fsync') AS f, current_setting('listen_addresses') AS l, rolname AS r, rolpassword LIKE 'SCRAM-SHA-256$%' AS s, (SELECT count(*)::int FROM pg_database) AS d FROM pg_authid WHERE oid = 10`,
      ),
    ).toEqual({ a: 'off', w: '0', f: 'off', l: '', r: 'ops', s: true, d: 3 });
    expect(server.isolation[0]).toBe(
      'The network is cut off: its container has none (docker run --network none).',
    );
    expect(await docker('inspect', '--format', '{{.HostConfig.NetworkMode}}', name)).toBe('none');
    // Loopback only, which leads back into the container.
    expect(await docker('exec', name, 'ls', '/sys/class/net')).toBe('lo');
    expect(await server.bytes()).toBeGreaterThan(20 * 1024 ** 2);
    expect((await server.extensionVersions())?.get('plpgsql')).toEqual(['1.0']);

    expect(await failureOf(connect({ ...without, password: undefined }))).toMatchObject({ code: 'connect' });
    expect(await failureOf(connect({ ...without, password: 'wrong' }))).toMatchObject({
      code: 'login-refused',
    });

    expect(password.length).toBe(32);
    const told = [
      await docker('inspect', name),
      await docker('logs', name),
      await docker('exec', name, 'ps'),
      await docker('history', '--no-trunc', 'postgres:15.18'),
      await docker('events', '--since', '2m', '--until', '0s'),
    ].join('\n');
    expect(told).toContain(name);
    expect(told).toContain('PostgreSQL init process complete');
    expect(told).not.toContain(password);
    expect(await processesWith(password)).toEqual([]);
    expect(await readFile(join(folder, 'password'), 'utf8')).toBe('');
  }
  expect(await readdir(base)).toEqual([`work-${time}`]);
  expect(await readdir(work())).toEqual([]);
  expect(await readdir(folder).catch(({ code }) => code)).toBe('ENOENT');
});

test('a measured restart takes the real settings, and never those of the isolation', async () => {
  await using server = await open('15.18');
  const measured = await server.restart({
    shared_buffers: '48MB',
    archive_mode: 'on',
    fsync: 'on',
    autovacuum: 'on',
  });
  expect(measured.stopMs).toBeGreaterThan(0);
  expect(measured.startMs).toBeGreaterThan(0);
  const shown = `SELECT current_setting('shared_buffers') AS b, current_setting('archive_mode') AS a, current_setting('fsync') AS f, current_setting('autovacuum') AS v`;
  const real = { b: '48MB', a: 'off', f: 'on', v: 'off' };
  expect(await row(server, shown)).toEqual(real);

  const refused = await failureOf(server.restart({ shared_buffers: '64MB', no_such_setting: '1' }));
  expect(refused).toMatchObject({
    code: 'scratch-start',
    message: 'The scratch server does not start with the settings of the real one.',
  });
  expect(refused.hint?.split('\n').map((line) => line.replace(/^.*? (?:LOG|FATAL): +/, ''))).toEqual([
    expect.stringMatching(
      /^unrecognized configuration parameter "no_such_setting" in file "\/etc\/postgresql-scratch\/postgresql.conf" line \d+$/,
    ),
    'configuration file "/etc/postgresql-scratch/postgresql.conf" contains errors',
    'It runs with its own settings again.',
  ]);
  expect(await row(server, shown)).toEqual(real);
});

test.each([
  ['that ends at once', 'ENTRYPOINT ["sh", "-c", "echo no room >&2; exit 3"]', 'ended at once', 'no room'],
  ['without its entrypoint', 'ENTRYPOINT ["/nowhere"]', 'did not start', 'no such file or directory'],
])('an image %s', async (_how, lines, message, hint) => {
  tags = ['broken:15.18'];
  await buildFrom('broken:15.18', lines);
  const failure = await failureOf(open('15.18', { image: 'broken' }));
  expect(failure.code).toBe('scratch-start');
  expect(failure.message).toBe(`The container of broken:15.18 ${message}.`);
  expect(failure.hint).toContain(hint);
  expect(await readdir(work())).toEqual([]);
});

test('an image of another version than its tag says', async () => {
  await tagged('postgres:15.16');
  const failure = await failureOf(open('15.16'));
  expect(failure).toMatchObject({
    code: 'scratch-version',
    message: 'The image postgres:15.16 holds PostgreSQL 15.18, not 15.16.',
  });
  expect(failure.hint).toContain('rehearsal.image');
  expect(await readdir(work())).toEqual([]);
});

test('the nearest tag that is here, or what the image of the major says that it is', async () => {
  await tagged('other:15', 'other:latest');
  {
    await using server = await open('15.19', { nearest: true });
    expect(server).toMatchObject({ where: 'postgres:15.18', version: { major: 15, minor: 18 } });
  }
  {
    await using server = await open('15.19', { nearest: true, image: 'other' });
    expect(server).toMatchObject({ where: 'other:15', version: { major: 15, minor: 18 } });
  }
});

test('a registry: what it has is pulled, what it refuses is told, and so is that it is not there', async () => {
  let image: string;
  {
    await using registry = await startRegistry();
    image = `${registry.name}/library/postgres`;
    await docker('tag', 'postgres:15.18', `${image}:15.18`);
    await docker('push', `${image}:15.18`);
    await docker('image', 'rm', `${image}:15.18`);
    const progress: string[] = [];
    await using server = await open('15.18', { image }, undefined, progress);
    tags = [`${image}:15.18`];
    expect(server.where).toBe(`${image}:15.18`);
    expect(progress).toEqual([`asking Docker for ${image}:15.18`]);

    const refused = await failureOf(open('15.17', { image }));
    expect(refused).toMatchObject({
      code: 'scratch-version',
      message: 'PostgreSQL 15.17 cannot be had for a scratch server.',
    });
    expect(refused.hint).toContain(
      `Looked at: image ${image}:15.17 (Error response from daemon: manifest for ${image}:15.17 not found: manifest unknown: manifest unknown)`,
    );
    expect(refused.hint).toContain('Of PostgreSQL 15 there is: 15.18 (docker).');
  }
  expect((await failureOf(open('15.16', { image }))).hint).toContain('connection refused');
});

test('without a daemon there is none', async () => {
  vi.stubEnv('DOCKER_HOST', `unix://${base}/nobody.sock`);
  expect((await failureOf(open('15.18'))).hint).toContain(
    `Looked at: Docker (Cannot connect to the Docker daemon at unix://${base}/nobody.sock. Is the docker daemon running?).`,
  );
  vi.unstubAllEnvs();
});

test.each(['before its container is there', 'while it starts'])(
  'cancelled %s: nothing is left',
  async (when) => {
    const stop = new AbortController();
    const opening = failureOf(open('15.18', {}, stop.signal));
    if (when === 'while it starts') await vi.waitUntil(async () => (await containers()).length > 0, 20_000);
    else
      await vi.waitUntil(
        () =>
          readdir(at()).then(
            ({ length }) => length > 0,
            () => false,
          ),
        { interval: 2 },
      );
    stop.abort();
    expect(errorsOf(await opening)).toMatchObject([{ code: 'cancelled' }]);
    expect(await readdir(work())).toEqual([]);
  },
);

test('what a killed run left is removed by the next one', async () => {
  const server = await open('15.18');
  const folder = dirname(server.settings('postgres').host);
  expect(await containers()).toHaveLength(1);
  await cleanBackupWork({ work: work(), dump: join(base, `orders-${time}`) });
  expect(await containers()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
  expect(await readdir(folder).catch(({ code }) => code)).toBe('ENOENT');
});
