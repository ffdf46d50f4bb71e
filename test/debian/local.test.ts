/** Without a host: the action on the machine of the database itself, as root, and as a user with sudo. */
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({ supervisor: 'systemd' });
  await cp(resolve(import.meta.dirname, '../../dist'), join(bed.root, 'opt/action'), { recursive: true });
});
afterAll(async () => {
  await bed?.[Symbol.asyncDispose]();
});

/** Runs a mode as a user of the machine. */
async function run(
  user: 'root' | 'deploy',
  mode: string,
): Promise<{ code: number; log: string; record: UpgradeRecord }> {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const folder = join(bed.root, home, 'workspace');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o777);
  await writeFile(
    join(folder, 'postgres-upgrade.yaml'),
    `version: 1
targets:
  - name: orders
    postgres: "${bed.versions.new}"
    connection: env:ORDERS_DATABASE_URL
    environment: { kind: debian, version: 15${user === 'root' ? '' : ', become: sudo'} }
    applications:
      - { name: storefront, stop: [systemctl, stop, storefront], start: [systemctl, start, storefront], health: "${bed.application.health}" }
`,
  );
  const { code, stdout, stderr } = await bed.run(
    'runuser',
    '--user',
    user,
    '--',
    'env',
    '-i',
    '--chdir',
    `${home}/workspace`,
    `HOME=${home}`,
    'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    `INPUT_MODE=${mode}`,
    `ORDERS_DATABASE_URL=${bed.postgres.url}`,
    'node',
    '/opt/action/main.js',
  );
  const text = await readFile(join(folder, 'postgres-upgrade-report/orders/report.json'), 'utf8');
  return { code, log: stdout + stderr, record: recordSchema.parse(JSON.parse(text)) };
}

test.each(['root', 'deploy'] as const)('%s upgrades and goes back, under load', async (user) => {
  await bed.run('systemctl', 'start', 'storefront');
  await using writer = await startWriter(bed.postgres.url);
  const up = await run(user, 'upgrade');
  expect(up.code, up.log).toBe(0);
  expect([up.record.result, up.record.versions.now]).toEqual(['success', bed.versions.new]);
  expect((await fetch(bed.application.health)).status).toBe(200);
  const back = await run(user, 'rollback');
  expect(back.code, back.log).toBe(0);
  expect([back.record.result, back.record.versions.now]).toEqual(['rolled-back', bed.versions.old]);
  expect(await writer.missing()).toEqual([]);
});
