/** What a stranger put into a database must not be run by our sessions: they are a superuser's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeSource } from '../../src/backup/source.ts';
import { answering } from '../../src/environments/debian/control.ts';
import { connectTo } from '../../src/upgrade/connect.ts';
import { acquireLock } from '../../src/upgrade/lock.ts';
import { lookAtReadOnly } from '../../src/upgrade/read-only-step.ts';
import { looksAt } from '../../src/upgrade/watch-look.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { client, worldOn } from './read-only-support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await testServer('15.18');
  await using admin = await server.connect();
  await admin.script('CREATE ROLE app LOGIN');
  await admin.script('CREATE DATABASE shop OWNER app');
});
afterAll(() => server?.[Symbol.asyncDispose]());

test('an operator of the owner of a database is not run by the session that verifies', async () => {
  await using owner = await client(server, 'shop');
  // For numbers of these very types: a better match than what PostgreSQL has.
  await owner.script(`
    CREATE FUNCTION public.times(a numeric, b integer) RETURNS numeric LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'run by %', session_user; END$$;
    CREATE OPERATOR public.* (FUNCTION = public.times, LEFTARG = numeric, RIGHTARG = integer);
    CREATE FUNCTION public.times(a double precision, b integer) RETURNS numeric LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'run by %', session_user; END$$;
    CREATE OPERATOR public.* (FUNCTION = public.times, LEFTARG = double precision, RIGHTARG = integer);
    ALTER DATABASE shop SET search_path = public, pg_catalog`);
  using here = await worldOn(server, 'read-only: { databases: [shop] }');
  const { run } = here;
  const spec = run.spec['read-only'];
  if (!spec) throw new Error('the spec has no read-only');
  await using connection = await connectTo(run);
  const { asked } = await lookAtReadOnly(run, connection, spec);
  expect(asked.map(({ what }) => what)).toEqual(['database "shop"']);
});

test('nor what stands before PostgreSQL in the path of the database, by any session that asks something', async () => {
  await using owner = await client(server, 'shop');
  await owner.script(`
    CREATE FUNCTION public.same(a text, b text) RETURNS boolean LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'run by %', session_user; END$$;
    CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text);
    CREATE FUNCTION public.current_setting(name text) RETURNS text LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'run by %', session_user; END$$`);
  using here = await worldOn(server, '');
  here.run.settings = server.settings('shop');
  expect((await answering(here.run.settings)).data).toBe(server.data);
  expect(await looksAt(here.run, new AbortController().signal).connect()).toBe('15.18');
  await using session = await server.connect('shop');
  expect((await describeSource(session)).superuser).toBe('postgres');
  const lock = await acquireLock(here.run.settings, 'a run');
  expect(await acquireLock(here.run.settings, 'another').catch((cause: Error) => cause.message)).toContain(
    'a run',
  );
  await lock.release();
});
