/** A process of its own that works on this machine as a host: tests kill it. Says on standard output how far it is. */
import { runJob } from '../../src/process/job.ts';
import { localHost } from '../../src/process/local-host.ts';

const [what = '', path = '', script = ''] = process.argv.slice(2);
const host = localHost(null);
if (what === 'hold') {
  console.log((await host.hold(path, `process ${process.pid}`)) ?? 'held');
  setInterval(() => {}, 1000);
} else {
  const job = { folder: path, name: what, script, args: [], timeout: 30_000 };
  const { code } = await runJob(host, job, { onLine: (line) => console.log(line) });
  console.log(`code ${code}`);
}
