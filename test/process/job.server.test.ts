/** Jobs, on this machine as the host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as all } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/process/host.ts';
import { awaitJobs, type Job, runJob } from '../../src/process/job.ts';
import { localHost } from '../../src/process/local-host.ts';
import { failureOf, until } from '../support/targets.ts';

const host = localHost(null);
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'pgu-job-'));
const jobIn = (path: string, script: string, more: Partial<Job> = {}): Job => ({
  folder: join(path, 'jobs'),
  name: 'work',
  script,
  args: [],
  timeout: 30_000,
  ...more,
});
const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

function child(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'host-child.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** A script that waits until the test makes a file. */
const waiting = (path: string): string =>
  `echo begun >>'${path}/begun'; echo begun; while [ ! -e '${path}/go' ] && [ -d '${path}' ]; do sleep 0.02; done; echo gone on; exit 3`;

describe('a job', () => {
  it('tells how it ended, and what it printed', async () => {
    await using home = await folder();
    const lines: string[] = [];
    const args = ["it's", '', '$(id)', '-x', 'one\ntwo'];
    const job = jobIn(home.path, 'printf "%s|" "$@"; echo err >&2; printf "ü\\nno end"; exit 255', { args });
    expect(await runJob(host, job, { onLine: (line) => lines.push(line) })).toEqual({
      code: 255,
      output: "it's||$(id)|-x|one\ntwo|err\nü\nno end",
    });
    expect(lines).toEqual(["it's||$(id)|-x|one", 'two|err', 'ü', 'no end']);
  });

  it('is run again where it ended before', async () => {
    await using home = await folder();
    const job = jobIn(home.path, `echo x >>'${home.path}/times'; exec wc -l <'${home.path}/times'`);
    expect((await runJob(host, job)).output).toBe('1\n');
    expect((await runJob(host, job)).output).toBe('2\n');
  });

  it('tells each line of 5 MB, and keeps the end', async () => {
    await using home = await folder();
    let [count, last] = [0, ''];
    const onLine = (line: string): void => {
      count += 1;
      last = line;
    };
    const { code, output } = await runJob(host, jobIn(home.path, 'seq 1 750000'), { onLine });
    expect([code, count, last]).toEqual([0, 750_000, '750000']);
    expect(output.length).toBe(64 * 1024);
    expect(output.endsWith('749999\n750000\n')).toBe(true);
  });

  it('leads a session of its own, in a clean environment, and hides what it printed', async () => {
    await using home = await folder();
    const { output } = await runJob(
      host,
      jobIn(home.path, 'env; umask; cat; ls -l /proc/$$/fd | grep -c lock'),
    );
    expect(output.split('\n').filter((line) => !/^(OLD)?PWD=/.test(line))).toEqual([
      expect.stringMatching(/^(PATH|LC_ALL)=/),
      expect.stringMatching(/^(PATH|LC_ALL)=/),
      '0022',
      '0',
      '',
    ]);
    expect((await stat(join(home.path, 'jobs/work/out'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(home.path, 'jobs'))).mode & 0o777).toBe(0o700);
  });

  it('leaves a server behind that does not hold the lock', async () => {
    await using home = await folder();
    const job = jobIn(home.path, 'setsid sleep 60 >/dev/null 2>&1 & echo $!');
    const { output } = await runJob(host, job);
    expect((await runJob(host, { ...job, name: 'next', script: 'echo next' })).output).toBe('next\n');
    process.kill(Number(output), 'SIGKILL');
  });

  it('costs little', async () => {
    await using home = await folder();
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const began = performance.now();
      await runJob(host, jobIn(home.path, 'true'));
      times.push(performance.now() - began);
    }
    // Measured: 80 ms. Other tests use the same two processors.
    expect(Math.min(...times)).toBeLessThan(250);
  });

  it('that cannot be started says why', async () => {
    await using home = await folder();
    await writeFile(join(home.path, 'jobs'), '');
    expect(await failureOf(runJob(host, jobIn(home.path, 'true')))).toMatchObject({
      code: 'job-start',
      hint: expect.stringContaining('File exists'),
    });
  });
});

