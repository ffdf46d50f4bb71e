/** A process of its own that works over ssh: tests kill it. Gets its options on standard input. */
import { text } from 'node:stream/consumers';
import { runJob } from '../../src/process/job.ts';
import { type SshOptions, sshHost } from '../../src/process/ssh-host.ts';
import { silentLog } from './ssh-log.ts';

const { ssh, what, path, script } = JSON.parse(await text(process.stdin)) as {
  ssh: Omit<SshOptions, 'log'>;
  what: 'hold' | 'job';
  path: string;
  script: string;
};
const host = sshHost({ ...ssh, log: silentLog().log });
if (what === 'hold') {
  console.log((await host.hold(path, 'the killed one')) ?? 'held');
  setInterval(() => {}, 1000);
} else {
  const job = { folder: path, name: 'work', script, args: [], timeout: 60_000 };
  await runJob(host, job, { onLine: (line) => console.log(line) });
}
