/** Secrets of a run over ssh: in no command line at either end, and in no file that stays, however the run ends. */
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import { readConnectionUrl } from '../../src/postgres/settings.ts';
import { runPost } from '../support/runner.ts';
import { type BedTarget, storefront, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';

const verifier = 'passw0rd-of-the-verifier';
let bed: Bed;
let target: BedTarget;
let secrets: string[];
let verify: string;
/** Temporary files of others. */
let before: string[];

beforeAll(async () => {
  bed = await startBed({ supervisor: 'pg_ctlcluster' });
  target = await targetOn(bed);
  await using admin = await connect(readConnectionUrl(bed.postgres.url, 'bed'));
  await admin.script(`CREATE ROLE verifier LOGIN PASSWORD '${verifier}'`);
  const url = new URL(bed.postgres.url);
  secrets = [verifier, url.password, bed.ssh.key.split('\n')[2] ?? ''];
  url.username = 'verifier';
  url.password = verifier;
  verify = url.href;
  await bed.run('storefront', 'start');
  await bed.run('sh', '-c', 'rm -f /var/log/postgresql/*.log.*');
  before = await readdir(tmpdir());
  await target.spec({
    more: `${storefront(bed)}\n    read-only: { databases: [shop], verify: env:VERIFY_URL }`,
  });
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

/** Looks at the command lines of all processes, those in the bed among them, until the work has ended. */
async function watched(work: Promise<unknown>): Promise<{ looks: number; bad: string[] }> {
  const bad = new Set<string>();
  let looks = 0;
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  while (!over) {
    looks += 1;
    for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
      if (secrets.some((secret) => line.includes(secret))) bad.add(line.replaceAll('\0', ' '));
    }
    await sleep(20);
  }
  await ended;
  return { looks, bad: [...bad] };
}

/** Files that hold a secret: at the other end all that is the action's, and here all that is new. */
async function filesWithSecrets(): Promise<string[]> {
  const fresh = (await readdir(tmpdir())).filter((name) => !before.includes(name));
  const places = [
    ...['var/lib/postgres-upgrade', 'tmp', 'var/tmp', 'run', 'var/log', 'root', 'home/deploy'].map((path) =>
      join(bed.root, path),
    ),
    target.output,
    `${target.workspace}-backups`,
    ...fresh.map((name) => join(tmpdir(), name)),
  ];
  const words = secrets.flatMap((secret) => ['-e', secret]);
  return await new Promise((resolve) => {
    execFile(
      'grep',
      ['-rlF', '--devices=skip', '--binary-files=text', ...words, '--', ...places],
      (_, stdout) => resolve(stdout.split('\n').filter((line) => line !== '')),
    );
  });
}

const env = (): { env: Record<string, string> } => ({ env: { VERIFY_URL: verify } });

test('both looks find what is planted', async () => {
  const { bad } = await watched(bed.run('sh', '-c', 'sleep 1', verifier));
  expect(bad).toContainEqual(expect.stringMatching(`^sh -c sleep 1 ${verifier} $`));
  const planted = join(bed.root, 'var/tmp/planted');
  await writeFile(planted, `x${verifier}x`);
  expect(await filesWithSecrets()).toEqual([planted]);
  await rm(planted);
});

test('killed while packages are being installed: nothing of a secret is left', async () => {
  const running = target.start('upgrade', env());
  const seen = watched(running.done);
  await running.line(/\d\/\d+ Install/);
  running.kill9();
  await using killed = await running.done;
  await using post = await runPost(killed);
  for (const { rawLog } of [killed, post])
    for (const secret of secrets) expect(rawLog.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(secret);
  const { bad, looks } = await seen;
  expect(bad).toEqual([]);
  expect(looks).toBeGreaterThan(20);
  expect(await filesWithSecrets()).toEqual([]);
});

test('run to its end: neither, and what it keeps at the other end is for root alone', async () => {
  const running = target.run('upgrade', env());
  const { bad } = await watched(running);
  await using result = await running;
  expect(result.conclusion, result.log).toBe('success');
  expect(bad).toEqual([]);
  for (const secret of secrets)
    expect(result.rawLog.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(secret);
  expect(await filesWithSecrets()).toEqual([]);
  const { stdout } = await bed.run(
    'find',
    '/var/lib/postgres-upgrade',
    '-maxdepth',
    '0',
    '!',
    '-perm',
    '700',
  );
  expect(stdout).toBe('');
  const { stdout: left } = await bed.run(
    'sh',
    '-c',
    'ls -d /var/lib/postgres-upgrade-* /usr/sbin/policy-rc.d*',
  );
  expect(left).toBe('');
});
