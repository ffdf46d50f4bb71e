/** Extensions in whole upgrades of a real cluster: both ways back take an update back, while it can be. */
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Mode, UpgradeRecord } from '../../src/report/record.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import { type Programs, programsWith } from '../support/extension/programs.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { world } from './world.ts';

let old: Programs;
let newer: Programs;
let server: TestServer;

beforeEach(async () => {
  [old, newer] = await Promise.all([programsWith('15.17'), programsWith('15.18')]);
  server = await testServer('15.17', { binaries: old.binaries });
  await mkdir(join(server.folder, 'programs'));
  for (const { binaries } of [old, newer])
    await symlink(join(binaries.bin, '..'), join(server.folder, 'programs', `15.${binaries.version.minor}`));
  await sql(`CREATE EXTENSION pgu_views VERSION '1.0'; INSERT INTO pgu_views_metadata VALUES ('a')`);
});
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  await old?.[Symbol.asyncDispose]();
  await newer?.[Symbol.asyncDispose]();
});

async function sql(text: string): Promise<void> {
  await using connection = await server.connect();
  await connection.script(text);
}

/** Version of the server, of the extension, and what it says itself. */
async function now(): Promise<unknown> {
  await using connection = await server.connect();
  const [row] = await connection.query(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS server, pgu_views_version() AS own,
       (SELECT extversion FROM pg_extension WHERE extname = 'pgu_views') AS version, (SELECT count(*)::int FROM pgu_views_metadata) AS rows`,
  );
  return row;
}

async function run(mode: Mode, more: string, files: Record<string, string> = {}): Promise<UpgradeRecord> {
  const text = `version: 1
targets:
  - name: orders
    postgres: "15.18"
    connection: env:ORDERS_URL
    environment: { kind: embedded, data: ${server.data}, port: ${server.port}, binaries: "${server.folder}/programs/{version}" }
    backup: { prove: none }
    notes-read: ["15.18"]
${more}`;
  const [target] = load(text);
  if (!target) throw new Error('the spec has no target');
  using here = await world({ mode });
  const record = await runTarget(target, {
    ...here.run.context,
    now: () => new Date(),
    variables: { ORDERS_URL: server.url },
    files: new Map(Object.entries(files)),
  });
  return record;
}

const spec = `    extensions:
      pgu_views: { version: "1.1", version-sql: SELECT pgu_views_version(), reinstall: if-needed }
`;
const before = { server: '15.17', own: '1.0', version: '1.0', rows: 1 };
const after = { server: '15.18', own: '1.1', version: '1.1', rows: 1 };

test('an upgrade updates it, validates with that, and a later rollback takes both back', async () => {
  const planned = await run('plan', spec);
  expect([planned.result, planned.extensions]).toMatchObject([
    'success',
    [{ extension: 'pgu_views', database: 'postgres', before: { version: '1.0', own: '1.0' }, after: null }],
  ]);
  expect(planned.plan?.steps.map(({ id }) => id)).toEqual([
    'backup',
    'preflight',
    'checkpoint',
    'restart',
    'extensions',
    'validate',
  ]);
  const record = await run('upgrade', spec);
  expect(record).toMatchObject({ result: 'success', issues: [] });
  expect(record.extensions).toMatchObject([
    { before: { own: '1.0' }, after: { own: '1.1' }, done: ['updated from 1.0 to 1.1'], faults: [] },
  ]);
  expect(record.facts.find(({ name }) => name === 'postgres: extension pgu_views')).toMatchObject({
    before: '1.0',
    after: '1.1',
    verdict: 'expected',
  });
  expect(await now()).toEqual(after);
  const back = await run('rollback', spec);
  expect(back).toMatchObject({ result: 'rolled-back', issues: [] });
  expect(back.plan?.steps.map(({ id, does }) => [id, does[0]?.slice(0, 40)])).toEqual([
    ['extensions', 'an extension that this step updated: ALT'],
    ['restart', 'stop, and start 15.17 again on the same '],
  ]);
  expect(back.steps.map(({ id, state }) => [id, state])).toEqual([
    ['undo-extensions', 'undone'],
    ['undo-restart', 'undone'],
    ['validate', 'done'],
  ]);
  expect(await now()).toEqual(before);
});

test('what fails behind it takes the update back first, then the version', async () => {
  const bad = { 'ops/bad.sql': "SELECT 'failed' AS status;" };
  const record = await run('upgrade', `${spec.replace(' }', ', smoke: [ops/bad.sql] }')}`, bad);
  expect(record).toMatchObject({ result: 'rolled-back' });
  expect(record.issues.map(({ code }) => code)).toEqual(['extension-broken']);
  expect(record.steps.map(({ id, state }) => [id, state]).slice(-3)).toEqual([
    ['extensions', 'failed'],
    ['undo-extensions', 'undone'],
    ['undo-restart', 'undone'],
  ]);
  expect(await now()).toEqual(before);
});

test('a library that the new programs lack: the upgrade goes back, and nothing is lost', async () => {
  await sql(
    `CREATE EXTENSION pg_trgm; CREATE TABLE t (x text); CREATE INDEX t_x ON t USING gin (x gin_trgm_ops)`,
  );
  await rm(join(newer.libraries, 'pg_trgm.so'));
  const record = await run('upgrade', '    extensions: { pg_trgm: { reinstall: if-needed } }\n');
  expect(record.result).toBe('rolled-back');
  expect(record.issues).toMatchObject([
    {
      code: 'extension-reload-refused',
      what: expect.stringContaining('index public.t_x depends on operator class public.gin_trgm_ops'),
    },
  ]);
  expect(record.extensions).toMatchObject([
    { extension: 'pg_trgm', faults: [expect.stringContaining('it cannot be loaded: could not access file')] },
  ]);
  await sql("INSERT INTO t VALUES ('here'); SELECT * FROM t WHERE x % 'here'");
  expect(await now()).toEqual(before);
});

test('an extension that the spec names and nobody has: refused, and the server was not touched', async () => {
  for (const mode of ['plan', 'check', 'upgrade'] as const) {
    const record = await run(mode, '    extensions: { pgu_viws: {} }\n');
    expect([record.result, record.issues.map(({ code }) => code), record.steps]).toEqual([
      'refused',
      ['extension-missing'],
      [],
    ]);
  }
  expect(await now()).toEqual(before);
});

test('one that breaks during the backup ends the run before its first change', async () => {
  const faulty =
    'CREATE OR REPLACE FUNCTION pgu_views_version() RETURNS text LANGUAGE sql AS $$SELECT (1/0)::text$$';
  // The backup's client programs are asked for their version: a moment to break it in.
  const journal = join(`${server.data}.upgrade`, 'journal.jsonl');
  const waiting = (async () => {
    for (;;) {
      const text = await readFile(journal, 'utf8').catch(() => '');
      if (text.includes('"id":"backup","state":"started"')) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await sql(faulty);
  })();
  const record = await run('upgrade', spec);
  await waiting;
  expect([record.result, record.issues.map(({ code }) => code)]).toEqual(['refused', ['extension-faulty']]);
  expect(record.steps.map(({ id, state }) => [id, state])).toEqual([['backup', 'done']]);
});
