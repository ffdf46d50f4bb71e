/** A cluster full of what is legal and rare: every line of it has broken some backup tool, or could break ours. */
import type { TestServer } from '../support/servers.ts';

/** Roles with names and settings that have to be carried literally. */
const roles = `
  CREATE ROLE "a b";
  CREATE ROLE "UPPER" LOGIN PASSWORD 'it''s "quoted" \\ and :colon' VALID UNTIL '2035-06-01 12:00:00+00';
  CREATE ROLE "select" CREATEROLE;
  CREATE ROLE "o'clock ""x""; --" NOLOGIN CONNECTION LIMIT 3;
  CREATE ROLE "Ünï-漢";
  COMMENT ON ROLE "a b" IS 'two lines,
GRANT ALL ON TABLESPACE "nowhere" TO nobody; is no statement';
  GRANT "a b" TO "UPPER" WITH ADMIN OPTION;
  GRANT pg_monitor TO "select";
  ALTER ROLE "UPPER" SET search_path = "$user", 'My Schema', public;
  ALTER ROLE postgres SET work_mem = '6MB'`;

/** Tables whose names and shapes are traps for a query that is built from them. */
const tables = `
  CREATE TABLE r (r int, "*" text, "r.*" text, "1" int, "a""b" text, "select" int);
  INSERT INTO r SELECT n, 'x' || n, '*', n, '"', n FROM generate_series(1, 50) n;
  CREATE TABLE "r.*" (r text);
  INSERT INTO "r.*" VALUES ('r'), (NULL), ('');
  CREATE TABLE no_columns ();
  INSERT INTO no_columns DEFAULT VALUES;
  INSERT INTO no_columns DEFAULT VALUES;
  CREATE TABLE nothing_in_it (id int PRIMARY KEY);
  CREATE TABLE dropped (gone int, kept int, also_gone text, last text);
  INSERT INTO dropped VALUES (1, 2, '3', '4');
  ALTER TABLE dropped DROP COLUMN gone, DROP COLUMN also_gone;
  CREATE UNLOGGED TABLE in_memory (id int);
  INSERT INTO in_memory SELECT generate_series(1, 7);
  CREATE TABLE checked (x varchar(5) CHECK (x IN ('a', 'b')), y varchar DEFAULT 'z', CHECK ((y IN ('z', 'w')) IS NOT FALSE));
  INSERT INTO checked VALUES ('a'), ('b');
  CREATE VIEW of_checked AS SELECT * FROM checked WHERE x IN ('a', 'b') AND y NOT IN ('q');
  CREATE INDEX of_checked_index ON checked (y) WHERE x IN ('a', 'b');
  CREATE TABLE secret (id int, owner name DEFAULT current_user);
  INSERT INTO secret VALUES (1, 'a'), (2, 'b');
  ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON secret TO "a b" USING (owner IN ('a', 'b'));
  CREATE POLICY nobody ON secret AS RESTRICTIVE USING (false);
  CREATE TABLE values_of_all_kinds (t timestamptz, i interval, f float8, m money, b bytea, x xml, j jsonb, n numeric, h "char", a int[], c regclass);
  INSERT INTO values_of_all_kinds VALUES ('2024-02-29 12:00+05', '1 mon -3 days 04:05', 0.1::float8 + 0.2, 12.34, '\\x00ff', '<a/>', '{"b": 1}', 'NaN', 'x', '{{1},{2}}', 'public.r'),
    ('infinity', '0', '-Infinity', -1, '', NULL, 'null', 1e-20, '', '[0:1]={1,2}', 'pg_class')`;

/** Partition trees and plain inheritance; names sort otherwise than they were made. */
const trees = `
  CREATE TABLE tree (id int, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE tree_z PARTITION OF tree DEFAULT PARTITION BY LIST (id);
  CREATE TABLE tree_z_1 PARTITION OF tree_z FOR VALUES IN (1, 2);
  CREATE TABLE tree_z_0 PARTITION OF tree_z DEFAULT;
  CREATE TABLE leaf (id int, at date, FOREIGN KEY (id, at) REFERENCES tree);
  CREATE TABLE tree_a (note text, at date NOT NULL, id int NOT NULL);
  ALTER TABLE tree ATTACH PARTITION tree_a FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  INSERT INTO tree SELECT n, date '2023-12-25' + n, 'n' || n FROM generate_series(1, 20) n;
  INSERT INTO leaf SELECT id, at FROM tree;
  CREATE TABLE parent (a int);
  CREATE TABLE child (b int) INHERITS (parent);
  ALTER TABLE parent ADD COLUMN c text DEFAULT 'c';
  INSERT INTO child (a, b) VALUES (1, 2), (3, 4);
  INSERT INTO parent VALUES (5)`;

