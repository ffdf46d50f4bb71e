/** The role that docs/workflows.md has people make for pull requests, made as the page says, on a real server. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { testServer } from '../support/servers.ts';
import { read } from './files.ts';

/** The statements of the page for psql, without the one that asks for a password at the terminal. */
function statements(): string {
  const lines = read('docs/workflows.md')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(CREATE ROLE|GRANT pg_monitor|SELECT format|WHERE datallowconn)/.test(line));
  expect(lines).toHaveLength(4);
  return lines.join('\n');
}

it('enters every database, also one that PUBLIC may not, and is no superuser', async () => {
  await using server = await testServer('15.17');
  {
    await using admin = await server.connect();
    await admin.script('CREATE DATABASE "the shop"');
    await admin.script('REVOKE CONNECT ON DATABASE "the shop" FROM PUBLIC');
  }
  const { stderr, status } = spawnSync('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-d', server.url], {
    input: `${statements()}\n`,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  await using admin = await server.connect();
  const may = `SELECT datname AS name FROM pg_database
    WHERE datallowconn AND has_database_privilege('watcher', datname, 'CONNECT') ORDER BY 1`;
  expect((await admin.query(may)).map(({ name }) => name)).toEqual(['postgres', 'template1', 'the shop']);
  expect(
    await admin.query(
      `SELECT rolsuper, rolcanlogin, pg_has_role(oid, 'pg_monitor', 'member') AS looks
        FROM pg_roles WHERE rolname = 'watcher'`,
    ),
  ).toEqual([{ rolsuper: false, rolcanlogin: true, looks: true }]);
});
