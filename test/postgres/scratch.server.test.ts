/** A scratch server on this machine: nobody else gets in, nothing gets out, and a restart is a real one. */
import { chmod, mkdir, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import { cutNetwork } from '../../src/postgres/isolation.ts';
import { type ScratchOptions, type ScratchServer, startScratch } from '../../src/postgres/scratch.ts';
import { removeFolder, serverPid } from '../../src/postgres/server.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';
import { run } from '../../src/process/run.ts';
import { areWeRoot, scratchUser } from '../../src/process/user.ts';
import { cleanBackupWork } from '../../src/upgrade/backup-work.ts';
import { binariesOf, type TestServer, testServer } from '../support/servers.ts';
import { failureOf, processesWith } from '../support/targets.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join('/tmp', 'pgu-test-'));
  await chmod(base, 0o711);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  const left = await processesWith(base);
  await removeFolder(base);
  expect(left).toEqual([]);
});

const folder = (): string => join(base, 'work-2026-11-20T18-00-00-000Z', 'scratch');

async function start(version: string, options: Partial<ScratchOptions> = {}): Promise<ScratchServer> {
  return startScratch(
    await binariesOf(version),
    { superuser: 'postgres', encoding: 'UTF8', preload: '', folder: folder(), ...options },
    await scratchUser(),
    new AbortController().signal,
  );
}

async function ask(settings: ConnectionSettings, sql: string): Promise<Record<string, unknown>[]> {
  await using connection = await connect(settings);
  return await connection.query(sql);
}

