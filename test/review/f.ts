// an unfinished upgrade, its rollback killed while the server is stopped; then rollback, upgrade, resume
import { existsSync } from 'node:fs';
import { mkdir, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPost } from '../support/runner.ts';
import { patient, plant, sick, show, sleep, until } from './lib.ts';
const shop = await patient();
try {
  await plant(shop, sick.slot);
  await mkdir(join(shop.workspace, 'ops'));
  const file = join(shop.workspace, 'ops/after.sql');
  await shop.ask('    advice: apply\n    backup: { prove: checksum }\n    health: [{file: ops/after.sql, timeout: 60}]');
  await writeFile(file, "SELECT CASE WHEN current_setting('server_version_num')::int > 150001 THEN pg_sleep(20)::text END AS slept;\n");
  const action = shop.start('upgrade');
  await until('sleeping', async () => (await shop.sql("SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0]?.n === 1);
  action.kill9(); await action.done;
  await writeFile(file, 'SELECT 1;\n');
  const back = shop.start('rollback');
  await back.line(/Undo: Restart/);
  await until('stopped', async () => !existsSync(join(shop.server.data, 'postmaster.pid')));
  back.kill9();
  const r = await back.done;
  await sleep(1500);
  console.log('serving?', await shop.version().catch(String));
  if (process.argv[2] === 'post') { const p = await runPost(r); console.log('post', p.exitCode); await show(shop, 'post'); }
  for (const mode of ['rollback', 'upgrade', 'resume', 'rollback']) { const x = await shop.run(mode); console.log(mode, x.exitCode, await shop.version().catch(String)); const rec = await shop.record(); console.log(rec.verdict, '|', rec.state, '|', rec.next); }
  console.log((await readFile(`${shop.server.data}.upgrade/journal.jsonl`, 'utf8')).split('\n').map((l) => l.slice(0, 150)).join('\n'));
} finally { await shop[Symbol.asyncDispose](); process.exit(0); }
