// killed while a closed database is open for the script; then it is dropped / or resume: template0 mended?
import { runPost } from '../support/runner.ts';
import { patient, plant, sick, show, sleep, until } from './lib.ts';
const how = process.argv[2] ?? 'resume';
const shop = await patient();
const db = how === 'drop' ? 'we"ird; DROP' : 'template0';
try {
  if (how === 'drop') { await shop.sql('CREATE DATABASE "we""ird; DROP"', 'postgres'); await shop.sql('ALTER DATABASE "we""ird; DROP" ALLOW_CONNECTIONS false', 'postgres'); }
  await shop.ask('    advice: apply\n    backup: { prove: checksum }');
  const action = shop.start('upgrade');
  await until('open', async () => (await shop.sql(`SELECT datallowconn AS c FROM pg_database WHERE datname = '${db}'`))[0]?.c === true);
  action.kill9();
  const r = await action.done;
  console.log(r.log.split('\n').slice(-6).join('\n'));
  console.log('open?', await shop.sql("SELECT datname, datallowconn FROM pg_database"));
  if (how === 'drop') { await sleep(300); await shop.sql(`DROP DATABASE "we""ird; DROP" WITH (FORCE)`); }
  if (how !== 'nopost') { const post = await runPost(r); console.log('post', post.exitCode); await show(shop, 'post'); }
  console.log('open?', await shop.sql("SELECT datname, datallowconn FROM pg_database"));
  const again = await shop.run('resume');
  console.log('resume', again.exitCode, await shop.version());
  await show(shop, 'resume');
  const rec = await shop.record();
  console.log('cve advice', JSON.stringify(rec.advice.find((a: any) => a.id.startsWith('cve-2024-4317'))));
  if (again.exitCode !== 0) { const b = await shop.run('rollback'); console.log('rollback', b.exitCode, await shop.version()); await show(shop, 'rollback'); }
  await shop.sql('ALTER DATABASE template0 ALLOW_CONNECTIONS true');
  for (const d of ['template0', 'template1', 'shop', 'postgres']) console.log(d, await shop.sql("SELECT pg_get_viewdef('pg_catalog.pg_stats_ext'::regclass) LIKE '%relowner%' AS mended", d));
} finally { await shop[Symbol.asyncDispose](); process.exit(0); }
