/** Another machine behind ssh: a real sshd, real keys, real sudo. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { tidyScript } from '../../src/environments/debian/cluster-scripts.ts';
import { endOfLog } from '../../src/environments/debian/control.ts';
import { assertOwnFolder } from '../../src/environments/debian/own-folder.ts';
import { hostStore } from '../../src/environments/host-store.ts';
import type { Host } from '../../src/process/host.ts';
import { awaitJobs, type Job, runJob } from '../../src/process/job.ts';
import { type SshOptions, sshHost } from '../../src/process/ssh-host.ts';
import { failureOf, until } from '../support/targets.ts';
import { silentLog } from './ssh-log.ts';
import { type Bed, startBed } from './support/bed.ts';

let bed: Bed;
const closing = async (): Promise<void> => bed?.[Symbol.asyncDispose]();

/** How the bed is reached, with something else in it. */
function options(more: Partial<SshOptions> = {}): Omit<SshOptions, 'log'> {
  return { ...bed.ssh, become: 'sudo', ...more };
}

/** A host for one test. */
function open(more: Partial<SshOptions> = {}): Host & ReturnType<typeof silentLog> {
  const told = silentLog();
  const host = sshHost({ ...options(more), log: told.log });
  onTestFinished(() => host.close());
  return { ...host, ...told };
}

/** Numbers of processes of this machine whose command line has all these words. */
async function processes(...words: string[]): Promise<number[]> {
  const found: number[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words.every((word) => line.includes(word))) found.push(Number(id));
  }
  return found;
}
const masters = (): Promise<number[]> => processes('ssh', 'ControlMaster=yes', String(bed.ssh.port));

