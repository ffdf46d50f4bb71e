/** A backup that cannot be finished leaves nothing behind: a full disk, a missing right, a stop by hand. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadSample } from '../../scripts/sample/load.ts';
import { connect } from '../../src/postgres/connection.ts';
import { type ScratchServer, startScratch } from '../../src/postgres/scratch.ts';
import { run } from '../../src/process/run.ts';
import { areWeRoot, scratchUser } from '../../src/process/user.ts';
import { backupStep } from '../../src/upgrade/backup-step.ts';
import { binariesOf, password, type TestServer, testServer } from '../support/servers.ts';
import { failureOf, processesWith, stepRunOf, until } from '../support/targets.ts';
import { world } from '../upgrade/world.ts';
import { dumpOf, leftBehind, type Place, place, proofOf } from './proving.ts';

let base: Place;
let source: TestServer;

beforeAll(async () => {
  source = await testServer('15.17');
  await loadSample(source, { scale: 0.01, progress: () => {} });
  await using connection = await source.connect();
  await connection.script(
    `CREATE ROLE plain LOGIN; COMMENT ON ROLE plain IS '${'more than a page '.repeat(500)}'`,
  );
});
afterAll(() => source?.[Symbol.asyncDispose]());
beforeEach(async () => {
  base = await place();
});
afterEach(async () => {
  const left = await leftBehind(base.folder);
  await base[Symbol.asyncDispose]();
  expect(left).toEqual({ folders: [], processes: [] });
});

/** Runs the backup step of a run on the source into `folder`. */
async function backUp(folder: string, signal?: AbortSignal): Promise<unknown> {
  using made = await world({
    spec: `backup: { directory: ${JSON.stringify(folder)}, compress: 0, jobs: 2 }\n`,
  });
  const { run: step } = stepRunOf(undefined, signal);
  const environment = {
    ...made.run.environment,
    scratch: async (_wanted: unknown, options: Parameters<typeof startScratch>[1], stop: AbortSignal) =>
      startScratch(await binariesOf('15.18'), options, await scratchUser(), stop),
  };
  await backupStep({ ...made.run, environment, settings: source.settings() }).run(step);
  return made.run.recorder.record.backup;
}

async function asRoot(...argv: [string, ...string[]]): Promise<void> {
  const { code, stderr } = await run(areWeRoot() ? argv : ['sudo', '-n', ...argv]);
  expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: '' });
}

async function onSmallDisk(size: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(base.folder, 'small');
  await mkdir(folder);
  await asRoot('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', folder);
  try {
    await work(folder);
  } finally {
    await asRoot('umount', folder);
  }
}

test('the step records a proved backup', async () => {
  expect(await backUp(base.folder)).toMatchObject({
    databases: [{ name: 'metrics' }, { name: 'postgres' }, { name: 'shop' }, { name: 'template1' }],
    proof: { verdict: 'proved' },
  });
});