describe('two at once', () => {
  it('of the same name are one', async () => {
    await using home = await folder();
    const args = [join(home.path, 'jobs'), waiting(home.path)] as const;
    const runs = [child('work', ...args), child('work', ...args), child('work', ...args)];
    const said = runs.map(({ stdout }) => (stdout ? all(stdout) : ''));
    await Promise.all(runs.map(({ stdout }) => stdout && once(stdout, 'data')));
    await writeFile(join(home.path, 'go'), '');
    expect(await Promise.all(said)).toEqual(runs.map(() => 'begun\ngone on\ncode 3\n'));
    expect(await text(join(home.path, 'begun'))).toBe('begun\n');
  });

  it('of the same name and with other arguments are two, one after the other', async () => {
    await using home = await folder();
    const stop = runJob(host, jobIn(home.path, waiting(home.path), { args: ['stop'] }));
    await until(
      () => text(join(home.path, 'begun')),
      (begun) => begun !== '',
    );
    const start = runJob(host, jobIn(home.path, `ls '${home.path}/go'; echo "$1"`, { args: ['start'] }));
    await writeFile(join(home.path, 'go'), '');
    expect(await stop).toEqual({ code: 3, output: 'begun\ngone on\n' });
    expect(await start).toEqual({ code: 0, output: `${home.path}/go\nstart\n` });
  });

  it('are one also where the order to start arrives twice, before its end or behind it', async () => {
    await using home = await folder();
    const twice: Host = {
      ...host,
      async script(...call) {
        const first = await host.script(...call);
        return first.stdout === 'started\n' ? host.script(...call) : first;
      },
    };
    const job = jobIn(home.path, `echo begun >>'${home.path}/begun'`);
    expect(await runJob(twice, job)).toEqual({ code: 0, output: '' });
    expect(await text(join(home.path, 'begun'))).toBe('begun\n');
    const slow = { ...job, name: 'slow', script: `${job.script}; sleep 0.3; echo end` };
    expect(await runJob(twice, slow)).toEqual({ code: 0, output: 'end\n' });
    expect(await text(join(home.path, 'begun'))).toBe('begun\nbegun\n');
  });

  it('of different names run one behind the other', async () => {
    await using home = await folder();
    const first = runJob(host, jobIn(home.path, waiting(home.path)));
    await until(
      () => text(join(home.path, 'begun')),
      (begun) => begun !== '',
    );
    const told: string[] = [];
    const second = runJob(host, jobIn(home.path, `ls '${home.path}/go'`, { name: 'next' }), {
      progress: (line) => told.push(line),
    });
    await until(
      async () => told.length,
      (count) => count > 0,
    );
    await writeFile(join(home.path, 'go'), '');
    expect(await first).toMatchObject({ code: 3 });
    expect(await second).toMatchObject({ code: 0 });
    expect(told).toEqual(['Waiting for "work" on this machine, which an earlier run started']);
  });
});

describe('whoever started it', () => {
  it('may be killed: the next one finds it at work', async () => {
    await using home = await folder();
    const jobs = join(home.path, 'jobs');
    const starter = child('work', jobs, waiting(home.path));
    if (starter.stdout) await once(starter.stdout, 'data');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    const told: string[] = [];
    const onLine = (line: string): void => void told.push(line);
    const found = awaitJobs(host, jobs, 30_000, { onLine });
    const same = runJob(host, jobIn(home.path, waiting(home.path)), { onLine });
    await until(
      async () => told.length,
      (count) => count === 2,
    );
    await writeFile(join(home.path, 'go'), '');
    expect(await found).toEqual({ name: 'work', code: 3, output: 'begun\ngone on\n' });
    expect(await same).toEqual({ code: 3, output: 'begun\ngone on\n' });
    expect(await awaitJobs(host, jobs, 30_000)).toBe(null);
    expect(await text(join(home.path, 'begun'))).toBe('begun\n');
  });

  it('waits no longer than it was told to, and ends nothing', async () => {
    await using home = await folder();
    const job = jobIn(home.path, waiting(home.path));
    expect(await failureOf(runJob(host, { ...job, timeout: 200 }))).toMatchObject({
      code: 'job-timeout',
      message: 'The work "work" on this machine did not end in its time. It goes on there by itself.',
      hint: expect.stringMatching(/^begun\n/),
    });
    await writeFile(join(home.path, 'go'), '');
    expect(await runJob(host, job)).toMatchObject({ code: 3 });
  });
});

describe('a job that was killed', () => {
  it('with all that it started is lost', async () => {
    await using home = await folder();
    const job = jobIn(home.path, waiting(home.path));
    const lost = failureOf(runJob(host, job));
    await until(
      () => text(join(home.path, 'begun')),
      (begun) => begun !== '',
    );
    await host.script('kill -9 "-$(cat "$1/pid")"', [join(home.path, 'jobs/work')]);
    expect(await lost).toMatchObject({ code: 'job-lost', hint: 'begun' });
    expect(await awaitJobs(host, job.folder, 1000)).toBe(null);
    await writeFile(join(home.path, 'go'), '');
    expect(await runJob(host, job)).toMatchObject({ code: 3 });
  });

  it('without its work is waited for: the work goes on', async () => {
    await using home = await folder();
    const job = jobIn(home.path, waiting(home.path));
    const lost = failureOf(runJob(host, job));
    await until(
      () => text(join(home.path, 'begun')),
      (begun) => begun !== '',
    );
    await host.script('kill -9 "$(cat "$1/pid")"', [join(home.path, 'jobs/work')]);
    const next = runJob(host, jobIn(home.path, `ls '${home.path}/go'`, { name: 'next' }));
    await writeFile(join(home.path, 'go'), '');
    expect(await lost).toMatchObject({ code: 'job-lost', hint: 'begun\ngone on' });
    expect(await next).toMatchObject({ code: 0 });
  });

  it('by a restart of the machine is lost, also where its number belongs to another process now', async () => {
    await using home = await folder();
    const job = jobIn(home.path, waiting(home.path));
    const lost = failureOf(runJob(host, job));
    await until(
      () => text(join(home.path, 'begun')),
      (begun) => begun !== '',
    );
    const birth = join(home.path, 'jobs/work/birth');
    await writeFile(birth, (await text(birth)).replace(/^\S+/, '00000000-0000-0000-0000-000000000000'));
    expect(await lost).toMatchObject({ code: 'job-lost' });
    await writeFile(join(home.path, 'go'), '');
  });
});