/** Ways to lose a connection. */
const cuts: Record<string, () => Promise<void>> = {
  'kill -9 of the connection': async () => {
    for (const id of await masters()) {
      try {
        process.kill(id, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  },
  'kill -9 of its sshd': async () => {
    await bed.run(
      'bash',
      '-c',
      'for each in /proc/[0-9]*; do if tr "\\0" " " <"$each/cmdline" 2>/dev/null | grep -q "^sshd: "; then if ! grep -q listener "$each/cmdline"; then kill -9 "$(basename "$each")"; fi; fi; done',
    );
  },
  'ssh -O exit': async () => {
    for (const id of await masters()) {
      const line = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
      const socket = /ControlPath=([^\0]+)/.exec(line)?.[1];
      execFileSync('ssh', ['-F', 'none', '-o', `ControlPath=${socket}`, '-O', 'exit', 'x'], {
        stdio: 'ignore',
      });
    }
  },
};

function child(what: object): ChildProcess {
  const started = spawn(process.execPath, [join(import.meta.dirname, 'ssh-child.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.stdin?.end(JSON.stringify({ ssh: options(), ...what }));
  return started;
}

let count = 0;
const folder = (): string => `/var/lib/jobs-${++count}`;
const jobIn = (path: string, script: string): Job => ({
  folder: path,
  name: 'work',
  script,
  args: [],
  timeout: 60_000,
});
/** Twelve lines within 3 seconds, and a note for each time that it begins. */
const slow = (path: string): string =>
  `echo begun >>${path}/begun; for each in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "line $each"; sleep 0.25; done; printf end; exit 9`;
const slowOutput = `${Array.from({ length: 12 }, (_, index) => `line ${index + 1}\n`).join('')}end`;
const inBed = (path: string): Promise<string> => readFile(join(bed.root, path), 'utf8').catch(() => '');

describe('a machine behind ssh', () => {
  beforeAll(async () => {
    bed = await startBed({ supervisor: 'pg_ctlcluster' });
    for (const [name, shell] of [
      ['nosudo', '/bin/bash'],
      ['noisy', '/bin/bash'],
      ['noshell', '/usr/sbin/nologin'],
    ] as const) {
      const made = await bed.run(
        'sh',
        '-c',
        `useradd --create-home --shell "$2" --password '*' "$1" && cp /etc/ssh/authorized_keys/deploy "/etc/ssh/authorized_keys/$1"`,
        'sh',
        name,
        shell,
      );
      expect(made).toMatchObject({ code: 0, stderr: '' });
    }
    await bed.run(
      'sh',
      '-c',
      "echo 'noisy ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/noisy; sed -i '1i echo noise; echo noise >&2' ~noisy/.bashrc",
    );
  });
  afterAll(closing);

  it('runs programs and scripts as root', async () => {
    const host = open();
    expect((await host.run(['id', '-u'])).stdout).toBe('0\n');
    const words = ['a b', "it's", '$(id)', '-n', '--', 'one\ntwo', '', '*', "'; exit 9; '"];
    expect((await host.run(['printf', '%s|', ...words])).stdout).toBe(`${words.join('|')}|`);
    expect(
      await host.script('printf %s "$1"; cat; printf err >&2; exit 255', ['x'], { input: 'in' }),
    ).toEqual({
      code: 255,
      stdout: 'xin',
      stderr: 'err',
    });
    expect((await host.run(['env'])).stdout).not.toMatch(/SSH|SUDO|USER/);
    expect(await masters()).toHaveLength(1);
    expect(host.progress).toEqual([]);
  });

  it('costs little once the connection stands', async () => {
    const host = open();
    await host.run(['true']);
    const times: number[] = [];
    for (let round = 0; round < 10; round++) {
      const began = performance.now();
      await host.run(['true']);
      times.push(performance.now() - began);
    }
    // Measured: 20 ms with sudo, against 250 ms for a connection.
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it('shows the key to nobody, and leaves nothing behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('pgu-ssh-'));
    const host = sshHost({ ...options(), log: silentLog().log });
    await host.run(['true']);
    const [own = ''] = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('pgu-ssh-') && !before.includes(name),
    );
    expect((await readdir(join(tmpdir(), own))).sort()).toEqual(['c1', 'known_hosts']);
    const body = bed.ssh.key.split('\n')[2] ?? 'none';
    for (const id of await masters()) {
      expect(await readFile(`/proc/${id}/cmdline`, 'utf8')).not.toContain(body);
      expect(await readFile(`/proc/${id}/environ`, 'utf8')).not.toContain(body);
    }
    await host.close();
    expect(await readdir(tmpdir())).not.toContain(own);
    await until(masters, (found) => found.length === 0);
  });

  it('runs nothing as root from a folder that somebody else could exchange', async () => {
    const host = open();
    await assertOwnFolder(host, '/var/lib/postgres-upgrade/15-main');
    expect(await failureOf(assertOwnFolder(host, '/home/deploy/state'))).toMatchObject({
      code: 'state-folder',
      message: expect.stringMatching(/\/home\/deploy belongs to user \d+/),
    });
    expect(await failureOf(assertOwnFolder(host, '/proc/state'))).toMatchObject({ code: 'state-folder' });
  });

  it('reads the log with the rights of the cluster: a link to what only root may read gives nothing', async () => {
    const host = open();
    const log = '/var/log/postgresql/postgresql-15-main.log';
    const end = (path: string): ReturnType<typeof endOfLog> =>
      endOfLog(host, { log: path, data: '/var/lib/postgresql/15/main' }, 0, 4000);
    expect((await end(log))?.text).toContain('ready to accept connections');
    await bed.run('runuser', '-u', 'postgres', '--', 'ln', '-s', '/etc/shadow', `${log}.link`);
    expect(await end(`${log}.link`)).toBe(null);
  });

  it('tidies only what is its own', async () => {
    const host = open();
    const theirs = '/var/lib/postgres-upgrade-backup';
    const atWork = '/var/lib/postgres-upgrade-preflight.AbCdEfGh';
    await bed.run('mkdir', '-p', theirs, atWork, '/var/lib/tidied/next', '/var/lib/tidied/saved');
    expect(await host.script(tidyScript, ['/var/lib/tidied', 'rest'])).toMatchObject({ code: 0, stderr: '' });
    expect((await bed.run('ls', '-d', theirs, atWork)).code).toBe(0);
    expect((await bed.run('ls', '/var/lib/tidied')).stdout).toBe('saved\n');
  });

  it('may print what it likes at a login', async () => {
    const host = open({ host: 'noisy@127.0.0.1' });
    expect(await host.run(['echo', 'out'])).toEqual({ code: 0, stdout: 'out\n', stderr: '' });
    await using home = await mkdtempDisposable(join(tmpdir(), 'ssh-'));
    await host.download('/etc/hostname', join(home.path, 'name'));
    expect(await readFile(join(home.path, 'name'), 'utf8')).toBe('bed\n');
    expect(await host.hold('/run/noisy.lock', 'me')).toBe(null);
  });

  it.each<[string, () => Partial<SshOptions>, string, RegExp]>([
    ['an unknown host key', () => ({ knownHosts: '' }), 'ssh-host-key', /is not known/],
    [
      'another host key',
      () => ({
        knownHosts: `[127.0.0.1]:${bed.ssh.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDG7wSVJVCFBr3RCEETvn8r8mUyZfLF3nDMSDr4Sbg0i`,
      }),
      'ssh-host-key',
      /another host key than the known one \(it sends SHA256:/,
    ],
    ['a key that is not let in', () => ({ key: newKey() }), 'ssh-login', /refuses the login/],
    ['a key that is none', () => ({ key: 'x' }), 'ssh-login', /refuses the login/],
    ['no shell', () => ({ host: 'noshell@127.0.0.1' }), 'ssh-login', /gives no shell/],
    ['nobody who listens', () => ({ port: 1 }), 'ssh-connect', /cannot be reached/],
    [
      'a sudo that wants a password',
      () => ({ host: 'nosudo@127.0.0.1' }),
      'become',
      /^nosudo cannot become root/,
    ],
    ['an option as a name', () => ({ host: '-oProxyCommand=touch' }), 'ssh-connect', /no name of a host/],
  ])('is told apart: %s', async (_, more, code, message) => {
    const began = performance.now();
    const failure = await failureOf(open(more()).run(['true']));
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(performance.now() - began).toBeLessThan(5000);
    if (code === 'become') expect(failure.hint).toContain("echo 'nosudo ALL=(root) NOPASSWD: ALL'");
  });

  it('needs ssh on this machine', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nonexistent';
    const failure = await failureOf(open().run(['true']));
    process.env.PATH = path;
    expect(failure).toMatchObject({
      code: 'program-missing',
      hint: expect.stringContaining('openssh-client'),
    });
  });

  it('says that a program was killed there, and does not take it for a lost connection', async () => {
    const host = open();
    expect(await failureOf(host.script('echo begun >&2; kill -9 $$; sleep 1'))).toMatchObject({
      code: 'host-killed',
      hint: expect.stringMatching(/^begun/),
    });
    expect(await masters()).toHaveLength(1);
  });

  it.each(Object.entries(cuts))('loses no repeatable call by %s', async (_, cut) => {
    const host = open();
    const path = folder();
    const answer = host.script('mkdir -p "$1"; echo x >>"$1/times"; sleep 2; echo done', [path]);
    await until(
      () => inBed(`${path}/times`),
      (times) => times !== '',
    );
    await cut();
    expect((await answer).stdout).toBe('done\n');
    expect(await inBed(`${path}/times`)).toBe('x\nx\n');
  });

  it('does not repeat what must not be repeated', async () => {
    const host = open();
    const path = folder();
    const failed = failureOf(
      host.script('mkdir -p "$1"; echo x >>"$1/times"; sleep 2', [path], { repeatable: false }),
    );
    await until(
      () => inBed(`${path}/times`),
      (times) => times !== '',
    );
    await cuts['kill -9 of the connection']?.();
    expect(await failed).toMatchObject({
      code: 'ssh-lost',
      message: expect.stringMatching(/may have been done, or not/),
    });
    expect(await inBed(`${path}/times`)).toBe('x\n');
    expect((await host.script('echo again', [], { repeatable: false })).stdout).toBe('again\n');
  });

  it('sends a file whole, also where the connection is lost meanwhile', async () => {
    const host = open();
    await using home = await mkdtempDisposable(join(tmpdir(), 'ssh-'));
    await host.script('head -c 60000000 /dev/urandom >/var/lib/large');
    const copying = host.download('/var/lib/large', join(home.path, 'large'));
    await until(
      () => readdir(home.path),
      (names) => names.includes('large.part'),
    );
    await cuts['kill -9 of its sshd']?.();
    await copying;
    const [own] = execFileSync('sha256sum', [join(home.path, 'large')])
      .toString()
      .split(' ');
    expect((await host.run(['sha256sum', '/var/lib/large'])).stdout).toBe(`${own}  /var/lib/large\n`);
  });

  it('leads to its ports, also after the connection was lost', async () => {
    const host = open();
    const ask = async (): Promise<string> => {
      const at = await host.reach('127.0.0.1', bed.postgres.port);
      const url = new URL(bed.postgres.url);
      expect(at.port).not.toBe(bed.postgres.port);
      url.port = String(at.port);
      const client = new pg.Client(url.href);
      await client.connect();
      const { rows } = await client.query('SHOW server_version_num');
      await client.end();
      return rows[0].server_version_num;
    };
    const version = await ask();
    expect(version).toMatch(/^1500\d\d$/);
    for (const cut of Object.values(cuts)) {
      await cut();
      expect(await ask()).toBe(version);
    }
    const nowhere = await host.reach('127.0.0.1', 9);
    const client = new pg.Client({ ...nowhere, user: 'x', database: 'x' });
    client.on('error', () => {});
    await expect(client.connect()).rejects.toThrow();
    await until(
      async () => host.warnings,
      (told) => told.length > 0,
      5,
    );
    expect(host.warnings[0]).toMatch(/does not lead to 127\.0\.0\.1 port 9: /);
  });

  it('holds a lock, and takes it again where the connection was lost', async () => {
    const [first, second] = [open(), open()];
    expect(await first.hold('/run/test.lock', 'run 1')).toBe(null);
    expect(await second.hold('/run/test.lock', 'run 2')).toBe('run 1');
    await cuts['kill -9 of its sshd']?.();
    await until(
      () => bed.run('flock', '--nonblock', '/run/test.lock', 'true'),
      ({ code }) => code === 1,
    );
    expect(await second.hold('/run/test.lock', 'run 2')).toBe('run 1');
    expect(first.warnings).toEqual([]);
    await first.close();
    await until(
      () => second.hold('/run/test.lock', 'run 2'),
      (held) => held === null,
    );
  });

  it('lets a lock go with the process, however it ends', async () => {
    const holder = child({ what: 'hold', path: '/run/killed.lock' });
    if (holder.stdout) expect(String((await once(holder.stdout, 'data'))[0])).toBe('held\n');
    const host = open();
    expect(await host.hold('/run/killed.lock', 'me')).toBe('the killed one');
    holder.kill('SIGKILL');
    const began = performance.now();
    await until(
      () => host.hold('/run/killed.lock', 'me'),
      (held) => held === null,
    );
    expect(performance.now() - began).toBeLessThan(3000);
    // Nothing of the killed process stays: neither its connection nor its key.
    await until(masters, (found) => found.length === 1);
  });

  it.each(Object.entries(cuts))('goes on with a job in spite of %s', async (_, cut) => {
    const host = open();
    const path = folder();
    const lines: string[] = [];
    const running = runJob(host, jobIn(path, slow(path)), { onLine: (line) => lines.push(line) });
    await until(
      async () => lines.length,
      (length) => length >= 2,
    );
    await cut();
    await until(
      async () => lines.length,
      (length) => length >= 6,
    );
    await cut();
    expect(await running).toEqual({ code: 9, output: slowOutput });
    expect(lines).toEqual(slowOutput.split('\n'));
    expect(await inBed(`${path}/begun`)).toBe('begun\n');
  });

  it('starts a job once, whenever the connection is lost', async () => {
    const host = open();
    await host.run(['true']);
    for (let round = 0; round < 8; round++) {
      const path = folder();
      const running = runJob(host, jobIn(path, `echo begun >>${path}/begun; exit 4`));
      const cutting = setTimeout(() => void cuts['kill -9 of the connection']?.(), round * 12);
      expect(await running).toMatchObject({ code: 4 });
      clearTimeout(cutting);
      expect(await inBed(`${path}/begun`)).toBe('begun\n');
    }
  });

  it('is found at work by the next process', async () => {
    const path = folder();
    const starter = child({ what: 'job', path, script: slow(path) });
    if (starter.stdout) await once(starter.stdout, 'data');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    const host = open();
    expect(await awaitJobs(host, path, 60_000)).toEqual({ name: 'work', code: 9, output: slowOutput });
    expect(await inBed(`${path}/begun`)).toBe('begun\n');
  });

  it('is started once by two processes', async () => {
    const path = folder();
    const runs = [
      child({ what: 'job', path, script: slow(path) }),
      child({ what: 'job', path, script: slow(path) }),
    ];
    const said = await Promise.all(runs.map(({ stdout }) => (stdout ? text(stdout) : '')));
    expect(said).toEqual([`${slowOutput}\n`, `${slowOutput}\n`]);
    expect(await inBed(`${path}/begun`)).toBe('begun\n');
  });

  it('keeps a journal, each line once', async () => {
    const host = open();
    await host.run(['true']);
    const store = hostStore(host, '/var/lib/journal');
    const lines = Array.from({ length: 12 }, (_, index) => JSON.stringify({ index }));
    for (const line of lines) {
      const cutting = setTimeout(() => void cuts['kill -9 of the connection']?.(), 8);
      await store.append(line);
      clearTimeout(cutting);
    }
    expect(await store.read()).toEqual(lines);
  });

  it("takes the user's own known hosts and keys where the spec has none", async () => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'ssh-'));
    await writeFile(join(home.path, 'key'), bed.ssh.key, { mode: 0o600 });
    const agent = execFileSync('ssh-agent', ['-s']).toString();
    const socket = /SSH_AUTH_SOCK=([^;]+)/.exec(agent)?.[1] ?? '';
    const before = process.env.SSH_AUTH_SOCK;
    process.env.SSH_AUTH_SOCK = socket;
    try {
      execFileSync('ssh-add', ['-q', join(home.path, 'key')]);
      expect((await open({ key: undefined }).run(['id', '-u'])).stdout).toBe('0\n');
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]), 'SIGTERM');
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
    }
  });
});

