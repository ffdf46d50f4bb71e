/** What the tests with real servers share: a healthy server, and asking everything of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { allChecks } from '../../src/checks/catalogue.ts';
import {
  type Check,
  type CheckContext,
  type CheckResult,
  defaultThresholds,
  type Thresholds,
} from '../../src/checks/check.ts';
import { runChecks } from '../../src/checks/run.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { type TestServer, testServer } from '../support/servers.ts';

export function contextOf(version: string, changes: Partial<CheckContext> = {}): CheckContext {
  return {
    when: 'before',
    running: parseVersion(version),
    wanted: parseVersion(version),
    thresholds: defaultThresholds,
    disks: [{ purpose: 'backup', path: '/backup', freeBytes: 2000, neededBytes: 1000 }],
    wantedExtensions: null,
    configErrors: [],
    release: { today: '2026-11-20', endOfLife: '2030-01-01', mustRead: [] },
    ...changes,
  };
}

/** The oldest and the newest major there are, each with the next one to go to. */
export const ends = [
  { version: '13.23', next: '18.4' },
  { version: '18.4', next: '19.0' },
] as const;

/** What a test does with its healthy server. */
export interface Patient {
  server: TestServer;
  /** Everything that did not pass, by id. */
  tell(changes?: Partial<CheckContext>): Promise<Told>;
  /** Plants, looks, takes back: nothing else may speak up meanwhile, and nothing at all afterwards. */
  planted(
    plant: string[],
    revert: string[],
    expected: unknown,
    changes?: Partial<CheckContext>,
    database?: string,
  ): Promise<void>;
  /** Sets (null: resets) a setting, and waits until the server has read it. */
  setting(name: string, value: string | null): Promise<void>;
  /** Ends WAL files; a switch without a record in between does nothing. */
  switchWal(times: number): Promise<void>;
}

export type Told = Record<string, [status: string, seen: string[]]>;

export function patient(server: TestServer, version: string): Patient {
  const tell: Patient['tell'] = (changes) => told(server, contextOf(version, changes));
  return {
    server,
    tell,
    async planted(plant, revert, expected, changes = {}, database = 'app') {
      for (const text of plant) await sql(server, text, database);
      try {
        expect(await tell(changes)).toEqual(expected);
      } finally {
        for (const text of revert) await sql(server, text, database);
      }
      expect(await tell(changes.wanted ? { wanted: changes.wanted } : {})).toEqual({});
    },
    async setting(name, value) {
      const loaded = () => sql(server, 'SELECT pg_conf_load_time()::text AS at');
      const [before] = await loaded();
      await sql(
        server,
        value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = '${value}'`,
      );
      await sql(server, 'SELECT pg_reload_conf()');
      await until(loaded, ([row]) => row?.at !== before?.at);
    },
    async switchWal(times) {
      for (let i = 0; i < times; i += 1) {
        await sql(server, `SELECT pg_create_restore_point('r')`);
        await sql(server, 'SELECT pg_switch_wal()');
      }
    },
  };
}

export function thresholds(changes: Partial<Thresholds>): Partial<CheckContext> {
  return { thresholds: { ...defaultThresholds, ...changes } };
}

export const nothing = (answer: Told): boolean => Object.keys(answer).length === 0;
export const something = (answer: Told): boolean => !nothing(answer);

/** A server that can be made ill in every way, with a database `app`; autovacuum is on, but never comes to change what a test planted. */
export async function healthyServer(version: string): Promise<TestServer> {
  const server = await testServer(version, {
    checksums: true,
    settings: {
      archive_mode: 'on',
      archive_command: 'true',
      autovacuum_naptime: '2147483',
      wal_level: 'logical',
    },
  });
  try {
    await sql(server, 'CREATE DATABASE app', 'postgres');
  } catch (cause) {
    await server[Symbol.asyncDispose]();
    throw cause;
  }
  return server;
}

export async function sql(
  server: TestServer,
  text: string,
  database = 'app',
): Promise<Record<string, unknown>[]> {
  await using connection = await server.connect(database);
  return await connection.query(text);
}

export function ask(
  server: TestServer,
  context: CheckContext,
  checks: readonly Check[] = allChecks,
  databases: readonly string[] = ['postgres', 'app'],
): Promise<CheckResult[]> {
  return runChecks(checks, context, {
    connect: (database) => server.connect(database),
    databases,
    mainDatabase: 'postgres',
    signal: new AbortController().signal,
  });
}

/** Everything that did not pass, by id; what an old server cannot be asked says nothing about a fault. */
export async function told(server: TestServer, context: CheckContext): Promise<Told> {
  const results = (await ask(server, context)).filter(
    ({ status, seen }) => status !== 'passed' && seen[0]?.startsWith('needs PostgreSQL') !== true,
  );
  return Object.fromEntries(results.map(({ id, status, seen }) => [id, [status, seen]]));
}

/** Asks until the answer is there. */
export async function until<T>(
  question: () => Promise<T>,
  done: (answer: T) => boolean,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (done(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s, last answer: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}
