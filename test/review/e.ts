// killed in validate after configure; resumed with a validation that fails: is the setting taken back?
import { mkdir, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPost } from '../support/runner.ts';
import { patient, plant, sick, show, sleep, until } from './lib.ts';
const how = process.argv[2] ?? 'resume';
const shop = await patient();
try {
  await plant(shop, sick.slot);
  await mkdir(join(shop.workspace, 'ops'));
  const file = join(shop.workspace, 'ops/after.sql');
  await shop.ask('    advice: apply\n    backup: { prove: checksum }\n    health: [{file: ops/after.sql, timeout: 60}]');
  await writeFile(file, "SELECT CASE WHEN current_setting('server_version_num')::int > 150001 THEN pg_sleep(20)::text END AS slept;\n");
  const action = shop.start('upgrade');
  await until('sleeping', async () => (await shop.sql("SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0]?.n === 1);
  if (how === 'crash') {
    const pid = Number((await readFile(join(shop.server.data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    const r = await action.done;
    console.log('crash', r.exitCode, await shop.version().catch(String));
    console.log(r.log.slice(-3000));
    await show(shop, 'crash');
    console.log(await readFile(join(shop.server.data, 'postgresql.auto.conf'), 'utf8'));
  } else {
    action.kill9();
    const r = await action.done;
    if (how === 'facts') {
      const j = `${shop.server.data}.upgrade/journal.jsonl`;
      const { execSync } = await import('node:child_process');
      console.log(execSync(`ls ${shop.server.data}.upgrade`).toString());
      const name = execSync(`ls ${shop.server.data}.upgrade/*.jsonl ${shop.server.data}.upgrade/journal* 2>/dev/null | head -1`).toString().trim();
      const text = await readFile(name, 'utf8');
      await writeFile(name, text.split('\n').map((l) => l.includes('"kind":"snapshot"') ? '{"kind":"facts","at":"2026-01-01T00:00:00Z","facts":{}}' : l).join('\n'));
      await shop.sql('CREATE TABLE surprise (i int)');
      await shop.sql("UPDATE pg_index SET indisvalid = false WHERE false");
      await writeFile(file, 'SELECT 1;\n');
    } else await writeFile(file, "SELECT 'critical' AS status;\n");
    const again = await shop.run('resume');
    console.log('resume', again.exitCode, await shop.version());
    await show(shop, 'after resume');
    console.log(await readFile(join(shop.server.data, 'postgresql.auto.conf'), 'utf8'));
    if (how === 'resume') { const b = await shop.run('rollback'); console.log('rollback', b.exitCode, await shop.version()); await show(shop, 'rollback');
     const c = await shop.run('rollback'); console.log('rollback2', c.exitCode, await shop.version()); await show(shop, 'rollback2'); }
  }
} finally { await shop[Symbol.asyncDispose](); process.exit(0); }
