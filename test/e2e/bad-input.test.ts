/** Every bad input: one clear error with a hint, exit code 1, nothing changed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listClients } from '../../src/postgres/clients.ts';
import { run } from '../../src/process/run.ts';
import type { Result } from '../support/runner.ts';
import { testServer } from '../support/servers.ts';
import { type Target, target, targetFor } from './support.ts';

let orders: Target;

beforeAll(async () => {
  orders = await target('15.17', '15.18');
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
});

/** The one error of a run. */
function errorOf(result: Result): string {
  const errors = result.annotations.filter(({ level }) => level === 'error');
  expect(errors).toHaveLength(1);
  expect(result.exitCode).toBe(1);
  expect(result.summary).not.toBe('');
  expect(result.outputs).toMatchObject({ changed: 'false' });
  const [error] = errors;
  return `${error?.file ? `${error.file}:${error.line} ` : ''}${error?.title}: ${error?.message}`;
}

test('no spec', async () => {
  await using result = await orders.run('upgrade', { inputs: { spec: 'nowhere.yaml' } });
  expect(errorOf(result)).toBe(
    'spec-unreadable: The spec nowhere.yaml cannot be read: there is no such file.\nCheck the input spec, and that actions/checkout ran before. examples/embedded.yaml shows how a spec looks.',
  );
});

test('an empty spec', async () => {
  await writeFile(join(orders.workspace, 'empty.yaml'), '# nothing\n');
  await using result = await orders.run('upgrade', { inputs: { spec: 'empty.yaml' } });
  expect(errorOf(result)).toBe(
    'empty.yaml:1 spec-empty: empty.yaml is empty.\nStart with the example in examples/embedded.yaml.',
  );
});

test('a misspelt key, at its line', async () => {
  await writeFile(
    join(orders.workspace, 'typo.yaml'),
    'version: 1\ntargets:\n  - name: a\n    postgress: "15.18"\n    postgres: "15.18"\n    connection: env:A\n    environment: { kind: embedded, data: /a, port: 1 }\n',
  );
  await using result = await orders.run('plan', { inputs: { spec: 'typo.yaml' } });
  expect(errorOf(result)).toBe(
    'typo.yaml:4 spec-key: typo.yaml:4:5 "postgress" in targets[0] is not a key of the spec.\nDid you mean "postgres"?',
  );
});

test('an unknown target', async () => {
  await using result = await orders.run('upgrade', { inputs: { targets: 'order' } });
  expect(errorOf(result)).toBe('target-unknown: The spec has no target "order".\nIt has: orders.');
});

test('a mode that does not exist', async () => {
  await using wrong = await orders.run('updrade');
  expect(errorOf(wrong)).toBe(
    'input: The input mode is "updrade".\nIt must be one of: list, plan, check, rehearse, upgrade, resume, rollback.',
  );
});

test('a secret that is not there', async () => {
  await using result = await orders.run('plan', { env: { ORDERS_DATABASE_URL: '' } });
  expect(errorOf(result)).toContain(
    'orders: secret-missing: The environment variable ORDERS_DATABASE_URL is not set.',
  );
});