/** Everything else that a catalogue can hold. */
const others = `
  CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM r;
  CREATE MATERIALIZED VIEW never_filled AS SELECT * FROM r WITH NO DATA;
  CREATE VIEW guarded WITH (check_option = local, security_barrier = true) AS SELECT r FROM r WHERE r < 10;
  CREATE SEQUENCE lent;
  GRANT USAGE ON SEQUENCE lent TO "a b";
  REVOKE USAGE ON SEQUENCE lent FROM "a b";
  CREATE SEQUENCE down INCREMENT -1;
  SELECT nextval('down'), nextval('down');
  GRANT SELECT (r, "*") ON r TO "a b", "Ünï-漢";
  CREATE FUNCTION body(x text) RETURNS text LANGUAGE sql AS $$ SELECT x || ';$' $$;
  CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN word AS varchar CHECK (VALUE IN ('a', 'b'));
  CREATE STATISTICS about_r (dependencies) ON r, "1" FROM r;
  CREATE RULE nowhere AS ON DELETE TO nothing_in_it DO INSTEAD NOTHING;
  SELECT lo_create(4711), lo_create(4712);
  SELECT lo_put(4711, 5000000, '\\x01'), lo_put(4711, 7, '\\xff00');
  COMMENT ON DATABASE postgres IS 'default administrative connection database'`;

const invalidIndex = `
  CREATE TABLE twice (id int);
  INSERT INTO twice VALUES (1), (1)`;

/** The name of a database that libpq would take for a connection string. */
export const lookalike = 'a=b c';

/** Names of the databases that `plantOddities` makes or writes to, in the order of a dump. */
export const oddDatabases = [lookalike, 'frozen', 'latin', 'odd', 'postgres', 'template1', 'template_odd'];

/**
 * Fills a fresh server.
 * @param tablespace an empty folder that the server's user owns
 */
export async function plantOddities(server: TestServer, tablespace: string): Promise<void> {
  const version = server.binaries.version.major;
  await using main = await server.connect();
  await main.script(roles);
  for (const statement of [
    `CREATE TABLESPACE "my space" OWNER "a b" LOCATION '${tablespace}'`,
    `ALTER TABLESPACE "my space" SET (random_page_cost = 1.5)`,
    `GRANT CREATE ON TABLESPACE "my space" TO "UPPER"`,
    `COMMENT ON TABLESPACE "my space" IS 'elsewhere'`,
    `CREATE DATABASE "${lookalike}" OWNER "UPPER"`,
    `CREATE DATABASE odd OWNER "a b" TABLESPACE "my space"`,
    `CREATE DATABASE frozen`,
    `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`,
    `CREATE DATABASE template_odd IS_TEMPLATE true`,
    `CREATE DATABASE half_dropped`,
    `UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'`,
    `ALTER DATABASE template1 SET work_mem = '7MB'`,
    `ALTER ROLE "UPPER" IN DATABASE odd SET work_mem = '8MB'`,
    `CREATE TABLE admin_notes (note text)`,
    `INSERT INTO admin_notes VALUES ('in the database postgres')`,
  ])
    await main.script(statement);
  await using odd = await server.connect('odd');
  for (const part of [tables, trees, others, invalidIndex]) await odd.script(part);
  if (version >= 14)
    await odd.script(
      `CREATE FUNCTION atomic(x varchar) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT x IN ('a', 'b'); END`,
    );
  await odd.script('CREATE TABLE in_space (id int) TABLESPACE pg_default');
  await odd.script('CREATE UNIQUE INDEX CONCURRENTLY once ON twice (id)').catch(() => {});
  for (const [database, statement] of [
    [
      lookalike,
      `CREATE SCHEMA "a=b c" CREATE TABLE "a=b c" ("a=b c" int); INSERT INTO "a=b c"."a=b c" VALUES (1)`,
    ],
    [
      'frozen',
      'CREATE TABLE ice (id int); INSERT INTO ice VALUES (1); ALTER DATABASE frozen SET default_transaction_read_only = on',
    ],
    ['latin', `CREATE TABLE "grün" ("größe" text); INSERT INTO "grün" VALUES ('ÄÖÜ')`],
    [
      'template1',
      'CREATE FUNCTION everywhere() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; CREATE TABLE seed (id int)',
    ],
    ['template_odd', 'CREATE TABLE grown (id int); INSERT INTO grown VALUES (1)'],
  ] as const) {
    await using connection = await server.connect(database);
    await connection.script(statement);
  }
}
