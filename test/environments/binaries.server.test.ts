/** Where server programs come from, and that a registry cannot slip in others. */
import { chmod, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Binaries, binariesIn } from '../../src/postgres/binaries.ts';
import { findBinaries } from '../../src/postgres/find-binaries.ts';
import { packageOf } from '../../src/postgres/install.ts';
import { freePort, removeFolder } from '../../src/postgres/server.ts';
import { formatVersion, parseVersion } from '../../src/postgres/version.ts';
import { binariesOf } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';

const old = parseVersion('15.17');
let folder: string;
let native: Binaries;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgu-binaries-'));
  await chmod(folder, 0o755);
  native = await binariesOf('15.17');
  await symlink(dirname(native.bin), join(folder, 'pg-15.17'));
  await mkdir(join(folder, 'empty'));
});
afterAll(() => removeFolder(folder));
afterEach(() => vi.unstubAllEnvs());

const find = (version: string, pattern?: string): Promise<Binaries> =>
  findBinaries(parseVersion(version), pattern, () => {});

test('the folder of the spec comes first, with the version filled in', async () => {
  expect(await find('15.17', join(folder, 'pg-{version}'))).toMatchObject({
    bin: join(folder, 'pg-15.17', 'bin'),
    version: old,
    source: 'environment.binaries',
  });
  await symlink(dirname(native.bin), join(folder, 'major-15'));
  expect(await find('15.17', join(folder, 'major-{major}', 'bin'))).toMatchObject({
    bin: join(folder, 'major-15', 'bin'),
    source: 'environment.binaries',
  });
});

test("then Debian's folder, then npm; a folder with another version is passed over", async () => {
  const debian = await binariesIn('/usr/lib/postgresql/15/bin', 'Debian package');
  for (const version of ['15.17', '15.18']) {
    const here = debian && formatVersion(debian.version) === version;
    // The folder of the spec holds 15.17 whatever is asked for.
    const pattern = version === '15.17' ? join(folder, 'empty') : join(folder, 'pg-15.17');
    expect(await find(version, pattern)).toMatchObject({
      version: parseVersion(version),
      source: here ? 'Debian package' : 'npm package',
    });
  }
});

test('a version that nothing carries is refused with every place that was looked at', async () => {
  const debian = await binariesIn('/usr/lib/postgresql/15/bin', '');
  const there = debian ? formatVersion(debian.version) : 'no server programs';
  expect(await failureOf(find('15.99', join(folder, 'pg-15.17')))).toMatchObject({
    code: 'binaries-unavailable',
    message: 'There are no server programs of PostgreSQL 15.99 on this machine.',
    hint: `Looked at: ${folder}/pg-15.17 (15.17); /usr/lib/postgresql/15/bin (${there}); npm package (none for this version). Install them and name their folder in environment.binaries ({version} and {major} are filled in).`,
    docs: 'embedded.md#binaries',
  });
});

/** A registry on loopback that answers every question in the same way. */
async function registry(
  status: number,
  body: string,
): Promise<{ url: string; asked: string[]; server: Server }> {
  const asked: string[] = [];
  const port = await freePort();
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}/`, asked, server };
}

test.each([
  [200, 'not what was published', 'binaries-integrity'],
  [404, 'no such thing', 'binaries-download'],
])('a registry that answers %i with %s: nothing is installed', async (status, body, code) => {
  const { url, asked, server } = await registry(status, body);
  const cache = await mkdtemp(join(tmpdir(), 'pgu-cache-'));
  vi.stubEnv('npm_config_registry', url);
  vi.stubEnv('RUNNER_TOOL_CACHE', cache);
  try {
    const wanted = packageOf(parseVersion('16.13'));
    const error = await failureOf(find('16.13'));
    expect(error.code).toBe(code);
    expect(asked).toEqual([`/${wanted?.name}/-/${wanted?.name.split('/')[1]}-${wanted?.version}.tgz`]);
    if (code === 'binaries-integrity') {
      expect(error.message).toBe(`${url.slice(0, -1)}${asked[0]} is not the package that this action knows.`);
      expect(error.hint).toContain(`Expected ${wanted?.integrity}, got sha512-`);
    } else expect(error.message).toContain('could not be downloaded: HTTP 404');
    const left = await readdir(cache, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => !entry.isDirectory() || entry.name.startsWith('.'))).toEqual([]);
  } finally {
    server.close();
    await removeFolder(cache);
  }
});
