// the application takes every connection once it is started
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { patient, plant, sick, show, sleep, until } from './lib.ts';
const shop = await patient();
try {
  await plant(shop, sick.brin);
  const script = join(shop.workspace, 'app.mjs');
  await writeFile(script, `
import pg from '/work/main/node_modules/pg/lib/index.js';
import { spawn } from 'node:child_process';
import { writeFileSync, readFileSync, existsSync } from 'node:fs';
const pid = '/tmp/review-app-${shop.server.port}.pid', ok = pid + '.ok';
const verb = process.argv[2];
if (verb === 'stop') { if (existsSync(pid)) { try { process.kill(Number(readFileSync(pid, 'utf8'))); } catch {} } }
else if (verb === 'start') { const c = spawn(process.execPath, [process.argv[1], 'run'], { detached: true, stdio: 'ignore' }); writeFileSync(pid, String(c.pid)); c.unref(); await new Promise((r) => setTimeout(r, 3000)); }
else { const all = []; for (let i = 0; i < 60; i++) { const c = new pg.Client(${JSON.stringify(shop.server.url)}); c.on('error', () => {}); try { await c.connect(); all.push(c); } catch {} } setInterval(() => {}, 1000); }
`);
  const n = JSON.stringify(process.execPath);
  await shop.ask(`    advice: apply\n    backup: { prove: checksum }\n    applications:\n      - { name: web, stop: [${n}, ${script}, stop], start: [${n}, ${script}, start] }`);
  const r = await shop.run('upgrade');
  console.log('upgrade', r.exitCode); console.log(r.log.slice(-3500));
  await show(shop, 'upgrade');
  const { execFileSync } = await import('node:child_process');
  execFileSync(process.execPath, [script, 'stop']); await sleep(1500);
  console.log(await shop.version().catch(String));
  execFileSync('rm', ['-f', `/tmp/review-app-${shop.server.port}.pid`]);
} finally { await shop[Symbol.asyncDispose](); process.exit(0); }
