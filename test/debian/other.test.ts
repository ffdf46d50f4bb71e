/** Ways through the action besides the straight one: approved plans, rehearsals, a stopped cluster, a version that is broken. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BedTarget, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

let bed: Bed;
let target: BedTarget;
beforeAll(async () => {
  bed = await startBed({ supervisor: 'systemd' });
  target = await targetOn(bed);
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

test('a rehearsal restores into a server beside the job, and leaves the machine as it is', async () => {
  await target.spec({ more: '    rehearsal: { nearest: allow }' });
  await using result = await target.run('rehearse');
  await target.spec();
  expect(result.conclusion, result.log).toBe('success');
  const { rehearsal } = await target.record();
  expect(rehearsal?.scratch?.where).not.toContain(bed.ssh.host);
  expect(await target.installed()).toBe(bed.packages.old);
});

test('a cluster that was found stopped is started, upgraded under an approved plan, and serves', async () => {
  await using plan = await target.run('plan');
  expect(plan.conclusion, plan.log).toBe('success');
  const digest = plan.outputs['plan-digest'] ?? '';
  await bed.run('systemctl', 'stop', 'postgresql@15-main');
  await using result = await target.run('upgrade', { inputs: { 'plan-digest': digest } });
  expect(result.conclusion, result.log).toBe('success');
  expect(await target.version()).toBe(bed.versions.new);
  const { switchedOff } = await target.record();
  expect(switchedOff.map(({ id, putBackAt }) => [id, putBackAt !== null])).toContainEqual(['woken', true]);
});

test('the new version crashes and does not start any more: rollback goes on without it', async () => {
  await using writer = await startWriter(bed.postgres.url);
  while (writer.count() < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  const bin = join(bed.root, 'usr/lib/postgresql/15/bin');
  await bed.run('mv', '/usr/lib/postgresql/15/bin/postgres', '/usr/lib/postgresql/15/bin/postgres.real');
  await writeFile(
    join(bin, 'postgres'),
    '#!/bin/sh\ncase " $* " in *" -V "* | *" --version "*) exec /usr/lib/postgresql/15/bin/postgres.real "$@" ;; esac\nexit 1\n',
    { mode: 0o755 },
  );
  await bed.run('systemctl', 'kill', '--signal=KILL', 'postgresql@15-main');
  await using result = await target.run('rollback');
  expect(result.conclusion, result.log).toBe('success');
  const { result: ended, issues } = await target.record();
  expect([ended, issues.map(({ code }) => code)]).toEqual(['rolled-back', ['server-start', 'not-compared']]);
  expect([await target.version(), await target.installed()]).toEqual([bed.versions.old, bed.packages.old]);
  expect(await writer.missing()).toEqual([]);
});
