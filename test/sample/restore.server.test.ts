/** The sample proves backups: so it has to survive a dump and a restore without a single complaint. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSample } from '../../scripts/sample/load.ts';
import { rolesSql } from '../../scripts/sample/roles.ts';
import { findClients } from '../../src/postgres/clients.ts';
import { run } from '../../src/process/run.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { digests, grants, kinds } from './contents.ts';

const { bin } = await findClients(15);
const scale = 0.01;

async function program(name: string, server: TestServer, ...args: string[]): Promise<void> {
  const reach = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres'];
  const { code, stderr } = await run([join(bin, name), ...reach, ...args]);
  expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
}

async function everything(server: TestServer, database: string): Promise<unknown> {
  await using connection = await server.connect(database);
  return {
    kinds: await kinds(connection),
    digests: await digests(connection),
    grants: await grants(connection),
  };
}

describe('a dump of the sample', () => {
  it.each(['15.17', '18.4'])('restores into %s', async (version) => {
    const folder = await mkdtemp(join(tmpdir(), 'sample-'));
    try {
      await using source = await testServer('15.17');
      await using target = await testServer(version);
      await loadSample(source, { scale, progress: () => {} });
      await using connection = await target.connect();
      await connection.script(rolesSql());
      for (const database of ['shop', 'metrics']) {
        const dump = join(folder, database);
        await program('pg_dump', source, '--create', '--format=directory', `--file=${dump}`, database);
        await program(
          'pg_restore',
          target,
          '--create',
          '--exit-on-error',
          '--jobs=2',
          '--dbname=postgres',
          dump,
        );
        expect(await everything(target, database)).toEqual(await everything(source, database));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
