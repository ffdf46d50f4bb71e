/** Planted faults of what the connection's role may do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rlsTables, superuserOrRoles, unreadableTables } from '../../src/checks/rights.ts';
import { runChecks } from '../../src/checks/run.ts';
import { connect } from '../../src/postgres/connection.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { contextOf, ends, sql, type Told } from './planted.ts';

describe.each(ends)('$version', ({ version }) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await testServer(version);
    await sql(server, 'CREATE DATABASE app', 'postgres');
    await sql(server, 'CREATE ROLE "mo|dest" LOGIN');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  async function tell(user = 'mo|dest'): Promise<Told> {
    const results = await runChecks([superuserOrRoles, unreadableTables, rlsTables], contextOf(version), {
      connect: (database) => connect({ ...server.settings(database), user }),
      databases: ['app'],
      mainDatabase: 'postgres',
      signal: new AbortController().signal,
    });
    const fired = results.filter(({ status }) => status !== 'passed');
    return Object.fromEntries(fired.map(({ id, status, seen }) => [id, [status, seen]]));
  }

  const always: Told = {
    'superuser-or-roles': [
      'blocked',
      ['role mo|dest is no superuser: only a superuser can back up every database and the roles'],
    ],
  };

  test('superuser-or-roles', async () => {
    expect(await tell('postgres')).toEqual({});
    expect(await tell()).toEqual(always);
  });

  test('unreadable-tables: without a right on the table, or on its schema', async () => {
    await sql(server, 'CREATE SCHEMA "in|ner"; CREATE TABLE "in|ner".t (id int); CREATE SEQUENCE s');
    await sql(server, 'GRANT SELECT ON "in|ner".t TO "mo|dest"');
    expect(await tell()).toEqual({
      ...always,
      'unreadable-tables': ['blocked', ['app: "in|ner".t', 'app: public.s']],
    });
    expect(await tell('postgres')).toEqual({});
    await sql(server, 'GRANT USAGE ON SCHEMA "in|ner" TO "mo|dest"; GRANT SELECT ON SEQUENCE s TO "mo|dest"');
    expect(await tell()).toEqual(always);
    await sql(server, 'DROP SCHEMA "in|ner" CASCADE; DROP SEQUENCE s');
  });

  test('rls-tables: for whom policies apply', async () => {
    await sql(server, 'CREATE TABLE "po|licy" (id int); ALTER TABLE "po|licy" ENABLE ROW LEVEL SECURITY');
    await sql(server, 'GRANT SELECT ON "po|licy" TO "mo|dest"');
    expect(await tell()).toEqual({
      ...always,
      'rls-tables': ['blocked', ['app: public."po|licy": policies apply to the role']],
    });
    expect(await tell('postgres')).toEqual({});
    await sql(server, 'ALTER ROLE "mo|dest" BYPASSRLS');
    expect(await tell()).toEqual(always);
    await sql(server, 'DROP TABLE "po|licy"');
  });
});
