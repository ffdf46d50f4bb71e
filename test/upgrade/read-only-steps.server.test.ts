/** Refusing writes and accepting them again, step by step on real servers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import { connectTo } from '../../src/upgrade/connect.ts';
import { readOnlyStep, readWriteStep } from '../../src/upgrade/read-only-step.ts';
import { snapshotOf } from '../../src/upgrade/snapshots.ts';
import { putBackAll, stepRun } from '../../src/upgrade/target.ts';
import { startReceiver } from '../support/receiver.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf, until } from '../support/targets.ts';
import { client, stateOf, storedSettings, urlOf, worldOn } from './read-only-support.ts';
import type { World } from './world.ts';

/** A name that must be quoted, and would end a statement where it is not. */
const odd = `we"ird'; DROP ROLE app; --`;
const oddSpec = JSON.stringify(odd);

async function enter({ run }: World): Promise<string[]> {
  const record = run.recorder.startStep('read-only', 'Refuse writes');
  await readOnlyStep(run).run(stepRun(run, record, true));
  return record.output;
}

async function leave({ run }: World): Promise<string[]> {
  const record = run.recorder.startStep('read-write', 'Accept writes');
  await readWriteStep(run).run(stepRun(run, record, false));
  return record.output;
}

describe.each(['13.23', '18.4'])('on %s', (version) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await testServer(version);
    await using connection = await server.connect();
    for (const name of ['shop', 'metrics', 'other', odd])
      await connection.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`);
    for (const name of ['app', 'reporting', 'limited', 'current_user', odd])
      await connection.query(`CREATE ROLE "${name.replaceAll('"', '""')}" LOGIN`);
    for (const name of ['shop', 'other']) {
      await using database = await server.connect(name);
      await database.script('CREATE TABLE public.note (text text); GRANT ALL ON public.note TO PUBLIC');
    }
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const insert = "INSERT INTO public.note VALUES ('x')";

  test('every setting is put back as it was: none, off, on, and among others', async () => {
    await using admin = await server.connect();
    await admin.script('ALTER DATABASE metrics SET default_transaction_read_only = FALSE');
    await admin.script(`ALTER DATABASE "we""ird'; DROP ROLE app; --" SET default_transaction_read_only = on`);
    await admin.script('ALTER ROLE "current_user" SET work_mem = 5000');
    await admin.script('ALTER ROLE "current_user" SET default_transaction_read_only = off');
    await admin.script('ALTER ROLE "current_user" SET search_path = a, b');
    const before = await storedSettings(server);
    using here = await worldOn(
      server,
      `read-only: { databases: [shop, metrics, ${oddSpec}], roles: [current_user, ${oddSpec}], verify: env:APP }`,
      { APP: urlOf(server, 'shop', 'current_user') },
    );
    const snapshot = await snapshotOf(here.run);
    await enter(here);
    const during = await storedSettings(server);
    expect(during).toHaveLength(before.length + 2);
    expect(during.filter((line) => line.includes('default_transaction_read_only=on'))).toHaveLength(5);
    expect(here.journal()).toEqual([
      'switched-off read-only:database:shop',
      'switched-off read-only:database:metrics',
      `switched-off read-only:database:${odd}`,
      'switched-off read-only:role:current_user',
      `switched-off read-only:role:${odd}`,
    ]);
    // The comparison of health sees what was before, and everything else as it is.
    const fact = 'settings of roles and databases';
    expect((await snapshotOf(here.run)).server[fact]).toBe(snapshot.server[fact]);
    await admin.script('ALTER DATABASE metrics SET work_mem = 6000');
    expect((await snapshotOf(here.run)).server[fact]).not.toBe(snapshot.server[fact]);
    await admin.script('ALTER DATABASE metrics RESET work_mem');

    await leave(here);
    expect(await storedSettings(server)).toEqual(before);
    expect(here.run.journal.state().outstanding).toEqual([]);
    for (const sql of ['DATABASE metrics', `DATABASE "we""ird'; DROP ROLE app; --"`, 'ROLE "current_user"'])
      await admin.script(`ALTER ${sql} RESET ALL`);
  });

  test('sessions of the databases and roles are ended, also ones that are just beginning; others stay', async () => {
    await using idle = await client(server, 'shop');
    await using busy = await client(server, 'shop', 'reporting');
    await busy.script('BEGIN; SELECT 1');
    await using elsewhere = await client(server, 'other', 'limited');
    await using byRole = await client(server, 'other', 'app');
    await using ours = await connect(server.settings('shop'), { name: 'postgres-upgrade probe' });
    await using pretender = await client(server, 'shop', 'reporting', 'postgres-upgrade probe');
    await using prepares = await client(server, 'shop', 'reporting');
    await prepares.script(`BEGIN; ${insert}; PREPARE TRANSACTION 'later'`);
    using here = await worldOn(server, 'read-only: { databases: [shop], roles: [app], verify: env:APP }', {
      APP: urlOf(server, 'shop'),
    });
    // It has read its settings, and cannot be seen yet.
    const slow = new pg.Client({
      connectionString: urlOf(server, 'shop', 'reporting'),
      options: '-c post_auth_delay=2',
    });
    slow.on('error', () => {});
    const beginning = slow.connect().catch(() => {});
    await using admin = await server.connect();
    await until(
      () => admin.query("SELECT FROM pg_locks WHERE locktype = 'object' AND mode = 'RowExclusiveLock'"),
      (rows) => rows.length > 0,
    );
    const output = await enter(here);
    await beginning;
    const late = await slow.query(insert).then(
      () => 'ok',
      () => 'ended',
    );
    expect(late).toBe('ended');
    await slow.end().catch(() => {});
    for (const gone of [idle, busy, byRole, pretender, prepares])
      expect(await stateOf(gone, 'SELECT 1')).not.toBe('ok');
    expect(await stateOf(elsewhere, insert)).toBe('ok');
    expect(await stateOf(ours, 'SELECT 1')).toBe('ok');
    expect(output).toEqual([
      'database "shop": default_transaction_read_only = on',
      'role "app": default_transaction_read_only = on',
      expect.stringMatching(/^[67] sessions ended$/),
      '1 prepared transaction can still be committed: COMMIT PREPARED is no write of its own',
      'verified in a new session: a write fails with 25006 (the connection in env:APP)',
    ]);
    await using fresh = await client(server, 'shop', 'limited');
    await using freshRole = await client(server, 'other', 'app');
    expect([await stateOf(fresh, insert), await stateOf(freshRole, insert)]).toEqual(['25006', '25006']);
    // Our own sessions work all the same.
    await using own = await connectTo(here.run, 'shop');
    expect(await stateOf(own, 'CREATE TABLE public.ours (); DROP TABLE public.ours')).toBe('ok');
    expect(await stateOf(ours, 'BEGIN; SELECT pg_catalog.pg_current_xact_id(); COMMIT')).toBe('ok');
    await own.script("ROLLBACK PREPARED 'later'");

    expect(await leave(here)).toEqual(['verified in a new session: it is not read-only']);
    // What began meanwhile would be read-only for ever.
    for (const gone of [fresh, freshRole]) expect(await stateOf(gone, 'SELECT 1')).not.toBe('ok');
    await using again = await client(server, 'shop', 'limited');
    expect(await stateOf(again, insert)).toBe('ok');
  });

  test.each([
    [
      'read-only: { databases: [shop, Shop, nowhere] }',
      'read-only-unknown',
      'The target has no database "Shop", no database "nowhere", which the spec wants to be read-only.',
    ],
    [
      'read-only: { roles: [nobody], verify: env:APP }',
      'read-only-unknown',
      'The target has no role "nobody", which the spec wants to be read-only.',
    ],
    [
      'read-only: { roles: [reporting], verify: env:APP }',
      'read-only-verify',
      'Whether writes are refused cannot be verified: the connection in env:APP is made by "app", which is none of read-only.roles.',
    ],
    [
      'read-only: { databases: [other], verify: env:APP }',
      'read-only-verify',
      'Whether writes are refused cannot be verified: the connection in env:APP leads to the database "shop", which is none of read-only.databases.',
    ],
    [
      'read-only: { databases: [shop], verify: env:WRONG }',
      'read-only-verify',
      expect.stringMatching(
        /^Whether writes are refused cannot be verified: the connection in env:WRONG could not be used: Nothing answers at app@127\.0\.0\.1:1\/shop/,
      ),
    ],
  ])('%s: nothing is touched', async (spec, code, message) => {
    const before = await storedSettings(server);
    using here = await worldOn(server, spec, {
      APP: urlOf(server, 'shop'),
      WRONG: 'postgresql://app:s3cret@127.0.0.1:1/shop',
    });
    expect(await failureOf(enter(here))).toMatchObject({ code, message });
    expect([here.journal(), await storedSettings(server)]).toEqual([[], before]);
  });

  test.each([
    ['ROLE app IN DATABASE shop', 'off', 'databases: [shop]', 'role "app" in database "shop"'],
    ['ROLE app', 'no', 'databases: [shop]', 'role "app"'],
    [
      'ROLE app IN DATABASE metrics',
      '0',
      'roles: [app], verify: env:APP',
      'role "app" in database "metrics"',
    ],
  ])('a setting that is closer to the session is found: %s', async (who, value, spec, named) => {
    await using admin = await server.connect();
    await admin.script(`ALTER ${who} SET default_transaction_read_only = ${value}`);
    const before = await storedSettings(server);
    using here = await worldOn(server, `read-only: { ${spec} }`, { APP: urlOf(server, 'shop') });
    const failure = await failureOf(enter(here));
    expect(failure).toMatchObject({
      code: 'read-only-overridden',
      message: `A role has a setting of its own by which it could write all the same: ${named}.`,
    });
    expect([here.journal(), await storedSettings(server)]).toEqual([[], before]);
    await admin.script(`ALTER ${who} SET default_transaction_read_only = yes`);
    await enter(here);
    await leave(here);
    await admin.script(`ALTER ${who} RESET ALL`);
  });

  test('what is not on any more was changed by somebody else, and stays', async () => {
    using here = await worldOn(server, 'read-only: { databases: [shop] }');
    await enter(here);
    await using admin = await server.connect();
    await admin.script('ALTER DATABASE shop SET default_transaction_read_only = off');
    await using stays = await client(server, 'shop');
    expect(await putBackAll(here.run)).toEqual([]);
    expect((await storedSettings(server)).filter((line) => line.startsWith('shop'))).toEqual([
      'shop {default_transaction_read_only=off}',
    ]);
    expect(await stateOf(stays, insert)).toBe('ok');
    await admin.script('ALTER DATABASE shop RESET ALL');
  });

  test('a database that was dropped meanwhile is no reason to fail', async () => {
    await using admin = await server.connect();
    await admin.script('CREATE DATABASE brief');
    using here = await worldOn(server, 'read-only: { databases: [brief] }');
    await enter(here);
    await admin.script('DROP DATABASE brief');
    expect(await putBackAll(here.run)).toEqual([]);
  });

  test('a target that is read-only by its own role and configuration is worked on, and stays so', async () => {
    await using admin = await server.connect();
    await admin.script('ALTER ROLE postgres SET default_transaction_read_only = on');
    await admin.script('ALTER SYSTEM SET default_transaction_read_only = on');
    await admin.script('SELECT pg_reload_conf()');
    await until(
      async () => {
        await using fresh = await client(server, 'shop');
        return await stateOf(fresh, insert);
      },
      (state) => state === '25006',
    );
    const before = await storedSettings(server);
    using here = await worldOn(server, 'read-only: { databases: [shop] }');
    await enter(here);
    expect(await leave(here)).toEqual([
      'put back as it was: new sessions are read-only, as they were before this run',
    ]);
    expect(await storedSettings(server)).toEqual(before);
    await using own = await connectTo(here.run);
    await own.script('ALTER SYSTEM RESET default_transaction_read_only');
    await own.script('ALTER ROLE postgres RESET ALL; SELECT pg_reload_conf()');
    await until(
      async () => {
        await using fresh = await client(server, 'shop');
        return await stateOf(fresh, insert);
      },
      (state) => state === 'ok',
    );
  });

  test('somebody who makes it read-only meanwhile is told of', async () => {
    using here = await worldOn(server, 'read-only: { databases: [shop] }');
    await enter(here);
    await using admin = await server.connect();
    await admin.script('ALTER ROLE postgres SET default_transaction_read_only = on');
    expect(await failureOf(leave(here))).toMatchObject({
      code: 'read-only-left',
      message: 'Everything was put back, and a new session is read-only all the same: database "shop".',
    });
    await using own = await connectTo(here.run);
    await own.script('ALTER ROLE postgres RESET ALL');
  });

  test('a user that may not end the sessions of others is told so', async () => {
    await using admin = await server.connect();
    await admin.script('CREATE ROLE owner LOGIN CREATEROLE; ALTER DATABASE other OWNER TO owner');
    await using superuser = await server.connect('other');
    using here = await worldOn(server, 'read-only: { databases: [other] }');
    here.run.settings = { ...server.settings('other'), user: 'owner' };
    expect(await failureOf(enter(here))).toMatchObject({
      code: 'read-only-sessions',
      message: 'The user of the connection does not see sessions of others.',
    });
    expect(here.journal()).toEqual([]);
    await admin.script('GRANT pg_read_all_stats TO owner');
    expect(await failureOf(enter(here))).toMatchObject({
      code: 'read-only-sessions',
      message: 'The user of the connection may not end sessions of others.',
    });
    // It was in the journal before: it goes back.
    here.run.settings = server.settings();
    expect(await putBackAll(here.run)).toEqual([]);
    expect((await storedSettings(server)).filter((line) => line.startsWith('other'))).toEqual([]);
    await superuser.close();
  });
});