/** A port of this machine that remembers who came. */
async function listener(): Promise<{ port: number; came(): number } & AsyncDisposable> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.end('hello\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    came: () => count,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a program that the server starts gets from a port: COPY lets any superuser of a copy do that. */
async function reach(settings: ConnectionSettings, port: number): Promise<unknown> {
  await using connection = await connect(settings);
  await connection.script('CREATE TEMP TABLE said (line text)');
  await connection.script(
    `COPY said FROM PROGRAM $p$bash -c '(read -r line </dev/tcp/127.0.0.1/${port} && echo "$line") 2>/dev/null || echo nothing'$p$`,
  );
  return (await connection.query<{ line: string }>('SELECT line FROM said'))[0]?.line;
}

/** Programs that stand before those of this machine. */
async function programs(made: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(made))
    await writeFile(join(base, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${base}${delimiter}${process.env.PATH}`);
}

describe('getting in', () => {
  test('only with the password, which is in no file and no command line', async () => {
    let watching = true;
    const seen = new Set<string>();
    const watch = async (): Promise<void> => {
      while (watching) for (const line of await processesWith(base)) seen.add(line);
    };
    const watched = watch();
    await using server = await start('15.17', { superuser: 'the Ops' });
    watching = false;
    await watched;
    const settings = server.settings('postgres');
    const { password = '' } = settings;
    expect(password).toMatch(/^[\w-]{32}$/);
    expect([...seen].some((line) => line.includes('--pwfile='))).toBe(true);
    expect([...seen].filter((line) => line.includes(password))).toEqual([]);
    expect((await readdir(folder())).sort()).toEqual(['data', 'server.log', 'socket-folder']);
    expect((await stat(settings.host)).mode & 0o777).toBe(0o700);

    expect(await ask(settings, 'SELECT current_user::text AS name')).toEqual([{ name: 'the Ops' }]);
    expect(await failureOf(connect({ ...settings, password: 'wrong' }))).toMatchObject({
      code: 'login-refused',
    });
    expect(await failureOf(connect({ ...settings, password: undefined }))).toMatchObject({
      code: 'connect',
      message: expect.stringContaining('password must be a string'),
    });
    expect(
      await ask(
        settings,
        `SELECT DISTINCT auth_method, error FROM pg_hba_file_rules UNION ALL
         SELECT 'listens', nullif(current_setting('listen_addresses'), '')`,
      ),
    ).toEqual([
      { auth_method: 'scram-sha-256', error: null },
      { auth_method: 'listens', error: null },
    ]);
  });

  test('every server has another password', async () => {
    await using one = await start('15.17');
    await using two = await start('15.17', { folder: join(base, 'two') });
    expect(one.settings('postgres').password).not.toBe(two.settings('postgres').password);
    expect(
      await failureOf(connect({ ...one.settings('x'), password: two.settings('x').password })),
    ).toMatchObject({ code: 'login-refused' });
  });
});

describe('getting out', () => {
  test('a program, dblink and a foreign server reach nothing', async () => {
    await using open: TestServer = await testServer('15.17');
    await using target = await listener();
    // The question itself works: a server that is not cut off gets an answer.
    expect(await reach(open.settings(), target.port)).toBe('hello');
    expect(target.came()).toBe(1);

    await using server = await start('15.17');
    const settings = server.settings('postgres');
    const cut = server.isolation[0]?.startsWith('The network is cut off');
    if (areWeRoot()) expect(cut).toBe(true);
    expect(await reach(settings, target.port)).toBe(cut ? 'nothing' : 'hello');
    expect(target.came()).toBe(cut ? 1 : 2);
    if (!cut) return;
    const link = `host=127.0.0.1 port=${open.port} user=postgres dbname=postgres`;
    await ask(settings, 'CREATE EXTENSION dblink');
    expect((await failureOf(ask(settings, `SELECT dblink_connect('${link}')`))).message).toContain(
      'could not establish connection',
    );
    await ask(settings, 'CREATE EXTENSION postgres_fdw');
    await ask(
      settings,
      `CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${open.port}')`,
    );
    await ask(
      settings,
      `CREATE USER MAPPING FOR postgres SERVER away OPTIONS (user 'postgres', password 'x')`,
    );
    await ask(settings, `CREATE FOREIGN TABLE there (id int) SERVER away`);
    expect((await failureOf(ask(settings, 'TABLE there'))).message).toContain('could not connect to server');
    expect(target.came()).toBe(1);
  });

  test('a database link without a host leads to no server of this machine', async () => {
    await using server = await start('15.17');
    const settings = server.settings('postgres');
    await ask(settings, 'CREATE EXTENSION dblink');
    const error = (await failureOf(ask(settings, `SELECT dblink_connect('dbname=postgres')`))) as unknown as {
      detail: string;
    };
    expect(error.detail).toContain(`socket "${settings.host}/.s.PGSQL.5432"`);
  });

  test('without the right to change users the server gets a user namespace', async () => {
    await programs({ setpriv: 'echo "setpriv: no" >&2; exit 1' });
    await using target = await listener();
    const { prefix, user } = await cutNetwork(await scratchUser());
    expect(user).toEqual(await scratchUser());
    await using server = await start('15.17');
    const cut = prefix.length > 0;
    // The kernel makes no user namespace within a chroot, and some machines make none at all.
    const attempt = ['unshare', '--user', '--map-current-user', '--net', '--'] as const;
    const tried = await run([...attempt, 'true'], { user: await scratchUser() });
    expect(prefix).toEqual(tried.code === 0 ? attempt : []);
    expect(await reach(server.settings('postgres'), target.port)).toBe(cut ? 'nothing' : 'hello');
    expect((await server.restart({})).stopMs).toBeGreaterThan(0);
  });

  test('a machine that refuses: the server starts all the same, and says so', async () => {
    await programs({ unshare: 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1' });
    await using target = await listener();
    await using server = await start('15.17');
    expect(server.isolation[0]).toBe(
      'The network is NOT cut off: this machine allows no network namespace (unshare: unshare failed: Operation not permitted).',
    );
    expect(await reach(server.settings('postgres'), target.port)).toBe('hello');
  });
});

describe('acting by itself', () => {
  test.each(['13.23', '14.23', '16.14', '17.10', '18.4'])(
    '%s starts, with nothing but what serves',
    async (version) => {
      await using server = await start(version, { preload: 'pg_prewarm' });
      const settings = server.settings('postgres');
      const major = Number.parseInt(version, 10);
      expect(
        await ask(
          settings,
          `SELECT current_setting('max_worker_processes') AS w, current_setting('shared_preload_libraries') AS p`,
        ),
      ).toEqual([{ w: '0', p: 'pg_prewarm' }]);
      expect(
        await ask(
          settings,
          `SELECT backend_type AS type FROM pg_stat_activity
         WHERE backend_type NOT IN ('client backend', 'checkpointer', 'background writer', 'walwriter', 'io worker')`,
        ),
      ).toEqual([]);
      await using connection = await connect(settings);
      await connection.script(`CREATE FUNCTION fired() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fired'; END $$;
      CREATE EVENT TRIGGER fires ON ddl_command_start EXECUTE FUNCTION fired()`);
      const made = connection.script('CREATE TABLE quiet ()');
      if (major >= 17) await made;
      else expect((await failureOf(made)).message).toBe('fired');
      expect(server.isolation[6]).toMatch(
        major >= 17 ? /^Event triggers are off/ : /^Event triggers are NOT off/,
      );
    },
  );
});

