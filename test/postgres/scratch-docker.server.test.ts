/** A scratch server in a container: a stand-in for docker, with real servers in its images. */
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
import { scratchUser } from '../../src/process/user.ts';
import { cleanBackupWork } from '../../src/upgrade/backup-work.ts';
import { dockerStandIn, type StandIn, type StandInImage } from '../support/docker.ts';
import { failureOf, processesWith } from '../support/targets.ts';

let base: string;
let docker: StandIn | null;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pgu-container-'));
  docker = null;
});
afterEach(async () => {
  const containers = await docker?.containers();
  await docker?.[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  await removeFolder(base);
  expect(containers ?? []).toEqual([]);
});

const at = (): string => join(base, 'work-2026-11-20T18-00-00-000Z', 'scratch');

async function images(given: Readonly<Record<string, StandInImage>>): Promise<StandIn> {
  docker = await dockerStandIn(given);
  vi.stubEnv('PATH', docker.path);
  return docker;
}

async function open(
  version: string,
  choice: Partial<ScratchChoice> = {},
  signal?: AbortSignal,
): Promise<ScratchServer> {
  return openScratch(
    parseVersion(version),
    { kind: 'docker', nearest: false, image: 'postgres', ...choice },
    { superuser: 'ops', encoding: 'UTF8', preload: '', folder: at() },
    {
      pattern: undefined,
      user: await scratchUser(),
      signal: signal ?? new AbortController().signal,
      progress: () => {},
    },
  );
}

async function row(server: ScratchServer, sql: string): Promise<Record<string, unknown> | undefined> {
  await using connection = await connect(server.settings('postgres'));
  return (await connection.query(sql))[0];
}

test('the final server is waited for; it is measured, isolated, and removed', async () => {
  const { calls } = await images({ 'postgres:15.17': { holds: '15.17' } });
  let folder: string;
  {
    await using server = await open('15.17');
    folder = dirname(server.settings('postgres').host);
    const { password = '' } = server.settings('postgres');
    expect(server).toMatchObject({
      kind: 'docker',
      where: 'postgres:15.17',
      version: { major: 15, minor: 17 },
    });
    // The temporary server has ended: this one stays.
    expect(
      await row(
        server,
        `SELECT pg_postmaster_start_time() < now() AS ok, datname FROM pg_database WHERE datname = 'ops'`,
      ),
    ).toBe(undefined);
    expect(
      await row(
        server,
        `SELECT current_setting('archive_mode') AS a, current_setting('max_worker_processes') AS w, current_setting('fsync') AS f, current_setting('listen_addresses') AS l, rolpassword LIKE 'SCRAM-SHA-256$%' AS s FROM pg_authid WHERE oid = 10`,
      ),
    ).toEqual({ a: 'off', w: '0', f: 'off', l: '', s: true });
    expect(server.isolation[0]).toBe(
      'The network is cut off: its container has none (docker run --network none).',
    );
    expect(await server.bytes()).toBeGreaterThan(20 * 1024 ** 2);
    expect((await server.extensionVersions())?.get('plpgsql')).toEqual(['1.0']);

    const { password: _, ...without } = server.settings('postgres');
    expect(await failureOf(connect({ ...without, password: undefined }))).toMatchObject({ code: 'connect' });
    expect(await failureOf(connect({ ...without, password: 'wrong' }))).toMatchObject({
      code: 'login-refused',
    });

    expect(password.length).toBe(32);
    expect((await calls()).filter((call) => call.includes(password))).toEqual([]);
    expect(await processesWith(password)).toEqual([]);
    // It is written nowhere any more.
    expect(await readFile(join(folder, 'password'), 'utf8')).toBe('');
  }
  expect(
    (await calls())
      .filter((call) => !/^(logs|inspect) /.test(call))
      .map((call) => call.replaceAll(/[0-9a-f]{16}/g, 'ID').split(' --label')[0]),
  ).toEqual([
    'version --format {{.Server.Version}}',
    'image inspect --format {{.Id}} postgres:15.17',
    'pull --quiet postgres:15.17',
    'run --detach --name postgres-upgrade-scratch-ID',
    expect.stringContaining('exec postgres-upgrade-scratch-ID'),
    'stop -t 3 postgres-upgrade-scratch-ID',
    'rm --force --volumes postgres-upgrade-scratch-ID',
  ]);
  expect(await readdir(base)).toEqual(['work-2026-11-20T18-00-00-000Z']);
  expect(await readdir(join(base, 'work-2026-11-20T18-00-00-000Z'))).toEqual([]);
  expect(await readdir(folder).catch(({ code }) => code)).toBe('ENOENT');
});

test('a measured restart takes the real settings, and never those of the isolation', async () => {
  await images({ 'postgres:15.17': { holds: '15.17', here: true } });
  await using server = await open('15.17');
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
    expect.stringMatching(/^unrecognized configuration parameter "no_such_setting" in file /),
    expect.stringMatching(/^configuration file ".+" contains errors$/),
    'It runs with its own settings again.',
  ]);
  expect(await row(server, shown)).toEqual(real);
});

