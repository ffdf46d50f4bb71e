import { expect, test } from 'vitest';
import { bearable } from '../../src/backup/restore-into.ts';
import { definitionFor, isOfDatabase } from '../../src/backup/restore-into-sql.ts';

/** As pg_restore 15 to 18 write it, with everything that may stand in it. */
const script = (name: string, more = ''): string => `--
-- PostgreSQL database dump; DATABASE orders
--

\\restrict a1B2

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: orders; Type: DATABASE; Schema: -; Owner: keeper
--

CREATE DATABASE ${name} WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de-u-co-phonebk' ICU_RULES = '&a < b; "''' TABLESPACE = fast;


ALTER DATABASE ${name} OWNER TO keeper;

\\unrestrict a1B2
\\connect ${name}
\\restrict a1B2

SET statement_timeout = 0;
${more}
`;

const icu =
  "CREATE DATABASE \"new one\" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de-u-co-phonebk' ICU_RULES = '&a < b; \"''' TABLESPACE = fast";

test('everything that a dump says of its database is said of the other one', () => {
  const said = definitionFor(
    script(
      'orders',
      `COMMENT ON DATABASE orders IS 'DATABASE orders; -- and
\\! DATABASE orders';
SECURITY LABEL FOR dummy ON DATABASE orders IS 'classified';
ALTER DATABASE orders CONNECTION LIMIT = 17;
ALTER DATABASE orders SET work_mem TO '5MB';
ALTER ROLE orders IN DATABASE orders SET search_path TO '$user', 'orders';
REVOKE CONNECT,TEMPORARY ON DATABASE orders FROM PUBLIC;
GRANT CONNECT ON DATABASE orders TO database;`,
    ),
    'orders',
    'new one',
  );
  expect(said).toEqual({
    create: icu,
    properties: [
      'ALTER DATABASE "new one" OWNER TO keeper',
      'COMMENT ON DATABASE "new one" IS \'DATABASE orders; -- and\n\\! DATABASE orders\'',
      'SECURITY LABEL FOR dummy ON DATABASE "new one" IS \'classified\'',
      'ALTER DATABASE "new one" CONNECTION LIMIT = 17',
      'ALTER DATABASE "new one" SET work_mem TO \'5MB\'',
      "ALTER ROLE orders IN DATABASE \"new one\" SET search_path TO '$user', 'orders'",
      'REVOKE CONNECT,TEMPORARY ON DATABASE "new one" FROM PUBLIC',
      'GRANT CONNECT ON DATABASE "new one" TO database',
    ],
  });
});

test.each([
  ['"a ""b"" DATABASE; c"', 'a "b" DATABASE; c'],
  ['"Ünï-漢"', 'Ünï-漢'],
  ['database', 'database'],
  ['"in"', 'in'],
])('a database named %s', (quoted, name) => {
  expect(
    definitionFor(script(quoted, `ALTER ROLE x IN DATABASE ${quoted} SET y TO 'z';`), name, 'new one'),
  ).toEqual({
    create: icu,
    properties: [
      'ALTER DATABASE "new one" OWNER TO keeper',
      'ALTER ROLE x IN DATABASE "new one" SET y TO \'z\'',
    ],
  });
});

test('a script that makes no such database', () => {
  expect(definitionFor(script('orders'), 'other', 'new')).toBeNull();
  expect(definitionFor('', 'orders', 'new')).toBeNull();
});

test.each([
  ['3400; 1262 16385 DATABASE - orders keeper', true],
  ['3401; 0 0 DATABASE PROPERTIES - orders keeper', true],
  ['3402; 0 0 ACL - DATABASE orders keeper', true],
  ['3403; 0 0 COMMENT - DATABASE orders keeper', true],
  ['3404; 0 0 SECURITY LABEL - DATABASE orders keeper', true],
  ['3405; 0 0 ACL - SCHEMA public keeper', false],
  ['3406; 0 0 COMMENT public TABLE DATABASE keeper', false],
  ['3407; 1259 16390 TABLE public DATABASE keeper', false],
])('%s', (entry, expected) => expect(isOfDatabase(entry)).toBe(expected));

test('a server before 15 is not told of a provider', () => {
  const create = "CREATE DATABASE x WITH ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C'";
  expect(bearable(create, 14)).toBe("CREATE DATABASE x WITH ENCODING = 'UTF8' LOCALE = 'C'");
  expect(bearable(create, 15)).toBe(create);
});
