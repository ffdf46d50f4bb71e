/**
 * How long clients of a Debian server wait, as a ratio against the best hand-made way on the same machine in the same run:
 * packages are kept from restarting PostgreSQL while apt runs, and then it is restarted once. And, for scale, against a
 * plain apt-get install. Rounds alternate, and each begins with the older version.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storefront, targetOn } from '../test/debian/support/action.ts';
import { type Bed, startBed } from '../test/debian/support/bed.ts';
import { startWriter } from '../test/debian/support/writer.ts';

const rounds = 3;
const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const ms = (value: number): string => `${Math.round(value)} ms`;
const names = ['postgresql-15', 'postgresql-client-15', 'libpq5'];

async function must(bed: Bed, ...argv: string[]): Promise<void> {
  const { code, stderr } = await bed.run(...argv);
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
}

const install = (bed: Bed, version: string): Promise<void> =>
  must(
    bed,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    'install',
    '-qq',
    '-y',
    '--allow-downgrades',
    ...names.map((name) => `${name}=${version}`),
  );

const restart = (bed: Bed): Promise<void> =>
  bed.supervisor === 'systemd'
    ? must(bed, 'systemctl', 'restart', 'postgresql@15-main')
    : must(bed, 'pg_ctlcluster', '15', 'main', 'restart', '-m', 'fast');

/** The runbook as a careful person writes it. */
async function byHand(bed: Bed, version: string): Promise<void> {
  await writeFile(join(bed.root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  await install(bed, version);
  await must(bed, 'rm', '/usr/sbin/policy-rc.d');
  await restart(bed);
}

/** Longest time between two acknowledged commits while something is done. */
async function gapOf(bed: Bed, work: () => Promise<unknown>): Promise<number> {
  await using writer = await startWriter(bed.postgres.url);
  await work();
  const missing = await writer.missing();
  if (missing.length > 0) throw new Error(`${missing.length} acknowledged writes are lost`);
  return (await writer.stop()).longestGapMs;
}

for (const supervisor of ['pg_ctlcluster', 'systemd'] as const) {
  await using bed = await startBed({ supervisor });
  await using target = await targetOn(bed);
  await must(bed, 'storefront', 'start');
  await target.spec({ more: storefront(bed) });
  const gaps = { action: [] as number[], hand: [] as number[], plain: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    gaps.hand.push(await gapOf(bed, () => byHand(bed, bed.packages.new)));
    await byHand(bed, bed.packages.old);
    gaps.action.push(
      await gapOf(bed, async () => {
        await using result = await target.run('upgrade');
        if (result.conclusion !== 'success') throw new Error(result.log);
      }),
    );
    await byHand(bed, bed.packages.old);
    gaps.plain.push(await gapOf(bed, () => install(bed, bed.packages.new)));
    await byHand(bed, bed.packages.old);
  }
  const [action, hand, plain] = [median(gaps.action), median(gaps.hand), median(gaps.plain)];
  process.stdout.write(
    `${supervisor}: longest gap of a client, medians of ${rounds}: the action ${ms(action)}, by hand ${ms(hand)} (ratio ${(action / hand).toFixed(2)}), plain apt-get install ${ms(plain)} (ratio ${(action / plain).toFixed(2)}); 0 acknowledged writes lost\n` +
      `  each: action ${gaps.action.map(ms).join(', ')}; by hand ${gaps.hand.map(ms).join(', ')}; plain ${gaps.plain.map(ms).join(', ')}\n`,
  );
}
