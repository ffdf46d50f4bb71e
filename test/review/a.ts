// cancel / kill in advice while an older transaction is open, then resume
import { runPost } from '../support/runner.ts';
import { patient, plant, sick, show, sleep, until } from './lib.ts';
const how = process.argv[2] ?? 'cancel';
const shop = await patient();
try {
  await plant(shop, [...sick.brin, 'CREATE TABLE other (i int)']);
  await shop.ask('    advice: apply\n    backup: { prove: checksum }');
  const action = shop.start('upgrade');
  await until('new', async () => (await shop.version()) === shop.wanted.version);
  await using old = await shop.server.connect('shop');
  await old.script('BEGIN; INSERT INTO reading VALUES (now())');
  await until('reindex', async () => (await shop.sql("SELECT count(*)::int AS n FROM pg_stat_activity WHERE query ILIKE 'REINDEX%' AND wait_event_type = 'Lock'"))[0]?.n === 1);
  const t = Date.now();
  if (how === 'cancel') action.cancel(); else action.kill9();
  const r = await action.done;
  console.log(how, 'ended', r.signal, r.exitCode, r.conclusion, Date.now() - t, 'ms');
  await show(shop, 'after ' + how);
  const post = await runPost(r);
  console.log('post', post.exitCode);
  await show(shop, 'after post');
  console.log(await shop.sql("SELECT pid, query, state, wait_event FROM pg_stat_activity WHERE query ILIKE 'REINDEX%' OR query ILIKE 'DROP INDEX%'"));
  console.log('indexes', await shop.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'reading'::regclass"));
  if (how !== 'cancel') await shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'REINDEX%' AND pid <> pg_backend_pid()");
  await old.script('COMMIT');
  await sleep(500);
  console.log('indexes', await shop.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'reading'::regclass"));
  const again = await shop.run('resume');
  console.log('resume', again.exitCode, await shop.version());
  await show(shop, 'after resume');
  console.log('indexes', await shop.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'reading'::regclass"));
  if (again.exitCode !== 0) { const b = await shop.run('resume'); console.log('again', b.exitCode, await shop.version()); await show(shop, 'again'); }
} finally { await shop[Symbol.asyncDispose](); process.exit(0); }