test.each<[string, Record<string, StandInImage>, string, string, string]>([
  [
    'that cannot be pulled',
    {},
    'scratch-version',
    'PostgreSQL 15.17 cannot be had for a scratch server.',
    'Looked at: image postgres:15.17 (Error response from daemon: manifest for postgres:15.17 not found: manifest unknown: manifest unknown).',
  ],
  [
    'that ends at once',
    {
      'postgres:15.17': {
        holds: '15.17',
        fails: 'exec /usr/local/bin/docker-entrypoint.sh: exec format error',
      },
    },
    'scratch-start',
    'The container of postgres:15.17 ended at once.',
    'exec format error',
  ],
  [
    'of another version than its tag says',
    { 'postgres:15.17': { holds: '15.16' } },
    'scratch-version',
    'The image postgres:15.17 holds PostgreSQL 15.16, not 15.17.',
    'rehearsal.image',
  ],
])('an image %s', async (_how, given, code, message, hint) => {
  await images(given);
  const failure = await failureOf(open('15.17'));
  expect(failure).toMatchObject({ code, message });
  expect(failure.hint).toContain(hint);
  expect(await readdir(join(base, 'work-2026-11-20T18-00-00-000Z')).catch(() => [])).toEqual([]);
});

test('without a daemon there is none', async () => {
  await (await images({})).answers(false);
  expect((await failureOf(open('15.17'))).hint).toContain(
    'Looked at: Docker (Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?).',
  );
});

test('the nearest tag that is here, or the newest of the major', async () => {
  await images({
    'postgres:15.9': { holds: '15.9', here: true },
    'postgres:15': { holds: '15.17' },
    'postgres:latest': { holds: '15.17', here: true },
  });
  {
    await using server = await open('15.19', { nearest: true });
    expect(server).toMatchObject({ where: 'postgres:15', version: { major: 15, minor: 17 } });
  }
  {
    await using server = await open('15.8', { nearest: true });
    expect(server).toMatchObject({ where: 'postgres:15.9', version: { major: 15, minor: 9 } });
  }
  expect((await failureOf(open('15.19'))).hint).toContain('Of PostgreSQL 15 there is: 15.9 (docker).');
});

test('cancelled while it starts: nothing is left', async () => {
  const { calls } = await images({ 'postgres:15.17': { holds: '15.17' } });
  const stop = new AbortController();
  const opening = failureOf(open('15.17', {}, stop.signal));
  await vi.waitUntil(async () => (await calls()).some((call) => call.startsWith('logs ')), 20_000);
  stop.abort();
  expect(errorsOf(await opening)).toMatchObject([{ code: 'cancelled' }]);
  expect(await readdir(join(base, 'work-2026-11-20T18-00-00-000Z'))).toEqual([]);
});

test('what a killed run left is removed by the next one', async () => {
  const { containers } = await images({ 'postgres:15.17': { holds: '15.17', here: true } });
  const server = await open('15.17');
  const folder = dirname(server.settings('postgres').host);
  expect((await containers()).length).toBe(1);
  await cleanBackupWork({
    work: join(base, 'work-2026-11-20T18-00-00-000Z'),
    dump: join(base, 'orders-2026-11-20T18-00-00-000Z'),
  });
  expect(await containers()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
  expect(await readdir(folder).catch(({ code }) => code)).toBe('ENOENT');
});