test('a wrong password', async () => {
  await writeFile(join(orders.server.data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n');
  await using connection = await orders.server.connect();
  await connection.script("ALTER ROLE postgres PASSWORD 'another one'");
  await connection.script('SELECT pg_reload_conf()');
  await using result = await orders.run('upgrade', {
    env: { ORDERS_DATABASE_URL: orders.server.url.replace(/:[^:@]+@/, ':wrong-one@') },
  });
  await writeFile(join(orders.server.data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
  await connection.script('SELECT pg_reload_conf()');

  expect(errorOf(result)).toMatch(
    /login-refused: postgres@127\.0\.0\.1:\d+\/postgres refused the login: password authentication failed for user "postgres"\.\nCheck the user and password/,
  );
  expect(result.rawLog.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('wrong-one');
});

test('a server that is down', async () => {
  await using stopped = await targetFor(await testServer('15.17'), '15.18');
  await stopped.server.stop();
  await using result = await stopped.run('check');
  expect(errorOf(result)).toMatch(
    /server-down: Nothing serves postgres@127\.0\.0\.1:\d+\/postgres: the server is stopped\.\nStart it and run again\./,
  );

  const other = createServer().listen(stopped.server.port, '127.0.0.1');
  await using taken = await stopped.run('upgrade');
  other.close();
  expect(errorOf(taken)).toMatch(/port-taken: Port \d+ is taken, though the cluster in .* does not run\./);
});

test('a stopped server is started on its old version, upgraded, and runs afterwards', async () => {
  await using stopped = await targetFor(await testServer('15.17'), '15.18');
  await stopped.server.stop();
  await using result = await stopped.run('upgrade');
  expect(result.log).toContain('starting it on 15.17 for the backup');
  expect(result.log).toContain('SUCCESS');
  expect(result.outputs).toMatchObject({ result: 'success', 'from-version': '15.17', 'to-version': '15.18' });
  expect(await stopped.version()).toBe('15.18');
});

test('client programs that are missing', async () => {
  const newest = Math.max(...(await listClients()).map(({ version }) => version.major));
  expect(newest).toBeLessThan(18);
  await using eighteen = await targetFor(await testServer('18.3'), '18.4');
  await using result = await eighteen.run('upgrade');
  expect(errorOf(result)).toContain(
    'clients-missing: pg_dump, pg_restore and pg_dumpall of PostgreSQL 18 are not on this machine.\nInstall them: apt-get install postgresql-client-18',
  );
  expect(await eighteen.version()).toBe('18.3');
});

test('versions that must not be a target', async () => {
  for (const [version, message] of [
    ['17.8', 'version-avoid: PostgreSQL 17.8 must not be a target'],
    ['15.99', 'version-unknown: PostgreSQL 15.99 is not a release that this action knows'],
    ['15.15', 'downgrade: The target runs 15.17, and the spec asks for 15.15'],
    ['16.14', 'route-major: 15.17 to 16.14 is a major upgrade'],
  ] as const) {
    await orders.spec({ version });
    await using result = await orders.run('upgrade');
    expect(errorOf(result)).toContain(message);
  }
  await orders.spec();
  expect(await orders.version()).toBe('15.17');
});

test('a check that blocks refuses the run', async () => {
  await using connection = await orders.server.connect();
  await connection.script('CREATE DATABASE broken');
  await connection.script("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'");
  await using result = await orders.run('upgrade');
  await connection.script("UPDATE pg_database SET datconnlimit = -1 WHERE datname = 'broken'");
  await connection.script('DROP DATABASE broken');
  expect(errorOf(result)).toContain('blocked: 1 check blocks the upgrade: ');
  expect(result.outputs.result).toBe('refused');
});

test('a disk that is too small for the backup', async () => {
  const small = await mkdtemp(join(tmpdir(), 'small-'));
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [mount, umount] = [
    [...sudo, 'mount', '-t', 'tmpfs', '-o', 'size=1m,mode=1777', 'tmpfs', small],
    [...sudo, 'umount', small],
  ];
  expect((await run(mount as [string, ...string[]])).code).toBe(0);
  try {
    await mkdir(join(small, 'backups'));
    await orders.spec({ more: `    backup: { directory: ${join(small, 'backups')} }` });
    await using result = await orders.run('upgrade');
    expect(errorOf(result)).toContain('blocked: 1 check blocks the upgrade: ');
    expect(result.annotations[0]?.message).toContain(join(small, 'backups'));
    expect(result.outputs.result).toBe('refused');
  } finally {
    await orders.spec();
    await run(umount as [string, ...string[]]);
    await rm(small, { recursive: true, force: true });
  }
});

test('two runs at once: the second is refused and says who is at work', async () => {
  const first = orders.start('upgrade', {
    env: { GITHUB_ACTOR: 'octocat', GITHUB_TRIGGERING_ACTOR: 'octocat' },
  });
  await first.line(/client programs/);
  await using second = await orders.run('upgrade');
  expect(errorOf(second)).toMatch(
    /locked: Another run is at work on this target: run \d+\.1 by octocat, since /,
  );
  await using result = await first.done;
  expect(result.outputs).toMatchObject({ result: 'success', 'to-version': '15.18' });
});
