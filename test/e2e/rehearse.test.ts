/** Mode `rehearse` through dist, as GitHub runs it: also killed and cancelled. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runPost } from '../support/runner.ts';
import { processesWith, until } from '../support/targets.ts';
import { secretsIn, type Target, target } from './support.ts';

let here: Target | undefined;
afterEach(async () => {
  await here?.[Symbol.asyncDispose]();
  here = undefined;
});

/** No scratch server, no folder of it, and the target serves the version it had. */
async function expectAsBefore(one: Target): Promise<void> {
  const backups = `${one.server.data}.upgrade/backups`;
  expect(await processesWith(backups)).toEqual([]);
  const left = existsSync(backups) ? await readdir(backups) : [];
  expect(left.filter((name) => name.startsWith('work-'))).toEqual([]);
  expect(await one.version()).toBe('15.17');
}

test('a rehearsal: the summary shows stages and measures, the plan is a file, nothing was changed', async () => {
  const one = await target('15.17', '15.18');
  here = one;
  await mkdir(join(one.workspace, 'ops'));
  await writeFile(join(one.workspace, 'ops/smoke.sql'), 'SELECT count(*) FROM app.orders;\n');
  await one.spec({ more: '    rehearsal: { smoke: [{ file: ops/smoke.sql, database: shop }] }' });
  await using result = await one.run('rehearse');
  expect([result.exitCode, result.outputs.result, result.outputs.changed]).toEqual([0, 'success', 'false']);
  expect(result.summary).toMatch(
    /^## ✅ The upgrade of 15\.17 to 15\.18 was rehearsed on a restored copy, and it passed\. Expected downtime: /,
  );
  expect(result.summary).toContain('### The rehearsal');
  expect(result.summary).toContain('| ✅ passed | Run the smoke queries on the copy |');
  expect(result.summary).toContain('| Expected downtime |');
  const plan = JSON.parse(await readFile(result.outputs['plan-file'] ?? '', 'utf8')) as {
    plan: { from: string };
  };
  expect(plan.plan.from).toBe('15.17');
  const page = await readFile(join(one.output, 'orders', 'report.html'), 'utf8');
  expect(page).toContain('id="rehearsal"');
  expect(secretsIn(page + result.log + result.summary)).toEqual([]);
  await expectAsBefore(one);
});

test('a spec that names a smoke file which is not there, is refused before anything is done', async () => {
  const one = await target('15.17', '15.18', { sample: false });
  here = one;
  await one.spec({ more: '    rehearsal: { smoke: [ops/none.sql] }' });
  await using result = await one.run('rehearse');
  expect(result.exitCode).toBe(1);
  expect(result.annotations.map(({ title }) => title)).toEqual(['health-file']);
});

test('killed in the middle: the post step ends the scratch server and takes its folders away', async () => {
  const one = await target('15.17', '15.18');
  here = one;
  const running = one.start('rehearse');
  await running.line(/Restore the backup and compare it/);
  running.kill9();
  await using killed = await running.done;
  expect(await processesWith(`${one.server.data}.upgrade/backups`)).not.toEqual([]);
  await using post = await runPost(killed);
  expect(post.summary).toMatch(/^## ⏹️ /);
  await until(
    () => processesWith(`${one.server.data}.upgrade/backups`),
    (found) => found.length === 0,
  );
  await expectAsBefore(one);
  // Nothing of it is in the way of the next one, and it is not remembered as a rehearsal.
  await using next = await one.run('rehearse');
  expect(next.outputs.result).toBe('success');
  expect((await one.record()).rehearsed).toBeNull();
});

test('the runner died with it: the next rehearsal cleans up first', async () => {
  const one = await target('15.17', '15.18');
  here = one;
  const running = one.start('rehearse');
  await running.line(/Restore the backup and compare it/);
  running.kill9();
  await using _ = await running.done;
  await using next = await one.run('rehearse');
  expect([next.exitCode, next.outputs.result]).toEqual([0, 'success']);
  expect(next.log).toContain('a rehearsal was killed; cleaning up after it');
  await expectAsBefore(one);
});

test('cancelled: ends within the time that GitHub gives, and leaves nothing', async () => {
  const one = await target('15.17', '15.18');
  here = one;
  await using result = await one.run('rehearse', {
    cancelAfter: (lines) => lines.some((line) => line.includes('Restore the backup and compare it')),
  });
  expect([result.conclusion, result.signal]).toEqual(['cancelled', null]);
  expect((await one.record()).result).toBe('cancelled');
  await expectAsBefore(one);
});