describe('a hook', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer('15.17');
    await using admin = await server.connect();
    await admin.script('CREATE ROLE app LOGIN');
    await admin.script('CREATE DATABASE shop OWNER app');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const hook = (origin: string, rest = ''): string =>
    `hook: { enter: { url: '${origin}/read-only?key=k', body: { on: true } }, leave: { method: DELETE, url: '${origin}/read-only' }, token: env:TOKEN, timeout: 1 }${rest}`;
  const variables = (): Record<string, string> => ({ APP: urlOf(server, 'shop'), TOKEN: 't0ken-of-hook' });

  test('is told first and left last, with its token; neither log nor record nor journal has it', async () => {
    await using receiver = await startReceiver();
    using here = await worldOn(
      server,
      `read-only: { databases: [shop], ${hook(receiver.origin)} }`,
      variables(),
    );
    expect((await enter(here))[0]).toBe(`POST ${receiver.origin}/read-only answered well`);
    await leave(here);
    expect(
      receiver.received.map(({ method, path, body, headers }) => [
        method,
        path,
        body,
        headers['content-type'],
        headers.authorization,
      ]),
    ).toEqual([
      ['POST', '/read-only?key=k', '{"on":true}', 'application/json', 'Bearer t0ken-of-hook'],
      ['DELETE', '/read-only', '', undefined, 'Bearer t0ken-of-hook'],
    ]);
    expect(here.journal()).toEqual([
      'switched-off read-only:hook',
      'switched-off read-only:database:shop',
      'put-back read-only:database:shop',
      'put-back read-only:hook',
    ]);
    expect(JSON.stringify([here.run.recorder.record, here.events])).not.toMatch(/t0ken|key=k|s3cret/);
  });

  test.each([
    [{ status: 500 }, 'HTTP 500'],
    [{ status: 302, headers: { location: '/elsewhere' } }, 'a redirect, which is not followed: HTTP 302'],
    [{ status: 200, stall: true }, null],
  ])('that does not succeed ends the step before anything else, and is left: %j', async (answer, why) => {
    await using receiver = await startReceiver();
    receiver.answer({ ...answer, times: 1 });
    using here = await worldOn(
      server,
      `read-only: { databases: [shop], ${hook(receiver.origin)} }`,
      variables(),
    );
    const failure = await failureOf(enter(here));
    expect(failure.code).toBe('read-only-hook');
    expect(failure.message).toBe(
      `The hook POST ${receiver.origin}/read-only did not succeed: ${why === null ? 'no answer within 1 seconds' : `the answer was ${why}`}.`,
    );
    expect((await storedSettings(server)).filter((line) => line.startsWith('shop'))).toEqual([]);
    expect(await putBackAll(here.run)).toEqual([]);
    expect(receiver.received.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
  });

  test('that cannot be left stays in the journal, by the address of today it is', async () => {
    await using receiver = await startReceiver();
    using here = await worldOn(
      server,
      `read-only: { databases: [shop], ${hook(receiver.origin)} }`,
      variables(),
    );
    await enter(here);
    receiver.answer({ status: 500, times: 1 });
    const [failure] = await putBackAll(here.run);
    expect(failure).toMatchObject({ code: 'put-back', cause: { code: 'read-only-hook' } });
    expect(here.run.journal.state().outstanding.map(({ id }) => id)).toEqual(['read-only:hook']);
    const asked = here.run.spec['read-only']?.hook;
    if (asked) asked.leave = { method: 'PUT', url: `${receiver.origin}/mended` };
    expect(await putBackAll(here.run)).toEqual([]);
    expect(receiver.received.at(-1)).toMatchObject({ method: 'PUT', path: '/mended' });
  });

  test.each([
    ['app', 'a write failed with SQLSTATE 42501'],
    ['postgres', 'a write went through (and was rolled back)'],
  ])('that changes nothing is found by a write of %s', async (user, why) => {
    await using receiver = await startReceiver();
    using here = await worldOn(server, `read-only: { ${hook(receiver.origin, ', verify: env:APP')} }`, {
      ...variables(),
      APP: urlOf(server, 'shop', user),
    });
    expect(await failureOf(enter(here))).toMatchObject({
      code: 'read-only-not-active',
      message: `Writes are not refused by the connection in env:APP: ${why}.`,
    });
  });

  test('on the machine of a remote target is reached through its environment', async () => {
    await using receiver = await startReceiver();
    using here = await worldOn(
      server,
      `read-only: { databases: [shop], verify: env:APP, ${hook('http://localhost:8080')} }`,
      {
        ...variables(),
        APP: 'postgresql://app@localhost:6543/shop',
      },
    );
    const reached: string[] = [];
    here.run.environment.reach = async (host, port) => {
      reached.push(`${host}:${port}`);
      return { host: '127.0.0.1', port: port === 8080 ? Number(new URL(receiver.origin).port) : server.port };
    };
    await enter(here);
    await leave(here);
    expect(reached).toEqual(['localhost:6543', 'localhost:8080', 'localhost:8080', 'localhost:6543']);
    expect(receiver.received[0]?.headers.host).toBe('localhost:8080');
  });

  test('verify must lead to the target itself', async () => {
    await using other = await testServer('15.17');
    await using admin = await other.connect();
    await admin.script('CREATE ROLE app LOGIN');
    await admin.script('CREATE DATABASE shop');
    await admin.script('ALTER DATABASE shop SET default_transaction_read_only = on');
    using here = await worldOn(server, 'read-only: { databases: [shop], verify: env:APP }', {
      APP: urlOf(other, 'shop'),
    });
    expect((await failureOf(enter(here))).message).toBe(
      'Whether writes are refused cannot be verified: the connection in env:APP leads to another server than the target.',
    );
    expect(here.journal()).toEqual([]);
  });

  test('a standby is refused', async () => {
    await using standby = await testServer('15.17');
    await standby.stop();
    await writeFile(join(standby.data, 'standby.signal'), '');
    await standby.start();
    using here = await worldOn(standby, 'read-only: { databases: [postgres] }');
    expect(await failureOf(enter(here))).toMatchObject({ code: 'read-only-standby' });
    expect(here.journal()).toEqual([]);
  });
});
