/** A rollback that restores the backup of the upgrade: what was lost, what is kept, and what happens where it stops. */
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDump } from '../../src/backup/read-dump.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { namesFor } from '../../src/upgrade/restore-names.ts';
import { assertRestorable } from '../../src/upgrade/restore-obstacles.ts';
import { exchange } from '../../src/upgrade/restore-swap.ts';
import { openTarget, recorderFor, runTarget } from '../../src/upgrade/run-target.ts';
import { putBackAll, stepRun } from '../../src/upgrade/target.ts';
import { failureOf } from '../support/targets.ts';
import { contextOf, targetOf } from './restore-run.ts';
import {
  application,
  ask,
  codes,
  consent,
  databases,
  exchanged,
  rows,
  run,
  script,
  shop,
  state,
  told,
  untouched,
  upgradedShop,
  version,
  wish,
} from './restore-world.ts';
import { world } from './world.ts';

upgradedShop();

/** Everything about the database itself, as the catalog has it. */
const itself = (name: string) =>
  ask(`SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype, datlocprovider, datconnlimit, datacl::text AS acl, datallowconn,
         shobj_description(oid, 'pg_database') AS comment,
         (SELECT array_agg(coalesce(pg_get_userbyid(nullif(setrole, 0)), '') || s.setconfig::text ORDER BY 1)::text FROM pg_db_role_setting s WHERE setdatabase = d.oid) AS settings
       FROM pg_database d WHERE datname = '${name}'`);

describe('with the consent', () => {
  test('goes back, restores both databases, keeps the old ones and says what was lost', async () => {
    const before = await itself('orders');
    const record = await run('rollback', consent() + application());
    expect([record.result, codes(record)]).toEqual(['rolled-back', []]);
    expect(record.verdict).toMatch(
      /^PostgreSQL 15\.18 went back to 15\.17\. billing, orders were restored from the backup of .*: what was written since then is lost to them, and is kept in the old databases\.$/,
    );
    expect(record.next).toMatch(
      /^Set postgres: "15\.17".*\nbilling_before_restore_\S+ \(.* MiB\) is billing as it was before the restore\. Once nobody needs it: DROP DATABASE "billing_before_restore_\S+";\norders_.*\nTake rollback\.restore out of the spec of orders\.$/s,
    );
    expect(await version()).toBe('15.17');
    expect(await databases()).toEqual(exchanged);
    expect([await rows('orders'), await rows('billing')]).toEqual([1000, 1000]);
    expect(await itself('orders')).toEqual(before);
    expect(await told()).toEqual(['stop', 'start']);
    expect(record.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'stop-applications done',
      'undo-restart undone',
      'validate done',
      'restore done',
      'validate-restored done',
      'start-applications done',
    ]);
    expect(record.steps.find(({ id }) => id === 'restore')?.output).toContainEqual(
      expect.stringMatching(/^orders: 2 tables, 1001 rows and \d+ objects of .* are equal/),
    );
    expect(record.plan?.notes[0]).toContain('The data does not stay as it is: billing, orders');
    expect(record.plan?.risk.reasons.join(' ')).not.toContain('nothing that was written since is lost');
    expect(record.plan?.steps.map(({ id }) => id)).toEqual([
      'stop-applications',
      'restart',
      'restore',
      'validate-restored',
      'start-applications',
    ]);
    // Whoever wants a row of the last days back finds it.
    const [old] = await ask<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE datname LIKE 'orders_before_restore_%'",
    );
    await script(`ALTER DATABASE "${old?.datname}" ALLOW_CONNECTIONS true`);
    expect(await rows(old?.datname ?? '')).toBe(1005);

    // A consent is good for one time.
    await script("INSERT INTO things (name) VALUES ('after the restore')", 'orders');
    const again = await run('rollback', consent());
    expect([again.result, await rows('orders')]).toEqual(['skipped', 1001]);
  });

  test('where the older version serves already the restore alone is done', async () => {
    expect((await run('rollback')).result).toBe('rolled-back');
    expect(await rows('orders')).toBe(1005);
    const record = await run('rollback', consent());
    expect([record.result, codes(record)]).toEqual(['rolled-back', []]);
    expect(record.verdict).toMatch(/^PostgreSQL 15\.17 served already\. billing, orders were restored/);
    expect(record.steps.map(({ id }) => id)).toEqual(['restore', 'validate-restored']);
    expect([await rows('orders'), await databases()]).toEqual([1000, exchanged]);
  });

  test('a session that comes back again and again does not keep its database from being exchanged', async () => {
    let stopped = false;
    let connected = 0;
    const busy = (async () => {
      while (!stopped) {
        try {
          await using connection = await shop.server.connect('orders');
          connected += 1;
          await connection.query('SELECT pg_sleep(5)');
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
    })();
    const record = await run('rollback', consent());
    stopped = true;
    await script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'orders'");
    await busy;
    expect([record.result, await databases()]).toEqual(['rolled-back', exchanged]);
    expect(connected).toBeGreaterThan(1);
  });

  test('a database that somebody dropped since comes back, one that was made since stays', async () => {
    await script('DROP DATABASE billing');
    await script('CREATE DATABASE later');
    const record = await run('rollback', consent());
    expect(record.result).toBe('rolled-back');
    expect(await databases()).toEqual([
      'billing',
      'later',
      'orders',
      'orders_before_restore_TIME (closed)',
      'postgres',
    ]);
    expect(await rows('billing')).toBe(1000);
  });
});

