import { describe, expect, it } from 'vitest';
import { refuseEscapes } from '../../src/health/user-sql-guard.ts';
import { splitStatements } from '../../src/health/user-sql-split.ts';
import { tokens } from '../../src/postgres/lexer.ts';

const split = (text: string): string[] => splitStatements(text, 'ops/health.sql').map(({ sql }) => sql);

describe('splitStatements', () => {
  const two = 'SELECT 2';
  it.each([
    ['dollar quotes with tags', 'SELECT $a$ ; $$ ; $a$'],
    ['an escape constant', String.raw`SELECT E'a\'; b'`],
    ['an escape constant that goes on in another line', `SELECT E'a'\n  'b\\';c'`],
    ['a plain constant with a backslash', String.raw`SELECT 'a\'`],
    ['a doubled quote', `SELECT 'it''s; fine'`],
    ['a unicode constant', String.raw`SELECT U&'\0061;' , u&"a;b" FROM x`],
    ['bit and national constants', `SELECT B'1', x'1F', N'a;b'`],
    ['nested comments', 'SELECT 1 /* a /* ; */ ; */ + 1'],
    ['a line comment', "SELECT 1 -- it's; \n + 1"],
    ['a semicolon in a name', 'SELECT 1 AS "a;""b"'],
    [
      'the body of an SQL function',
      'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END',
    ],
    [
      'the body of a replaced procedure',
      'create or replace procedure p() begin atomic insert into t values (1); end',
    ],
    ['a DO block', 'DO $$ BEGIN PERFORM 1; END $$'],
    ['CASE outside of a routine', 'SELECT CASE WHEN 1=1 THEN 2 END'],
    ['a rule with several actions', 'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)'],
    ['dollars in a name', 'SELECT a$b$c, d$b$ FROM x'],
    ['parameters', 'SELECT $1, $2'],
    ['words that only look like blocks', 'SELECT "end", x.begin FROM x'],
    ['statements that are no queries', 'VACUUM t'],
    ['letters beyond ASCII', 'SELECT $ä$ ; $ä$ AS größe'],
  ])('does not split at %s', (_, sql) => {
    expect(split(`${sql};\n${two};`)).toEqual([sql, two]);
    expect(split(`${sql}; ${two}`)).toEqual([sql, two]);
  });

  it('knows the lines, and leaves out empty statements and comments', () =>
    expect(splitStatements('\ufeff-- first\n;;\n\nSELECT\n1;\n/* c */ SELECT 2 -- end\n; -- last')).toEqual([
      { sql: 'SELECT\n1', line: 4 },
      { sql: 'SELECT 2 -- end', line: 6 },
    ]));

  it.each(["\\echo don't stop", '\\set ON_ERROR_STOP on', '  \\timing on', '\\x', '\\pset format aligned'])(
    'leaves out %s',
    (command) =>
      expect(split(`${command}\nSELECT 1;\r\n${command}\r\nSELECT 2`)).toEqual(['SELECT 1', 'SELECT 2']),
  );

  it.each([
    ["SELECT 1;\nSELECT 'abc", 2, 'quoted text'],
    ['SELECT $x$ abc $y$', 1, 'quoted text'],
    ['SELECT 1 /* /* */', 1, 'comment'],
    ['SELECT 1 AS "a', 1, 'quoted name'],
    ["SELECT E'\\'", 1, 'quoted text'],
    ['\n\n\\i other.sql\n', 3, '\\i'],
    ['SELECT 1 \\gx\n', 1, '\\gx'],
    ['\\set limit 10', 1, '\\set'],
    ['\\! rm -rf x', 1, '\\!'],
    ['', 1, 'no statement'],
    ['-- only a comment\n;', 1, 'no statement'],
    ['SELECT 1;'.repeat(501), 1, '500'],
  ])('refuses %j', (text, line, what) => {
    let thrown: unknown;
    try {
      split(text);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toMatchObject({ code: 'health-sql', place: { file: 'ops/health.sql', line } });
    expect(String(thrown)).toContain(what);
  });

  it.each([
    ['one constant', `SELECT '${'x'.repeat(1 << 20)}'`],
    ['one escape constant', `SELECT E'${"\\'".repeat(1 << 19)}'`],
    ['many quotes', `SELECT ${"'';".repeat(1)}'${"''".repeat(1 << 19)}'`],
    ['open parentheses', `SELECT ${'('.repeat(1 << 20)}`],
    ['deep comments', `SELECT 1 ${'/*'.repeat(1 << 18)}${'*/'.repeat(1 << 18)}`],
    ['dollars', `SELECT 1 ${'$ '.repeat(1 << 19)}`],
    ['white space', `SELECT 1 ${' \n'.repeat(1 << 19)}`],
    ['comments of one line', `SELECT 1 ${'--x\n'.repeat(1 << 18)}`],
  ])('takes a megabyte of %s in no time', (_, text) => {
    const started = Date.now();
    splitStatements(text);
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

describe('tokens', () => {
  it('leave nothing out, whatever the input', () => {
    const alphabet = [
      "'",
      '"',
      '$',
      '\\',
      '/',
      '*',
      '-',
      '\n',
      'E',
      'a',
      '1',
      ';',
      ' ',
      'U&',
      '$$',
      '\u{1f600}',
    ];
    let seed = 7;
    for (let round = 0; round < 3000; round += 1) {
      let text = '';
      for (let n = 0; n < 25; n += 1) {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        text += alphabet[seed % alphabet.length];
      }
      expect([...tokens(text)].map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
    }
  });
});

describe('refuseEscapes', () => {
  const refuses = (sql: string): boolean => {
    try {
      refuseEscapes({ sql, line: 1 }, 'h.sql');
      return false;
    } catch (cause) {
      expect(cause).toMatchObject({ code: 'health-sql' });
      return true;
    }
  };
  it.each([
    'COMMIT',
    'commit work',
    '/* x */ -- y\n END',
    'ROLLBACK TO SAVEPOINT postgres_upgrade',
    'RELEASE postgres_upgrade',
    'BEGIN',
    'START TRANSACTION READ WRITE',
    "PREPARE TRANSACTION 'x'",
    'SET TRANSACTION READ WRITE',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
    'SET LOCAL transaction_read_only = off',
    'SET "transaction_read_only" TO off',
    'SET SESSION default_transaction_read_only = off',
    'RESET ALL',
    'RESET transaction_read_only',
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    'SET statement_timeout = 0',
  ])('refuses %s', (sql) => expect(refuses(sql)).toBe(true));
  it.each([
    'SELECT 1 AS commit',
    'SET search_path = app',
    'SET LOCAL work_mem = 1000',
    'EXPLAIN SELECT 1',
    'PREPARE p AS SELECT 1',
    'SHOW transaction_read_only',
  ])('takes %s', (sql) => expect(refuses(sql)).toBe(false));
});
