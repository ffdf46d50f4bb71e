/** What a stranger put into a database must not be run by our sessions: they are a superuser's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeSource } from '../../src/backup/source.ts';
import { connectTo } from '../../src/upgrade/connect.ts';
import { lookAtReadOnly } from '../../src/upgrade/read-only-step.ts';
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

test('an operator of the owner of a database is not run by the session that begins a backup', async () => {
  await using owner = await client(server, 'shop');
  await owner.script(`
    CREATE FUNCTION public.same(a oid, b integer) RETURNS boolean LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'run by %', session_user; END$$;
    CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = oid, RIGHTARG = integer)`);
  await using session = await server.connect('shop');
  expect((await describeSource(session)).superuser).toBe('postgres');
});