describe('an upgrade whose application does not start', () => {
  /** Fails the first time. */
  const shy = (): string =>
    `    applications:\n      - { name: shop, stop: ["true"], start: [sh, -c, "test -e ${shop.output}/shy || { touch ${shop.output}/shy; exit 1; }"] }\n`;

  async function failing(how: 'stop' | 'rollback'): Promise<UpgradeRecord> {
    expect((await run('rollback')).result).toBe('rolled-back');
    const record = await run('upgrade', `${shy()}    on-failure: ${how}\n`);
    expect(codes(record)).toContain('put-back');
    if (!record.backup) throw new Error('no backup was taken');
    shop.backup = record.backup;
    await script("INSERT INTO things (name) VALUES ('later')", 'orders');
    return record;
  }

  test('and that stayed: taken back and restored, its journal goes on', async () => {
    expect((await failing('stop')).result).toBe('failed');
    expect([await version(), await rows('orders')]).toEqual(['15.18', 1006]);
    const record = await run('rollback', consent() + application());
    expect([record.result, codes(record)]).toEqual(['rolled-back', []]);
    expect([await version(), await rows('orders'), await databases()]).toEqual(['15.17', 1005, exchanged]);
    expect((await run('rollback', consent())).result).toBe('skipped');
  });

  test('and that went back by itself: its backup is the one that can be restored', async () => {
    const itself = await failing('rollback');
    expect([itself.result, await version()]).toEqual(['rolled-back', '15.17']);
    const record = await run('rollback', consent());
    expect([record.result, codes(record)]).toEqual(['rolled-back', []]);
    expect(record.verdict).toMatch(/^PostgreSQL 15\.17 served already\./);
    expect([await version(), await rows('orders'), await databases()]).toEqual(['15.17', 1005, exchanged]);
  });
});

