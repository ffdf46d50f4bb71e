/**
 * Work on a host that must not end with the connection, nor with this process: it is started once, goes on by itself,
 * and is found again by whoever asks next, from whichever machine.
 *
 * `folder/NAME` holds `script`, `id` (of the attempt that started it), `pid` and `birth` (boot, start time and session of
 * the process that keeps it), `out`, and in the end `rc`; `folder/NAME.before` is the one before it. `folder/current` names the newest one. Whoever keeps a job
 * holds the lock on `folder/lock`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpgradeError } from '../errors.ts';
import type { Host } from './host.ts';
import { currentScript, startParts, startScript, watchScript } from './job-scripts.ts';
import { lastLines } from './run.ts';

/** A piece of work. */
export interface Job {
  /** Folder on the host in which all jobs of one target are kept; at most one of them runs at a time. */
  folder: string;
  /** `install`, `restart`: the same name with the same script and arguments finds the same work again. */
  name: string;
  /** A POSIX shell script of our own, run as root. */
  script: string;
  /** Its `$1`, `$2`, ...: never a secret, they are in the list of processes. */
  args: readonly string[];
  /** Milliseconds after which nobody waits any longer; the work itself is not ended. */
  timeout: number;
}

/** How it ended. */
export interface JobEnd {
  /** Exit code; 128 and the number of the signal where one ended it. */
  code: number;
  /** The end of what it printed, at most 64 KiB. */
  output: string;
}

/** What to do while it runs. */
export interface JobWatch {
  /** A line that it printed. */
  onLine?: (line: string) => void;
  /** Told while the host cannot be reached, and while another job is waited for. */
  progress?: (text: string) => void;
}

/** Where a job is, and until when it is waited for. */
interface Place {
  host: Host;
  folder: string;
  name: string;
  deadline: number;
}

/**
 * Runs a job to its end. Where the same work is still going on, started by whomever, that one is waited for instead
 * (its end is returned); any other is waited for first, also one of the same name: the end of an application's stop is not
 * that of its start.
 * @throws UpgradeError `job-timeout`, `ssh-lost` (nobody knows how it goes on), `job-lost` (it was killed, or the host was
 * restarted), `job-start` (it did not begin), and what the host throws
 */
export async function runJob(host: Host, job: Job, watch: JobWatch = {}): Promise<JobEnd> {
  const { folder, name, script, args, timeout } = job;
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name === 'lock' || name === 'current')
    throw new Error(`${name} is no name of a job`);
  const deadline = Date.now() + timeout;
  // The same in each attempt to send it: so it is started once, also where nobody knows whether the first one arrived.
  const work = createHash('sha256')
    .update(JSON.stringify([script, ...args]))
    .digest('hex');
  const id = `${work}.${randomUUID()}`;
  for (;;) {
    const { code, stdout, stderr } = await host.script(
      startScript,
      [folder, name, id, ...startParts, script, ...args],
      { progress: watch.progress },
    );
    if (code !== 0) {
      throw new UpgradeError('job-start', `The work "${name}" could not be started on ${host.name}.`, {
        hint: lastLines(stderr) || 'Nothing was printed. Is the disk full?',
      });
    }
    const [word, other, otherId] = stdout.trim().split(' ');
    if (word === 'started') return follow({ host, folder, name, deadline }, id, watch);
    if (other !== undefined && otherId !== undefined) {
      const place = { host, folder, name: other, deadline };
      if (other === name && otherId.startsWith(`${work}.`)) return follow(place, otherId, watch);
      watch.progress?.(`Waiting for "${other}" on ${host.name}, which an earlier run started`);
      await follow(place, otherId, { progress: watch.progress ?? (() => {}) }).catch(ignoreLost);
    } else {
      await sleep(100);
    }
    if (Date.now() > deadline) throw late({ host, folder, name, deadline }, 'It was not started.');
  }
}

/** Waits for the end of whatever job is at work in a folder. @returns its name and end; null where none is */
export async function awaitJobs(
  host: Host,
  folder: string,
  timeout: number,
  watch: JobWatch = {},
): Promise<(JobEnd & { name: string }) | null> {
  const { stdout } = await host.script(currentScript, [folder], { progress: watch.progress });
  const [name, id] = stdout.trim().split(' ');
  if (!name || !id) return null;
  const end = await follow({ host, folder, name, deadline: Date.now() + timeout }, id, watch);
  return { name, ...end };
}

/** Bytes of output that one answer brings. */
const most = 512 * 1024;
/** Characters of output that are kept, and most of one line. */
const keep = 64 * 1024;

/** How often one call looks for news: for 5 seconds, or less where nobody waits that long. */
function looks({ deadline }: Place): number {
  return Math.min(40, Math.max(1, Math.ceil((deadline - Date.now()) / 100)));
}

/** Waits for the end of one attempt. */
async function follow(place: Place, id: string, watch: JobWatch): Promise<JobEnd> {
  const { host, folder, name } = place;
  const decoder = new StringDecoder('utf8');
  let known = 0;
  let output = '';
  let line = '';
  const take = (text: string): void => {
    output = (output + text).slice(-keep);
    const lines = (line + text).split('\n');
    line = (lines.pop() ?? '').slice(-keep);
    for (const each of lines) watch.onLine?.(each);
  };
  for (;;) {
    const { stdout, stderr } = await host.script(
      watchScript,
      [`${folder}/${name}`, id, String(known), String(most), String(looks(place))],
      { progress: watch.progress },
    );
    const [head = '', body = ''] = stdout.split('\n', 2);
    const [state, size, code] = head.split(' ');
    const bytes = Buffer.from(body, 'base64');
    known += bytes.length;
    take(decoder.write(bytes));
    if (state === 'running' || known < Number(size)) {
      if (Date.now() > place.deadline) throw late(place, lastLines(output));
      continue;
    }
    take(decoder.end());
    if (line !== '') watch.onLine?.(line);
    if (state === 'ended') return { code: Number(code), output };
    const why =
      state === 'gone'
        ? 'Something else was started in its place.'
        : 'It was killed, or the machine was restarted: nobody wrote down how it ended.';
    throw new UpgradeError('job-lost', `The work "${name}" on ${host.name} is gone. ${why}`, {
      hint: lastLines(`${output}\n${stderr}`) || 'It had printed nothing.',
    });
  }
}

function ignoreLost(cause: unknown): void {
  if (!(cause instanceof UpgradeError && cause.code === 'job-lost')) throw cause;
}

function late({ host, name }: Place, said: string): UpgradeError {
  return new UpgradeError(
    'job-timeout',
    `The work "${name}" on ${host.name} did not end in its time. It goes on there by itself.`,
    {
      hint: `${said || 'It printed nothing yet.'}\nRun again when it has ended: the run finds it, and goes on.`,
    },
  );
}
