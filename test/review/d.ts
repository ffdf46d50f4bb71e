// abort while runLong connects
import { testServer } from '../support/servers.ts';
import { runLong } from '../../src/postgres/maintain.ts';
const s = await testServer('15.18');
const c = new AbortController();
const t = Date.now();
const p = runLong(async () => { const k = await s.connect(); setTimeout(() => c.abort(), 0); return k; }, 'SELECT pg_sleep(8)', c.signal).then(() => 'finished as if nothing', (e) => String(e));
console.log(await p, Date.now() - t, 'ms');
await s[Symbol.asyncDispose](); process.exit(0);