describe('refuses before anything is changed', () => {
  /** The newer version serves, with every write, and no journal was begun. */
  async function refused(record: UpgradeRecord, code: string): Promise<void> {
    expect([record.result, codes(record)]).toEqual(['failed', [code]]);
    expect(record.verdict).toMatch(/Nothing was changed\.$/);
    expect([await version(), await rows('orders'), await databases()]).toEqual(['15.18', 1005, untouched]);
    expect(await readFile(join(state(), 'journal.jsonl'), 'utf8').catch(() => 'none')).toBe('none');
  }

  test('another time: the error has the sentence, and what would be lost', async () => {
    const record = await run(
      'rollback',
      '    rollback: { restore: "I accept losing writes since 2026-11-20T03:00:00Z" }\n',
    );
    await refused(record, 'restore-consent');
    expect(record.next).toContain(`restore: "I accept losing writes since ${shop.backup.started}"`);
    expect(record.next).toMatch(/orders: \d+ transactions were committed since/);
  });

  test('the same moment in another zone is the same', async () => {
    const shifted = new Date(Date.parse(shop.backup.started) + 3_600_000)
      .toISOString()
      .replace('Z', '+01:00');
    const record = await run(
      'rollback',
      `    rollback: { restore: "I accept losing writes since ${shifted}" }\n`,
    );
    expect(record.result).toBe('rolled-back');
  });

  test('a file is missing', async () => {
    await rm(join(shop.backup.location, 'globals.sql'));
    const record = await run('rollback', consent());
    await refused(record, 'restore-backup');
    expect(record.verdict).toContain('globals.sql is missing');
  });

  test('a file was changed', async () => {
    const inside = join(shop.backup.location, 'db-2');
    const name = (await readdir(inside)).find((each) => each.endsWith('.dat.gz')) ?? '';
    await appendFile(join(inside, name), 'x');
    const record = await run('rollback', consent());
    await refused(record, 'restore-backup');
    expect(record.verdict).toContain(`db-2/${name} has`);
  });

  test('its list of files was changed with them', async () => {
    const file = join(shop.backup.location, 'manifest.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"keepDays": 14', '"keepDays": 15'));
    const record = await run('rollback', consent());
    await refused(record, 'restore-backup');
    expect(record.verdict).toContain('the sum of its manifest.json is another one');
  });

  test('the folder is gone', async () => {
    await rename(shop.backup.location, `${shop.backup.location}.away`);
    const record = await run('rollback', consent());
    await refused(record, 'restore-backup');
    expect(record.verdict).toContain(`is not in ${shop.backup.location} any more`);
    const [name = ''] = (await readdir(state())).filter((each) => each.startsWith('journal-'));
    const archive = join(state(), name);
    const text = await readFile(archive, 'utf8');
    await writeFile(archive, text.replaceAll(`"host":"${shop.backup.host}"`, '"host":"db7"'));
    const elsewhere = await run('rollback', consent());
    await refused(elsewhere, 'restore-backup');
    expect(elsewhere.verdict).toMatch(/^The backup of \S+ is on db7, and this job runs on /);
    expect(elsewhere.next).toContain(`It must be in ${shop.backup.location} on db7`);
  });

  test('a role is gone, a slot, a prepared transaction: all are told together', async () => {
    await script('REASSIGN OWNED BY keeper TO postgres', 'orders');
    await script('DROP OWNED BY keeper', 'orders');
    await script('DROP ROLE keeper');
    await script("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')", 'billing');
    await script("BEGIN; INSERT INTO things (name) VALUES ('p'); PREPARE TRANSACTION 'half'", 'orders');
    const record = await run('rollback', consent());
    await script("ROLLBACK PREPARED 'half'", 'orders');
    await script("SELECT pg_drop_replication_slot('feed')", 'billing');
    await refused(record, 'restore-blocked');
    expect(record.next).toMatch(/slot feed belongs to billing.*transaction 'half'.*role keeper/s);
  });
});