test.each([
  ['in the middle of a database', '600k', /^the dump of database (metrics|shop)$/],
  ['with the roles', '4k', /^the dump of the roles$/],
])('a disk that is full %s', async (_when, size, what) => {
  await onSmallDisk(size, async (folder) => {
    const error = await failureOf(backUp(folder));
    expect(error).toMatchObject({
      code: 'dump-space',
      phase: 'backup',
      hint: 'Free space there, or name a larger place in backup.directory. The unfinished dump was removed.',
    });
    const [, place, unwritten] =
      /^The disk of (.+) is full: (.+) could not be written\.$/.exec(error.message) ?? [];
    expect(place).toMatch(new RegExp(`^${folder}/orders-`));
    expect(unwritten).toMatch(what);
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a disk that is full with the restored copy is no fault of the backup', async () => {
  const dump = await dumpOf(source.settings(), base.folder);
  await onSmallDisk('75m', async (folder) => {
    const error = await failureOf(proofOf(dump, { scratchFolder: join(folder, 'scratch') }));
    expect(error).toMatchObject({
      code: 'proof-space',
      message: `The disk of ${folder}/scratch is full: the backup was not proved.`,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a user who is no superuser is refused before anything is written', async () => {
  const error = await failureOf(dumpOf({ ...source.settings(), user: 'plain' }, base.folder));
  expect(error).toMatchObject({
    code: 'backup-role',
    message:
      "The connection's user is no superuser, and only a superuser can dump everything: every database, the roles and their passwords.",
    hint: 'Use a superuser in the connection URL.',
  });
  const [folder = ''] = await readdir(base.folder);
  expect(await readdir(join(base.folder, folder))).toEqual([]);
});

test('nobody else may read a dump, and the password is in no command line', async () => {
  let watching = true;
  const seen = new Set<string>();
  const watch = async (): Promise<void> => {
    while (watching) for (const line of await processesWith('')) seen.add(line);
  };
  const watched = watch();
  const dump = await dumpOf(source.settings(), base.folder);
  watching = false;
  await watched;
  const lines = [...seen];
  expect(lines.filter((line) => line.includes('/pg_dump ')).length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes(password))).toEqual([]);

  const modes: [string, number][] = [];
  for (const name of ['', 'globals.sql', 'inventory.json', 'manifest.json', 'db-1'])
    modes.push([name, (await stat(join(dump.folder, name))).mode & 0o077]);
  expect(modes.filter(([, open]) => open !== 0)).toEqual([]);
  expect(await readFile(join(dump.folder, 'globals.sql'), 'utf8')).toContain('SCRAM-SHA-256$');
});

test('stopped in the middle of a dump: Cancelled, and no pg_dump is left', async () => {
  await using blocker = await source.connect('shop');
  await blocker.script('BEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE');
  const stop = new AbortController();
  const failure = failureOf(backUp(base.folder, stop.signal));
  await using watcher = await source.connect();
  await until(
    () =>
      watcher.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'`,
      ),
    (rows) => rows.length > 0,
  );
  expect((await processesWith(base.folder)).length).toBeGreaterThan(0);
  stop.abort();
  expect(await failure).toMatchObject({ code: 'cancelled' });
  expect(await processesWith(base.folder)).toEqual([]);
  expect(await readdir(base.folder)).toEqual([]);
  await blocker.script('ROLLBACK');
  await until(
    () =>
      watcher.query(
        `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'postgres-upgrade%'`,
      ),
    (rows) => rows.length === 0,
  );
});

test('stopped in the middle of a restore: Cancelled, the scratch server and its folders are gone', async () => {
  {
    await using shop = await source.connect('shop');
    // Sleeps while its index is built on the scratch server, and nowhere else.
    await shop.script(`
      CREATE FUNCTION public.sleepy(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN IF current_setting('wal_level') = 'minimal' THEN PERFORM pg_sleep(120); END IF; RETURN 1; END $$;
      CREATE TABLE public.sleeps (id int);
      INSERT INTO public.sleeps VALUES (1);
      CREATE INDEX ON public.sleeps (public.sleepy(id))`);
  }
  const dump = await dumpOf(source.settings(), base.folder);
  const stop = new AbortController();
  let server: ScratchServer | null = null;
  const failure = failureOf(
    proofOf(dump, {
      signal: stop.signal,
      scratch: async (options) => {
        server = await startScratch(await binariesOf('15.18'), options, await scratchUser(), stop.signal);
        return server;
      },
    }),
  );
  const scratch = await until(
    async () => server,
    (found) => found !== null,
  );
  if (!scratch) throw new Error('there is no scratch server');
  const settings = (scratch as ScratchServer).settings('template1');
  await until(
    async () => {
      await using watcher = await connect(settings);
      return await watcher.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
    },
    (rows) => rows.length > 0,
  );
  expect((await processesWith(dump.folder)).join('\n')).toContain('pg_restore');
  stop.abort();
  expect(await failure).toMatchObject({ code: 'cancelled' });
  expect(await processesWith(base.folder)).toEqual([]);
  expect(await stat(settings.host).catch(({ code }) => code)).toBe('ENOENT');
});
