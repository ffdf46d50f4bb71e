/**
 * A run that died at the worst moment, on a real Debian: whoever comes next, the post step or another mode, finds the
 * database serving or brings it back, and takes back what is half way.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPost } from '../support/runner.ts';
import { until } from '../support/targets.ts';
import { type BedTarget, storefront, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';

let bed: Bed;
let target: BedTarget;
beforeAll(async () => {
  bed = await startBed({ supervisor: 'pg_ctlcluster' });
  target = await targetOn(bed);
  await bed.run('storefront', 'start');
  await target.spec({ more: storefront(bed) });
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

const file = (path: string): string => join(bed.root, path);
const jobs = '/var/lib/postgres-upgrade/15-main/jobs';
/** Until a file in the bed says this. */
const says = (path: string, what: RegExp): Promise<unknown> =>
  until(
    () => bed.run('cat', path),
    ({ stdout }) => what.test(stdout),
  );
const isNew = (): string =>
  `/usr/lib/postgresql/15/bin/postgres --version | grep -q '(PostgreSQL) ${bed.versions.new} '`;

const expectOld = async (): Promise<void> => {
  expect([await target.version(), await target.installed()]).toEqual([bed.versions.old, bed.packages.old]);
  expect((await bed.run('dpkg', '--audit')).stdout).toBe('');
  expect((await bed.run('test', '-e', '/usr/sbin/policy-rc.d')).code).toBe(1);
  expect((await fetch(bed.application.health)).status).toBe(200);
};

/** Starts an upgrade, and kills it at a moment. */
const killedWhen = async (moment: () => Promise<unknown>): Promise<Awaited<ReturnType<typeof runPost>>> => {
  // What an earlier run printed must not be taken for this one's.
  await bed.run('rm', '-rf', `${jobs}/install-new`, '/tmp/begun');
  await using running = target.start('upgrade');
  await running.line(/\d\/\d+ Install/);
  await moment();
  running.kill9();
  return await running.done;
};

test('killed between the installation and the restart: rollback installs the old packages again', async () => {
  await using _ = await killedWhen(() =>
    says('/var/lib/postgres-upgrade/15-main/journal.jsonl', /"id":"install","state":"done"/),
  );
  expect(await target.installed()).toBe(bed.packages.new);
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  expect((await target.record()).verdict).toBe(
    `PostgreSQL ${bed.versions.old} served already. What was changed beside it was taken back.`,
  );
  await expectOld();
});

test('cancelled in the installation: it is said that the packages stay, and rollback takes them back', async () => {
  await using running = target.start('upgrade');
  await running.line(/\d\/\d+ Install/);
  // As a runner does, but for its ten seconds: on a slow machine an installation takes longer.
  process.kill(running.pid, 'SIGINT');
  await using result = await running.done;
  expect((await target.record()).verdict, result.log).toBe(
    `The run was cancelled; PostgreSQL ${bed.versions.old} was not stopped, and "Install ${bed.versions.new} while ${bed.versions.old} goes on" was not taken back.`,
  );
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  await expectOld();
});

test('killed while dpkg fails for good: rollback brings the old packages back', async () => {
  const functions = '/usr/share/postgresql-common/maintscripts-functions';
  await bed.run('cp', functions, '/root/functions');
  await bed.run(
    'sh',
    '-c',
    `echo 'if [ "$1" = configure ] && /usr/lib/postgresql/15/bin/postgres --version | grep -q "(PostgreSQL) ${bed.versions.new} "; then echo planted >&2; exit 1; fi' >>${functions}`,
  );
  await using _ = await killedWhen(() => says(`${jobs}/install-new/out`, /Setting up libpq5/));
  await using back = await target.run('rollback');
  await bed.run('cp', '/root/functions', functions);
  expect(back.conclusion, back.log).toBe('success');
  await expectOld();
});

test('killed while a server that does not start is started: the post step brings the old one back', async () => {
  await writeFile(
    file('/root/hook'),
    `${isNew()} || exit 0
cd /usr/lib/postgresql/15/bin && mv postgres postgres.real && cat >postgres <<'EOF'
#!/bin/sh
case " $* " in *" -V "* | *" --version "*) exec /usr/lib/postgresql/15/bin/postgres.real "$@" ;; esac
echo begun >/tmp/begun
echo 'FATAL:  planted: this server does not start' >&2
exit 1
EOF
chmod 755 postgres
`,
  );
  await writeFile(file('/etc/apt/apt.conf.d/99fault'), 'DPkg::Post-Invoke { "sh /root/hook"; };\n');
  await using killed = await killedWhen(() => says('/tmp/begun', /begun/));
  await rm(file('/etc/apt/apt.conf.d/99fault'));
  await using post = await runPost(killed);
  expect(post.conclusion, post.log).toBe('success');
  await expectOld();
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  await expectOld();
});

test('killed with everything of the installation: the post step leaves dpkg whole, resume upgrades', async () => {
  await using killed = await killedWhen(async () => {
    await says(`${jobs}/install-new/out`, /Unpacking postgresql-15 /);
    await bed.run('sh', '-c', `kill -9 $(pgrep -s "$(cat ${jobs}/install-new/pid)")`);
  });
  await using post = await runPost(killed);
  expect(post.conclusion, post.log).toBe('success');
  await expectOld();
  await using resumed = await target.run('resume');
  expect(resumed.conclusion, resumed.log).toBe('success');
  expect([await target.version(), await target.installed()]).toEqual([bed.versions.new, bed.packages.new]);
  await using back = await target.run('rollback');
  expect(back.conclusion, back.log).toBe('success');
  await expectOld();
});

test('an upgrade after a rollback takes a backup of its own, though the packages are there', async () => {
  await using again = await target.run('upgrade');
  expect(again.conclusion, again.log).toBe('success');
  const { backup, steps } = await target.record();
  expect(backup).not.toBe(null);
  expect(steps.slice(0, 2).map(({ id, state }) => [id, state])).toEqual([
    ['backup', 'done'],
    ['packages', 'already-done'],
  ]);
});