describe('stops on the way', () => {
  /** The older version serves the present databases, everything is on again, and a rollback may be tried again. */
  async function unrestored(record: UpgradeRecord, code: string): Promise<void> {
    expect([record.result, codes(record)]).toEqual(['failed', [code]]);
    expect(record.verdict).toContain('The backup was not restored: the present databases are as they were');
    expect([await version(), await rows('orders'), await databases()]).toEqual(['15.17', 1005, untouched]);
    expect(record.switchedOff.filter(({ putBackAt }) => putBackAt === null)).toEqual([]);
    expect(await told()).toEqual(['stop', 'start']);
  }

  test('a copy that differs is dropped; without the consent the rollback ends on the present data', async () => {
    await alterInventory();
    const record = await run('rollback', consent() + application());
    await unrestored(record, 'restore-differs');
    expect(record.issues[0]?.what).toContain('table "public"."things" has 1001 rows, its restored copy 1000');
    const ended = await run('rollback');
    expect([ended.result, await rows('orders')]).toEqual(['rolled-back', 1005]);
  });

  test('a dump that does not restore, whatever the number of workers', async () => {
    await script("ALTER ROLE postgres SET shop.closed = 'yes'");
    const record = await run('rollback', consent() + application());
    await script('ALTER ROLE postgres RESET shop.closed');
    await unrestored(record, 'restore-failed');
    expect(record.issues[0]?.hint).toContain('violates check constraint');
    const done = await run('rollback', consent());
    expect([done.result, await databases()]).toEqual(['rolled-back', exchanged]);
  });

  test('cancelled in the middle: the copies go, and a rollback may be tried again', async () => {
    const asked = wish('rollback', consent() + application());
    const stop = new AbortController();
    using context = await contextOf(asked);
    const record = await runTarget(targetOf(asked), {
      ...context,
      signal: stop.signal,
      log: {
        ...context.log,
        progress: (text) => {
          if (text.includes('orders: restoring into orders_restoring')) stop.abort();
        },
      },
    });
    expect([record.result, codes(record)]).toEqual(['cancelled', ['cancelled']]);
    expect([await version(), await rows('orders'), await databases()]).toEqual(['15.17', 1005, untouched]);
    expect(await told()).toEqual(['stop', 'start']);
    expect((await run('upgrade')).issues[0]?.code).toBe('rollback-unfinished');
    expect([(await run('rollback', consent())).result, await databases()]).toEqual([
      'rolled-back',
      exchanged,
    ]);
  });

  test('a session that cannot be ended: the databases are opened again, and it is named', async () => {
    const names = namesFor(['orders', 'billing'], [], new Date());
    for (const { copy } of names) await script(`CREATE DATABASE "${copy}"`);
    const asked = wish('rollback');
    using context = await contextOf(asked);
    const target = targetOf(asked);
    const opened = await openTarget(target, context, recorderFor(target, context));
    opened.journal.adopt();
    await opened.journal.begin({ run: 'r', mode: 'rollback', from: '15.17', wanted: '15.18' });
    const step = stepRun(opened, null, false);
    // Whoever stays in the database may be ended again and again: no time to wait is the same to the one who waits.
    await using session = await shop.server.connect('orders');
    const error = await failureOf(
      exchange(
        opened,
        names.map((each) => ({ ...each, present: true, connections: true })),
        step,
        -1,
      ),
    );
    await session.close();
    expect([error.code, error.hint]).toEqual([
      'restore-sessions',
      expect.stringMatching(/^process \d+ \(postgres\) in orders\. Stop what opens them/),
    ]);
    expect(await databases()).toContain('orders (closed)');
    expect(await putBackAll(opened)).toEqual([]);
    expect((await databases()).filter((name) => name.includes('closed'))).toEqual([]);
    expect(await rows('orders')).toBe(1005);
    await opened.journal.end('failed', 'discard');
  });

  test('no room', async () => {
    using here = await world();
    const { dump } = await readDump(shop.backup.location, 'orders');
    const asked = (freeBytes: number) =>
      assertRestorable(
        {
          ...here.run,
          settings: shop.server.settings(),
          environment: {
            ...here.run.environment,
            disks: async () => [
              { purpose: 'data directory', path: '/srv/orders', freeBytes, neededBytes: 1 },
            ],
          },
        },
        dump,
      );
    const error = await failureOf(asked(1_000_000_000));
    expect([error.code, error.hint]).toEqual([
      'restore-space',
      '/srv/orders: 1.0 GiB needed, 953.7 MiB free.',
    ]);
    expect((await asked(2_000_000_000)).map(({ name }) => name)).toContain('billing');
  });
});

/** Says of the dump that it has one row more, with all sums as they should be: only the comparison can notice. */
async function alterInventory(): Promise<void> {
  const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
  const file = join(shop.backup.location, 'inventory.json');
  const old = await readFile(file, 'utf8');
  const text = old.replaceAll('"rows": "1000"', '"rows": "1001"');
  expect(text).not.toBe(old);
  await writeFile(file, text);
  const list = join(shop.backup.location, 'manifest.json');
  const before = await readFile(list, 'utf8');
  const after = before.replace(sum(old), sum(text));
  await writeFile(list, after);
  for (const name of (await readdir(state())).filter((each) => each.startsWith('journal-'))) {
    const archive = join(state(), name);
    await writeFile(archive, (await readFile(archive, 'utf8')).replaceAll(sum(before), sum(after)));
  }
}