/** A private key that nobody knows. */
function newKey(): string {
  const path = join(tmpdir(), `key-${process.pid}-${Date.now()}`);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  const key = execFileSync('cat', [path]).toString();
  execFileSync('rm', [path, `${path}.pub`]);
  return key;
}

describe('under systemd', () => {
  beforeAll(async () => {
    bed = await startBed({ supervisor: 'systemd' });
  });
  afterAll(closing);

  it('a job stands beside the session that started it, and goes on without it', async () => {
    const host = open();
    const path = folder();
    const lines: string[] = [];
    const script = `cat /proc/self/cgroup; ${slow(path)}`;
    const running = runJob(host, jobIn(path, script), { onLine: (line) => lines.push(line) });
    await until(
      async () => lines.length,
      (length) => length >= 2,
    );
    await bed.run('loginctl', 'terminate-user', 'deploy');
    await cuts['kill -9 of its sshd']?.();
    const { code, output } = await running;
    expect(code).toBe(9);
    expect(output).toContain(slowOutput);
    expect(output).toMatch(/system\.slice\/run-\w+\.scope/);
    expect(await inBed(`${path}/begun`)).toBe('begun\n');
    expect((await runJob(host, jobIn(path, 'echo next'))).output).toBe('next\n');
  });

  it('two processes still start it once', async () => {
    const path = folder();
    const runs = [
      child({ what: 'job', path, script: slow(path) }),
      child({ what: 'job', path, script: slow(path) }),
    ];
    await Promise.all(runs.map(({ stdout }) => (stdout ? text(stdout) : '')));
    expect(await inBed(`${path}/begun`)).toBe('begun\n');
  });
});
