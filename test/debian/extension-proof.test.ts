/** An extension whose files only the machine of the database has: its backup is proved there, and nothing stays. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPost } from '../support/runner.ts';
import { until } from '../support/targets.ts';
import { type BedTarget, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

let bed: Bed;
let target: BedTarget;
beforeAll(async () => {
  bed = await startBed({ supervisor: 'systemd' });
  target = await targetOn(bed);
  const folder = join(bed.root, 'usr/share/postgresql/15/extension');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tallies.control'), "default_version = '1.0'\nrelocatable = true\n");
  await writeFile(
    join(folder, 'tallies--1.0.sql'),
    "CREATE TABLE tally (name text PRIMARY KEY, n bigint NOT NULL);\nSELECT pg_catalog.pg_extension_config_dump('tally', '');\n",
  );
  const made = await bed.run(
    'runuser',
    '-u',
    'postgres',
    '--',
    'psql',
    '-XqvON_ERROR_STOP=1',
    '-p',
    `${bed.postgres.port}`,
    '-d',
    'shop',
    '-c',
    "CREATE EXTENSION tallies; INSERT INTO tally VALUES ('a', 1)",
  );
  expect(made.code, made.stderr).toBe(0);
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

/** What a scratch server would leave. */
const left = async (): Promise<string> =>
  (
    await bed.run(
      'sh',
      '-c',
      'ls -d /var/lib/postgres-upgrade-scratch-* 2>/dev/null; pgrep -u nobody -a postgres',
    )
  ).stdout;

test('killed in the middle of the proof: the server there ends by itself', async () => {
  await using running = target.start('upgrade');
  // The server itself: a process, and not only its folder.
  await until(left, (found) => /postgres -D|checkpointer/.test(found));
  running.kill9();
  await using killed = await running.done;
  await until(left, (found) => found === '');
  await using post = await runPost(killed);
  expect((await target.record()).result, post.log).toBe('cancelled');
});

test('the backup is proved by the programs of that machine', async () => {
  await using writer = await startWriter(bed.postgres.url);
  await using result = await target.run('upgrade');
  expect(result.conclusion, result.log).toBe('success');
  expect(await writer.missing()).toEqual([]);
  const { backup, steps } = await target.record();
  expect(backup?.proof).toMatchObject({ verdict: 'proved', restoredInto: bed.versions.old, differences: [] });
  expect(steps[0]?.output.join('\n')).toContain('proved: ');
  expect(await left()).toBe('');
  expect(await target.version()).toBe(bed.versions.new);
});
