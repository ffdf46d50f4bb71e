/**
 * The whole look at a database (release advice, checks, health snapshot) on 20,000 tables with 40,000 indexes, against
 * the single slowest of its own questions; and what it needs in memory, against the same look at an empty database.
 */

import { askAll } from '../src/checks/ask.ts';
import { allChecks } from '../src/checks/catalogue.ts';
import { type CheckContext, defaultThresholds } from '../src/checks/check.ts';
import { runChecks } from '../src/checks/run.ts';
import { takeSnapshot } from '../src/health/snapshot.ts';
import type { Connection } from '../src/postgres/connection.ts';
import { parseVersion } from '../src/postgres/version.ts';
import { adviceBetween } from '../src/releases/between.ts';
import { questionsOf } from '../src/upgrade/ask-advice.ts';
import { type TestServer, testServer } from '../test/support/servers.ts';

const tables = 20_000;

/** A table with a key and one more index, in pieces: all in one transaction would need more locks than there are. */
async function fill(server: TestServer): Promise<void> {
  for (let from = 0; from < tables; from += 500) {
    await using connection = await server.connect('large');
    await connection.script(
      `DO $$ BEGIN FOR i IN ${from}..${from + 499} LOOP
         EXECUTE format('CREATE TABLE s%s.t%s (id int PRIMARY KEY, name text, at timestamptz DEFAULT now())', i % 20, i);
         EXECUTE format('CREATE INDEX ON s%s.t%s (name)', i % 20, i);
       END LOOP; END $$`,
    );
  }
  await using connection = await server.connect('large');
  await connection.script(
    'ANALYZE pg_catalog.pg_class; ANALYZE pg_catalog.pg_index; ANALYZE pg_catalog.pg_attribute',
  );
}

/** One question with its milliseconds. */
interface Question {
  sql: string;
  values: readonly unknown[];
  ms: number;
}

/** A connection that remembers how long each question took. */
function timed(server: TestServer, database: string, questions: Question[]) {
  return async (name?: string): Promise<Connection> => {
    const connection = await server.connect(name ?? database);
    await connection.script('SET search_path = pg_catalog');
    const query: Connection['query'] = async (sql, values = []) => {
      const begun = performance.now();
      try {
        return await connection.query(sql, values);
      } finally {
        questions.push({ sql, values, ms: performance.now() - begun });
      }
    };
    return { ...connection, query };
  };
}

const { signal } = new AbortController();
const wanted = parseVersion('15.20');
const context: CheckContext = {
  when: 'before',
  running: parseVersion('15.18'),
  wanted,
  thresholds: defaultThresholds,
  disks: [],
  wantedExtensions: null,
  configErrors: null,
  release: { today: '2026-11-20', endOfLife: '2027-11-11', mustRead: [] },
};

/** All checks and the health snapshot, side by side as mode check asks them. Milliseconds. */
async function look(server: TestServer, database: string, questions: Question[] = []): Promise<number> {
  const connect = timed(server, database, questions);
  const begun = performance.now();
  await Promise.all([
    runChecks(allChecks, context, { connect, databases: [database], mainDatabase: 'postgres', signal }),
    takeSnapshot({ connect, databases: [database], signal, now: () => new Date() }),
  ]);
  return performance.now() - begun;
}

/** Release advice from 15.1 on, the longest list that there is for 15. Milliseconds. */
async function advise(server: TestServer, database: string): Promise<number> {
  const list = adviceBetween(parseVersion('15.1'), wanted).map(({ advice }) => advice);
  const begun = performance.now();
  const ofDatabases = list.filter(({ scope }) => scope === 'database');
  await askAll(questionsOf(ofDatabases, 200), () => timed(server, database, [])(), {
    signal,
    statementTimeout: 30_000,
  });
  return performance.now() - begun;
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** A question by itself, with nothing beside it. */
async function alone(server: TestServer, { sql, values }: Question): Promise<number> {
  await using connection = await server.connect('large');
  await connection.script(
    'SET search_path = pg_catalog; SET jit = off; SET max_parallel_workers_per_gather = 0',
  );
  const times: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const begun = performance.now();
    await connection.query(sql, values);
    times.push(performance.now() - begun);
  }
  return median(times);
}

const ms = (value: number): string => `${Math.round(value)} ms`;
const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;

/** Prints the figures. */
export async function benchCatalog(): Promise<void> {
  await using server = await testServer('15.18', {
    settings: { autovacuum: 'off', shared_buffers: '256MB' },
  });
  {
    await using connection = await server.connect();
    await connection.script('CREATE DATABASE large');
    await connection.script('CREATE DATABASE empty');
  }
  {
    await using connection = await server.connect('large');
    for (let schema = 0; schema < 20; schema += 1) await connection.script(`CREATE SCHEMA s${schema}`);
  }
  await fill(server);
  const memory = (): number => {
    global.gc?.();
    return process.memoryUsage().rss;
  };
  await look(server, 'empty');
  const before = memory();
  const questions: Question[] = [];
  await look(server, 'large', questions);
  const totals: number[] = [];
  for (let run = 0; run < 5; run += 1) totals.push(await look(server, 'large'));
  const after = memory();
  const candidates = questions.toSorted((a, b) => b.ms - a.ms).slice(0, 4);
  const slowest: [number, string][] = [];
  for (const question of candidates)
    slowest.push([await alone(server, question), question.sql.trim().replaceAll(/\s+/g, ' ').slice(0, 100)]);
  slowest.sort(([a], [b]) => b - a);
  const worst = slowest[0]?.[0] ?? 1;
  const advice: number[] = [];
  for (let run = 0; run < 5; run += 1) advice.push(await advise(server, 'large'));
  process.stdout.write(
    `all checks and the health snapshot of ${tables} tables and ${2 * tables} indexes: ${ms(median(totals))} for ${questions.length} questions, ` +
      `baseline (the slowest of them alone) ${ms(worst)}, ratio ${(median(totals) / worst).toFixed(2)} (median of 5)\n` +
      `release advice from 15.1 to 15.20 on it: ${ms(median(advice))}, ratio ${(median(advice) / worst).toFixed(2)}\n` +
      `memory of the process: ${mebibytes(before)} after an empty database, ${mebibytes(after)} after six looks at the large one\n`,
  );
  for (const [each, what] of slowest) process.stdout.write(`  ${ms(each)} alone: ${what}\n`);
}

if (process.argv[1] === import.meta.filename) await benchCatalog();
