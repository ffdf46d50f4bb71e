// health files
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { target } from '../e2e/support.ts';
const t = await target('15.17', '15.18', { sample: false });
const cases: [string, () => Promise<void>][] = [];
try {
  await mkdir(join(t.workspace, 'ops'));
  const f = join(t.workspace, 'ops/h.sql');
  const go = async (name: string, body: string | Buffer, more = '    health: [{file: ops/h.sql, timeout: 60}]') => {
    await writeFile(f, body); await t.spec({ more });
    const s = Date.now();
    const r = await t.run('check');
    const rec = await t.record().catch(() => null as any);
    console.log(`--- ${name}: exit ${r.exitCode} ${r.signal} ${Date.now() - s} ms result ${rec?.result} ${rec?.verdict?.slice(0, 300)}`);
    console.log(JSON.stringify(rec?.queries?.map((q: any) => [q.line, q.status, q.why?.slice(0, 160), q.sql.slice(0, 80), q.rows.slice(0, 1).map((c: any) => c.map((x: any) => x?.slice(0, 60)))])));
    if (r.exitCode === null || !rec?.result || r.exitCode !== 0) console.log(r.log.slice(-900));
  };
  await t.server.connect('postgres').then(async (c) => { await c.script("CREATE TABLE person (name text); INSERT INTO person VALUES ('Müller')"); await c.close(); });
  const only = process.argv[2];
  if (!only) {
  await go('huge cell', "SELECT repeat('x', 600000000) AS big;\nSELECT 1;\n");
  await go('latin1', Buffer.from("SELECT CASE WHEN count(*) > 0 THEN 'critical' ELSE 'ok' END AS status FROM person WHERE name = 'M\xfcller';\n", 'latin1'));
  await go('utf8', "SELECT CASE WHEN count(*) > 0 THEN 'critical' ELSE 'ok' END AS status FROM person WHERE name = 'Müller';\n");
  await go('utf16', Buffer.from('\ufeffSELECT 1;\n', 'utf16le'));
  await go('nul', "SELECT 1 AS a \0 ; SELECT 2;\n");
  await go('escapes', ["SELECT set_config('transaction_read_only','off',false)", "CREATE TABLE hacked (i int)", "DO $$ BEGIN EXECUTE 'COMMIT'; END $$", "DO $$ BEGIN COMMIT; END $$", "DO $$ BEGIN SET TRANSACTION READ WRITE; END $$", "LOCK TABLE person IN ACCESS EXCLUSIVE MODE", "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation='person'::regclass", "SELECT pg_create_physical_replication_slot('h1', true)", "SELECT pg_create_logical_replication_slot('h2','test_decoding')", "LISTEN x", "SELECT pg_advisory_lock(1886877040, 1)", "SELECT lo_creat(-1)", "EXPLAIN ANALYZE INSERT INTO person VALUES ('x')", "SELECT pg_reload_conf()", "SELECT nextval('x')", "SELECT txid_current() IS NOT NULL", "SET ROLE pg_monitor", "SELECT current_user", "DECLARE postgres_upgrade_health CURSOR WITH HOLD FOR SELECT 1", "SELECT 5", "CLOSE ALL", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 6", "VACUUM", "CHECKPOINT","SELECT 'critical_x' AS status","SELECT 'Failure' AS status", "SELECT 'no error' AS severity", "SELECT ARRAY['failed'] AS status", "SELECT E'\\x00' ", "SELECT 1 AS a, 'ok' AS \"Status\", 'failed' AS \"STATUS\""].join(';\n') + ';\n');
  } else {
  await mkdir(join(t.workspace, 'ops/d.sql'));
  await go('directory', 'SELECT 1;', '    health: [ops/d.sql]');
  await go('50MB', Buffer.alloc(50_000_000, "SELECT 1 /* x */ + 1;\n"));
  await go('50MB one', `SELECT '${'y'.repeat(50_000_000)}' AS a;\n`);
  await go('50MB comment', `/*${' /* */ '.repeat(7_000_000)}*/ SELECT 1 AS a;\n`);
  await go('100MB rows', "SELECT repeat('x', 100000000) FROM generate_series(1,40);\n");
  }
} finally { await t[Symbol.asyncDispose](); process.exit(0); }
