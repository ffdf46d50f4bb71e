import { describe, expect, it } from 'vitest';
import { lastLine, readGlobals, restoreGlobals } from '../../src/backup/globals.ts';
import type { Connection } from '../../src/postgres/connection.ts';

/** As pg_dumpall --globals-only of 15.20 writes it. */
const dump = `--
-- PostgreSQL database cluster dump
--

\\restrict 9fHwQ2
SET default_transaction_read_only = off;

CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a\\b';
CREATE ROLE "Ops Team";
CREATE ROLE postgres_exporter;

CREATE TABLESPACE fast OWNER postgres LOCATION '/srv/fast';
CREATE TABLESPACE "Very Slow" OWNER "Ops Team" LOCATION '/srv/it''s slow';
ALTER TABLESPACE fast SET (random_page_cost=1.1);
GRANT ALL ON TABLESPACE fast TO "Ops Team";

\\unrestrict 9fHwQ2
`;

describe('readGlobals', () => {
  it("leaves out psql's own lines, the bootstrap role and the places of tablespaces, and keeps the order", () => {
    expect(readGlobals(dump, 'postgres')).toEqual([
      `--
-- PostgreSQL database cluster dump
--

SET default_transaction_read_only = off;

ALTER ROLE postgres WITH SUPERUSER LOGIN;
CREATE ROLE "Ops Team";
CREATE ROLE postgres_exporter;
`,
      "CREATE TABLESPACE fast OWNER postgres LOCATION ''",
      `CREATE TABLESPACE "Very Slow" OWNER "Ops Team" LOCATION ''`,
      `ALTER TABLESPACE fast SET (random_page_cost=1.1);
GRANT ALL ON TABLESPACE fast TO "Ops Team";

`,
    ]);
  });

  it.each([
    ['postgres', 'CREATE ROLE postgres;'],
    ['Ops Team', 'CREATE ROLE "Ops Team";'],
    ['a"b', 'CREATE ROLE "a""b";'],
    // A word of SQL is quoted by pg_dumpall though its letters are plain.
    ['user', 'CREATE ROLE "user";'],
  ])('knows the bootstrap role %s by its line %s', (superuser, line) => {
    expect(readGlobals(`${line}\nCREATE ROLE other;\n`, superuser)).toEqual(['CREATE ROLE other;\n']);
  });

  it.each([
    // The statement as pg_dumpall writes it, and what is left of it for the superuser of that name.
    [
      'postgres',
      "ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS PASSWORD 'SCRAM-SHA-256$4096:x$y:z=';",
      'ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;',
    ],
    [
      'a"b',
      `ALTER ROLE "a""b" WITH SUPERUSER LOGIN CONNECTION LIMIT 7 PASSWORD 'it''s; ''' VALID UNTIL '2020-01-01 00:00:00+00';`,
      'ALTER ROLE "a""b" WITH SUPERUSER LOGIN CONNECTION LIMIT 7;',
    ],
    [
      "x PASSWORD 'y'",
      `ALTER ROLE "x PASSWORD 'y'" WITH SUPERUSER LOGIN PASSWORD 'md5a';`,
      `ALTER ROLE "x PASSWORD 'y'" WITH SUPERUSER LOGIN;`,
    ],
    [
      'postgres',
      String.raw`ALTER ROLE postgres WITH SUPERUSER LOGIN PASSWORD E'a\\''\\\\' VALID UNTIL 'infinity';`,
      'ALTER ROLE postgres WITH SUPERUSER LOGIN;',
    ],
    // It must be able to log in here.
    [
      'postgres',
      'ALTER ROLE postgres WITH SUPERUSER NOINHERIT NOLOGIN NOREPLICATION;',
      'ALTER ROLE postgres WITH SUPERUSER NOINHERIT LOGIN NOREPLICATION;',
    ],
    ['postgres', 'ALTER ROLE postgres WITH SUPERUSER LOGIN;', 'ALTER ROLE postgres WITH SUPERUSER LOGIN;'],
  ])('leaves the login of the bootstrap role %s alone', (superuser, line, left) => {
    expect(readGlobals(line, superuser)).toEqual([left]);
  });

  it.each([
    "ALTER ROLE other WITH NOSUPERUSER NOLOGIN PASSWORD 'md5a' VALID UNTIL '2020-01-01';",
    "ALTER ROLE postgres_exporter WITH LOGIN PASSWORD 'md5a';",
    'ALTER ROLE "postgres " WITH LOGIN PASSWORD \'md5a\';',
    "ALTER ROLE postgres SET work_mem TO '1MB';",
    // More than pg_dumpall writes: the server shall judge it.
    "ALTER ROLE postgres WITH LOGIN PASSWORD 'a'; DROP ROLE x;",
  ])('leaves %s as it is', (line) => expect(readGlobals(line, 'postgres')).toEqual([line]));

  it.each(['\\! rm -rf /', '\\restrict', '\\restrict a b', ' \\restrict abc', '\\connect x'])(
    'leaves %s for the server to refuse',
    (line) => expect(readGlobals(line, 'postgres')).toEqual([line]),
  );

  it('takes what stands in quotes for data, whatever it looks like', () => {
    const hostile = `CREATE ROLE app;
ALTER ROLE app SET application_name TO 'x
CREATE TABLESPACE t OWNER o LOCATION '';
\\restrict abc
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER LOGIN PASSWORD ''a'';
y';
ALTER ROLE "odd
CREATE ROLE postgres;" WITH LOGIN;
`
      .replaceAll("\\'\\'", "''")
      .replaceAll("\\'", "''");
    expect(readGlobals(hostile, 'postgres')).toEqual([hostile]);
  });

  it('has nothing to run where there are only comments', () => {
    expect(readGlobals(`--\n\n\\restrict a1\nCREATE ROLE ops;\n${lastLine}\n`, 'ops')).toEqual([]);
  });
});

describe('restoreGlobals', () => {
  /** Takes statements instead of a server. */
  async function sent(text: string): Promise<string[]> {
    const scripts: string[] = [];
    const connection: Connection = {
      query: async () => [],
      texts: async () => ({ columns: [], rows: [] }),
      script: async (sql) => void scripts.push(sql),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    await restoreGlobals(connection, text, 'postgres');
    return scripts;
  }

  it('lets tablespaces be made in place first', async () => {
    expect(await sent(dump)).toEqual([
      'SET allow_in_place_tablespaces = on',
      ...readGlobals(dump, 'postgres'),
    ]);
  });

  it('asks for that only where it is needed', async () => {
    expect(await sent('CREATE ROLE postgres;\nCREATE ROLE app;\n')).toEqual(['CREATE ROLE app;\n']);
  });
});
