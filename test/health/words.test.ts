/** What is taken out of statements and log lines before anybody sees them. */
import { describe, expect, it } from 'vitest';
import { classify, normaliseMessage } from '../../src/health/log-lines.ts';
import { normalise, topStatements } from '../../src/health/statements.ts';

describe('normalise', () => {
  it.each([
    ['SELECT  *\n FROM t /* x */ WHERE a = $1 -- y', 'SELECT * FROM t WHERE a = $1'],
    ["/* app */ SELECT 'hunter2', 4711, t1.c2", "SELECT '…', ?, t1.c2"],
    ["CALL pay('4111 1111', $$x$$)", "CALL pay('…', '…')"],
    ['with x as (select 1) select $2', 'with x as (select ?) select $2'],
    ["SELECT 'cut off", "SELECT '…'"],
    ["ALTER ROLE a PASSWORD 'x'", null],
    ['UPDATE users SET password = $1', null],
    ['SELECT pgp_sym_decrypt($1, $2)', null],
    ['/* postgres-upgrade */ SELECT 1', null],
    ['VACUUM', null],
    ['', null],
  ])('%s', (query, text) => expect(normalise(query)).toBe(text));

  it('adds up what has the same text, and keeps the slowest fifty', () => {
    const rows = Array.from({ length: 80 }, (_, i) => ({
      database: 'a',
      query: `SELECT c${i}`,
      calls: 1,
      totalMs: i,
      rows: 1,
    }));
    const top = topStatements([
      ...rows,
      { database: 'a', query: 'SELECT  c79', calls: 2, totalMs: 1, rows: 2 },
      { database: 'b', query: 'SELECT c79', calls: 1, totalMs: 1000, rows: 1 },
    ]);
    expect(top).toHaveLength(50);
    expect(top.slice(0, 2)).toMatchObject([
      { database: 'b', totalMs: 1000 },
      { database: 'a', text: 'SELECT c79', calls: 3, totalMs: 80, rows: 3 },
    ]);
  });
});

describe('normaliseMessage', () => {
  it.each([
    ['relation "a" does not exist at character 15', 'relation "…" does not exist'],
    ['column "a" of relation "b" does not exist', 'column "…" does not exist'],
    [
      'invalid input syntax for type integer: "he said "secret" x"',
      'invalid input syntax for type integer: "…"',
    ],
    ['unterminated "secret', 'unterminated "…"'],
    ['could not access status of transaction 4711', 'could not access status of transaction N'],
    ['mail to jane.doe@example.com failed', 'mail to … failed'],
    ['key 0e8400-e29b-41d4 of deadbeef00', 'key N of N'],
    [`x\u0007${'y'.repeat(500)}`, `x ${'y'.repeat(198)}`],
  ])('%s', (message, text) => expect(normaliseMessage(message)).toBe(text));
  it('takes everything from the first quotation mark on where the message goes on in another line', () =>
    expect(normaliseMessage('invalid: "a" secret', true)).toBe('invalid: "…"'));
});

describe('classify', () => {
  const text = `
2026-11-20 10:00:00.000 UTC [12345] 00000 LOG:  statement: SELECT 'ERROR:  no'
2026-11-20 10:00:01.000 UTC [12345] 42P01 ERROR:  relation "a" does not exist at character 15
2026-11-20 10:00:01.000 UTC [12345] 42P01 STATEMENT:  SELECT secret
	FATAL:  more of the statement
2026-11-20 10:00:02.000 UTC [12345] 42P01 ERROR:  relation "b" does not exist at character 15
2026-11-20 10:00:03.000 UTC [12345] P0001 ERROR:  Jane Doe owes money
2026-11-20 10:00:04.000 UTC [12345] XX001 WARNING:  invalid page in block 7 of relation base/1/2
2026-11-20 10:00:05.000 UTC [12345] XX001 DETAIL:  secret
`;
  const prefix = '%m [%p] %e ';
  it('counts by severity, state and message, grave ones first', () =>
    expect(classify('log', text, 10, { kind: 'stderr', prefix })).toEqual({
      source: 'log',
      bytes: 10,
      from: '2026-11-20 10:00:00.000',
      to: '2026-11-20 10:00:05.000',
      classes: [
        {
          severity: 'WARNING',
          state: 'XX001',
          message: 'invalid page in block N of relation base/N/N',
          count: 1,
          last: '2026-11-20 10:00:04.000',
        },
        {
          severity: 'ERROR',
          state: '42P01',
          message: 'relation "…" does not exist',
          count: 2,
          last: '2026-11-20 10:00:02.000',
        },
        {
          severity: 'ERROR',
          state: 'P0001',
          message: '(text of a function)',
          count: 1,
          last: '2026-11-20 10:00:03.000',
        },
      ],
    }));

  it.each(['%m [%p] ', '%e%p', '', '%%e'])('knows no state with %j', (other) => {
    const states = classify('log', text, 10, { kind: 'stderr', prefix: other }).classes.map(
      ({ state }) => state,
    );
    expect(new Set(states)).toEqual(new Set([null]));
  });

  it('keeps thirty classes of as many as there are, and is not slow at hostile lines', () => {
    const hostile = Array.from(
      { length: 20_000 },
      (_, i) =>
        `x [1] ERROR:  e${'abcdefghij'[i % 10]}${'klmnopqrst'[Math.floor(i / 10) % 10]}${'"'.repeat(i % 50)}`,
    ).join('\n');
    const started = Date.now();
    expect(classify('log', hostile, 1, { kind: 'stderr', prefix }).classes).toHaveLength(30);
    expect(Date.now() - started).toBeLessThan(3000);
  });

  it('reads JSON, cut lines too', () => {
    const entry = {
      timestamp: '2026-11-20 10:00:00.000 UTC',
      error_severity: 'ERROR',
      state_code: '22P02',
      message: 'bad "x\ny" secret',
      detail: 'secret',
    };
    const json = `"cut":1}\n${JSON.stringify(entry)}\n{"error_severity":`;
    expect(classify('log', json, 1, { kind: 'jsonlog', prefix: '' }).classes).toEqual([
      { severity: 'ERROR', state: '22P02', message: 'bad "…"', count: 1, last: '2026-11-20 10:00:00.000' },
    ]);
  });
});