describe('restart', () => {
  const shown = `SELECT current_setting('shared_buffers') AS b, current_setting('archive_mode') AS a,
    current_setting('fsync') AS f, current_setting('max_worker_processes') AS w, current_setting('log_min_messages') AS l`;

  test('with the settings of the real server, except those that isolate this one', async () => {
    await using server = await start('15.17');
    const pid = await serverPid(join(folder(), 'data'));
    const { stopMs, startMs } = await server.restart({
      shared_buffers: '48MB',
      fsync: 'on',
      archive_mode: 'on',
      max_worker_processes: '8',
      log_min_messages: 'debug5',
      listen_addresses: '*',
      // More than the scratch server has connections by itself.
      superuser_reserved_connections: '70',
    });
    expect(stopMs).toBeGreaterThan(0);
    expect(startMs).toBeGreaterThan(0);
    expect(await serverPid(join(folder(), 'data'))).not.toBe(pid);
    expect(await ask(server.settings('postgres'), shown)).toEqual([
      { b: '48MB', a: 'off', f: 'on', w: '0', l: 'warning' },
    ]);
    await server.restart({});
    expect(await ask(server.settings('postgres'), shown)).toMatchObject([{ b: '128MB', f: 'on' }]);
  });

  test('settings that are refused: its own words, and it serves as before', async () => {
    await using server = await start('15.17');
    await server.restart({ shared_buffers: '48MB' });
    const error = await failureOf(server.restart({ shared_buffers: '64MB', no_such_setting: '1' }));
    expect(error).toMatchObject({
      code: 'scratch-start',
      message: 'The scratch server does not start with the settings of the real one.',
    });
    expect(error.hint?.split('\n').map((line) => line.replace(/^.*? (?:LOG|FATAL): +/, ''))).toEqual([
      expect.stringMatching(/^unrecognized configuration parameter "no_such_setting" in file /),
      expect.stringMatching(/^configuration file ".+" contains errors$/),
      'It runs with its own settings again.',
    ]);
    expect(await ask(server.settings('postgres'), shown)).toMatchObject([{ b: '48MB' }]);
  });
});

test('it knows its size, its programs and their extensions', async () => {
  await using server = await start('15.17');
  const before = await server.bytes();
  expect(before).toBeGreaterThan(20 * 1024 ** 2);
  await ask(
    server.settings('postgres'),
    `CREATE TABLE big AS SELECT repeat(md5(i::text), 30) AS t FROM generate_series(1, 20000) i`,
  );
  expect((await server.bytes()) - before).toBeGreaterThan(16 * 1024 ** 2);
  expect(server).toMatchObject({ kind: 'embedded', where: (await binariesOf('15.17')).bin });
  expect((await server.extensionVersions())?.get('dblink')).toContain('1.2');
});

test('what a killed run left is removed by the next one', async () => {
  const server = await start('15.17');
  const socket = server.settings('postgres').host;
  expect(await serverPid(join(folder(), 'data'))).not.toBe(null);
  await cleanBackupWork({
    work: join(base, 'work-2026-11-20T18-00-00-000Z'),
    dump: join(base, 'orders-2026-11-20T18-00-00-000Z'),
  });
  expect(await readdir(base)).toEqual([]);
  expect(await stat(socket).catch(({ code }) => code)).toBe('ENOENT');
  await vi.waitUntil(async () => (await processesWith(base)).length === 0, 10_000);
});

test('a folder that a file names is removed only where it is one of ours', async () => {
  const work = join(base, 'work-2026-11-20T18-00-00-000Z');
  const precious = await mkdtemp(join(base, 'pgu-'));
  const server = await start('15.17');
  await server[Symbol.asyncDispose]();
  for (const text of [precious, `${tmpdir()}/../${base}`, '/tmp', '']) {
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), 'socket-folder'), text);
    await writeFile(join(folder(), 'container'), '--all\n');
    await cleanBackupWork({ work, dump: join(base, 'orders-2026-11-20T18-00-00-000Z') });
    expect(await stat(precious)).toBeTruthy();
  }
});
