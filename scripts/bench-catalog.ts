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

/** Every question with its milliseconds. */
interface Timed {
  totalMs: number;
  questions: { what: string; ms: number }[];
}

async function look(server: TestServer, database: string): Promise<Timed> {
  const questions: Timed['questions'] = [];
  const connect = async (name?: string): Promise<Connection> => {
    const connection = await server.connect(name ?? database);
    await connection.script('SET search_path = pg_catalog');
    const query: Connection['query'] = async (sql, values) => {
      const begun = performance.now();
      try {
        return await connection.query(sql, values);
      } finally {
        questions.push({
          what: sql.trim().replaceAll(/\s+/g, ' ').slice(0, 90),
          ms: performance.now() - begun,
        });
      }
    };
    return { ...connection, query };
  };
  const signal = new AbortController().signal;
  const [running, wanted] = [parseVersion('15.18'), parseVersion('15.20')];
  const context: CheckContext = {
    when: 'before',
    running,
    wanted,
    thresholds: defaultThresholds,
    disks: [],
    wantedExtensions: null,
    configErrors: null,
    release: { today: '2026-11-20', endOfLife: '2027-11-11', mustRead: [] },
  };
  const begun = performance.now();
  const advice = adviceBetween(parseVersion('15.1'), wanted)
    .filter(({ advice: { sql, scope } }) => sql !== null && scope === 'database')
    .map(({ advice: { id, sql } }) => ({
      id,
      sql: `SELECT q.*, count(*) OVER () AS total FROM (${sql}) AS q LIMIT 200`,
    }));
  await askAll(advice, () => connect(), { signal, statementTimeout: 30_000 });
  await runChecks(allChecks, context, { connect, databases: [database], mainDatabase: 'postgres', signal });
  await takeSnapshot({ connect, databases: [database], signal, now: () => new Date() });
  return { totalMs: performance.now() - begun, questions };
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
  const heap = (): number => {
    global.gc?.();
    return process.memoryUsage().rss;
  };
  await look(server, 'empty');
  const before = heap();
  await look(server, 'large');
  const runs: Timed[] = [];
  for (let run = 0; run < 5; run += 1) runs.push(await look(server, 'large'));
  const after = heap();
  const sorted = runs.toSorted((a, b) => a.totalMs - b.totalMs);
  const middle = sorted[2] ?? { totalMs: 0, questions: [] };
  const slowest = middle.questions.toSorted((a, b) => b.ms - a.ms);
  const worst = slowest[0]?.ms ?? 1;
  process.stdout.write(
    `advice, checks and health snapshot of ${tables} tables and ${2 * tables} indexes: ${ms(middle.totalMs)} for ${middle.questions.length} questions, ` +
      `slowest single question ${ms(worst)}, ratio ${(middle.totalMs / worst).toFixed(2)} (median of 5)\n` +
      `memory of the process: ${mebibytes(before)} after an empty database, ${mebibytes(after)} after six looks at the large one\n`,
  );
  for (const { what, ms: each } of slowest.slice(0, Number(process.env.SHOW ?? 3)))
    process.stdout.write(`  ${ms(each)}: ${what}\n`);
}

if (process.argv[1] === import.meta.filename) await benchCatalog();
