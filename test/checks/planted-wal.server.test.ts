/** Planted faults of archiving and replication, with a real standby. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeFolder, serverFolder } from '../../src/postgres/server.ts';
import { run } from '../../src/process/run.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import {
  contextOf,
  ends,
  healthyServer,
  nothing,
  type Patient,
  patient,
  something,
  sql,
  thresholds,
  told,
  until,
} from './planted.ts';

describe.each(ends)('$version', ({ version }) => {
  let server: TestServer;
  let tell: Patient['tell'];
  let setting: Patient['setting'];
  let switchWal: Patient['switchWal'];

  beforeAll(async () => {
    server = await healthyServer(version);
    ({ tell, setting, switchWal } = patient(server, version));
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('archiver and archive-backlog: the command fails, then goes nowhere', async () => {
    await setting('archive_command', 'false');
    await switchWal(12);
    const answer = await until(tell, (found) => 'archiver' in found && 'archive-backlog' in found);
    expect(Object.keys(answer)).toEqual(['archiver', 'archive-backlog']);
    expect(answer.archiver?.[0]).toBe('blocked');
    expect(answer.archiver?.[1][0]).toMatch(
      /^[0-9A-F]{24} could not be archived, last tried [\d-]+ [\d:]+ UTC; \d+ failures? so far$/,
    );
    expect(answer['archive-backlog']).toEqual(['warning', ['12 finished WAL files not archived yet']]);
    expect((await tell(thresholds({ archiveBacklogBlock: 11 })))['archive-backlog']?.[0]).toBe('blocked');
    await setting('archive_command', 'true');
    await until(tell, nothing);

    await setting('archive_command', '');
    expect(await tell()).toEqual({
      archiver: ['warning', ['archive_mode is on, but archive_command is empty: WAL piles up in pg_wal']],
    });
    await setting('archive_command', 'true');
    await until(tell, nothing);
  });

  test('slots: inactive, holding back, lost', async () => {
    await sql(server, `SELECT pg_create_physical_replication_slot('left_behind', true)`);
    expect(await tell()).toEqual({
      slots: ['info', [expect.stringMatching(/^physical slot left_behind: inactive, holds back .+ of WAL$/)]],
    });
    await switchWal(2);
    expect(await tell(thresholds({ slotRetainedWarning: 1024 ** 2 }))).toEqual({
      slots: [
        'warning',
        [expect.stringMatching(/^physical slot left_behind: inactive, holds back [\d.]+ MiB of WAL$/)],
      ],
    });
    await setting('max_slot_wal_keep_size', '1MB');
    await switchWal(1);
    const found = await until(
      async () => {
        await switchWal(1);
        await sql(server, 'CHECKPOINT');
        return tell();
      },
      (answer) => answer.slots?.[1][0]?.includes('lost') === true,
    );
    expect(found).toEqual({
      slots: [
        'blocked',
        [expect.stringMatching(/^physical slot left_behind: lost( \(wal_removed\))?, its consumer/)],
      ],
    });
    await sql(server, `SELECT pg_drop_replication_slot('left_behind')`);
    await setting('max_slot_wal_keep_size', null);
    await until(tell, nothing);
  });

  test('replicas: a standby that follows is silent, a paused one and a missing synchronous one are not', async () => {
    const folder = await serverFolder(server.user);
    try {
      // A copy of the stopped server: no pg_basebackup is younger than every server.
      const data = join(folder, 'data');
      await server.stop();
      expect(await run(['cp', '-a', server.data, data])).toMatchObject({ code: 0 });
      await writeFile(join(data, 'standby.signal'), '');
      await appendFile(
        join(data, 'postgresql.auto.conf'),
        `primary_conninfo = 'host=127.0.0.1 port=${server.port} user=postgres'\n`,
      );
      await server.start();
      await using standby = await testServer(version, { data });
      await until(tell, nothing);
      await until(
        () => sql(server, `SELECT count(*)::int AS n FROM pg_stat_replication WHERE state = 'streaming'`),
        ([row]) => row?.n === 1,
      );
      const onStandby = await told(standby, contextOf(version));
      expect(onStandby).toEqual({
        identity: ['blocked', ['the server is a standby: pg_is_in_recovery() is true']],
      });

      await sql(standby, 'SELECT pg_wal_replay_pause()', 'postgres');
      await switchWal(3);
      const behind = await until(tell, (answer) => answer.replicas?.[1][0]?.includes('behind') === true);
      expect(behind).toEqual({
        replicas: ['blocked', [expect.stringMatching(/^walreceiver at 127\.0\.0\.1: [\d.]+ MiB behind$/)]],
      });
      await sql(standby, 'SELECT pg_wal_replay_resume()', 'postgres');
      await until(tell, nothing);

      await setting('synchronous_standby_names', 'somebody');
      const missing = await until(tell, something);
      expect(missing).toEqual({
        replicas: [
          'blocked',
          [
            'synchronous_standby_names is somebody, but no synchronous standby is connected: commits wait for ever',
          ],
        ],
      });
      await setting('synchronous_standby_names', null);
      await until(tell, nothing);
    } finally {
      await removeFolder(folder);
    }
    await until(tell, nothing);
  });
});
