/** This machine as a host: what every host does by way of a shell. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localHost } from '../../src/process/local-host.ts';
import { failureOf, processesWith, until } from '../support/targets.ts';

const host = localHost(null);
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'pgu-host-'));
const words = ['a b', "it's", '$(id)', '`id`', '-n', '--', 'one\ntwo', '', '*', "'; exit 9; '"];

function child(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'host-child.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('run', () => {
  it('gives a program its words as they are', async () => {
    const { stdout } = await host.run(['printf', '%s|', ...words]);
    expect(stdout).toBe(`${words.join('|')}|`);
  });

  it.each([0, 1, 128, 254, 255])('tells the exit code %d, and both outputs', async (code) => {
    expect(await host.script('printf out; printf err >&2; exit "$1"', [String(code)])).toEqual({
      code,
      stdout: 'out',
      stderr: 'err',
    });
  });

  it('has a clean environment', async () => {
    process.env.ACTIONS_RUNTIME_TOKEN = 'not for programs';
    const { stdout } = await host.run(['env']);
    delete process.env.ACTIONS_RUNTIME_TOKEN;
    const names = stdout
      .trim()
      .split('\n')
      .filter((line) => !/^(PWD|OLDPWD)=/.test(line));
    expect(names.sort()).toEqual(['LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin']);
  });

  it('runs programs, and no commands of the shell', async () => {
    expect((await host.run(['test', '-n', ''])).code).toBe(1);
    expect(await failureOf(host.run(['no-such-program']))).toMatchObject({
      code: 'program-missing',
      message: 'no-such-program is not there on this machine, or may not be executed.',
    });
  });

  it('gives input, also where nobody reads it, and none where there is none', async () => {
    expect((await host.run(['cat'], { input: "a'b\n$HOME" })).stdout).toBe("a'b\n$HOME");
    expect((await host.run(['cat'])).stdout).toBe('');
    expect((await host.run(['true'], { input: 'x'.repeat(1_000_000) })).code).toBe(0);
    expect((await host.script('wc -c', [], { input: 'x'.repeat(1_000_000) })).stdout.trim()).toBe('1000000');
  });

  it('takes longer words than a command line can', async () => {
    const { stdout } = await host.script('printf %s "$1" | wc -c', ['x'.repeat(300_000)]);
    expect(stdout.trim()).toBe('300000');
  });

  it('keeps a script that no shell can read from doing harm', async () => {
    const { code, stderr } = await host.script('if');
    expect(code).toBe(2);
    expect(stderr).toMatch(/syntax error/i);
  });

  it('ends what takes too long, with everything that it started', async () => {
    const seconds = `77.${process.pid}`;
    const failure = await failureOf(
      host.script('echo waiting >&2; sleep "$1" & sleep "$1"', [seconds], { timeout: 300 }),
    );
    expect(failure).toMatchObject({
      code: 'program-timeout',
      message: 'A script did not finish on this machine within 300 ms. It was ended there.',
      hint: 'waiting',
    });
    await until(
      () => processesWith(`sleep ${seconds}`),
      (found) => found.length === 0,
    );
  });

  it('obeys a signal', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect(await failureOf(host.run(['sleep', '60'], { signal: stop.signal }))).toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('files', () => {
  it('are read; one that is not there is null', async () => {
    await using home = await folder();
    const file = join(home.path, "-it's a file");
    await writeFile(file, 'ü\nno newline');
    expect(await host.read(file)).toBe('ü\nno newline');
    expect(await host.read(`${file}.no`)).toBe(null);
    expect(await failureOf(host.read(home.path))).toMatchObject({
      code: 'host-file',
      message: `${home.path} on this machine cannot be read.`,
      hint: `cat: ${home.path}: Is a directory`,
    });
  });

  it.each([0, 1, 20 * 1024 ** 2])('of %d bytes are copied whole', async (size) => {
    await using home = await folder();
    const [from, to] = [join(home.path, 'from'), join(home.path, 'to')];
    await writeFile(from, Buffer.alloc(size, Buffer.from([0, 255, 10, 128, 7])));
    await host.download(from, to);
    expect((await readFile(to)).equals(await readFile(from))).toBe(true);
    expect((await stat(to)).mode & 0o777).toBe(0o600);
    expect((await readdir(home.path)).sort()).toEqual(['from', 'to']);
  });

  it('that are not there, or change meanwhile, or find no room leave nothing behind', async () => {
    await using home = await folder();
    const to = join(home.path, 'to');
    expect(await failureOf(host.download(join(home.path, 'no'), to))).toMatchObject({
      code: 'host-file',
      hint: 'there is no such file',
    });
    const growing = join(home.path, 'growing');
    await writeFile(growing, Buffer.alloc(30 * 1024 ** 2));
    const copying = failureOf(host.download(growing, to));
    await until(
      () =>
        stat(`${to}.part`).then(
          ({ size }) => size,
          () => 0,
        ),
      (size) => size > 0,
    );
    await truncate(growing, 5);
    expect(await copying).toMatchObject({
      code: 'host-file',
      hint: expect.stringMatching(/bytes came, it has 5/),
    });
    expect(await failureOf(host.download(growing, join(home.path, 'no/folder')))).toMatchObject({
      code: 'host-file',
      message: expect.stringContaining('cannot be written: ENOENT'),
    });
    expect(await readdir(home.path)).toEqual(['growing']);
  });
});

describe('hold', () => {
  it('is for one at a time, and tells who has it', async () => {
    await using home = await folder();
    const lock = join(home.path, 'deep/lock');
    const [first, second] = [localHost(null), localHost(null)];
    expect(await first.hold(lock, 'run 1\nof octocat')).toBe(null);
    expect(await first.hold(lock, 'run 1')).toBe(null);
    expect(await second.hold(lock, 'run 2')).toBe('run 1 of octocat');
    await first.close();
    await until(
      () => second.hold(lock, 'run 2'),
      (holder) => holder === null,
    );
    await second.close();
  });

  it('goes with a process that is killed', async () => {
    await using home = await folder();
    const lock = join(home.path, 'lock');
    const holder = child('hold', lock);
    if (holder.stdout) expect(String(await once(holder.stdout, 'data'))).toBe('held\n');
    const other = localHost(null);
    expect(await other.hold(lock, 'me')).toBe(`process ${holder.pid}`);
    holder.kill('SIGKILL');
    await until(
      () => other.hold(lock, 'me'),
      (found) => found === null,
    );
    await other.close();
  });

  it('is taken again where its keeper was killed', async () => {
    await using home = await folder();
    const lock = join(home.path, 'lock');
    const first = localHost(null);
    await first.hold(lock, 'run 1');
    const keeper = (): Promise<string> =>
      host
        .script(
          'fuser "$1" 2>/dev/null || lslocks --noheadings --output PID,PATH | grep -F "$1" | head -n 1',
          [lock],
        )
        .then(({ stdout }) => stdout.trim().split(' ')[0] ?? '');
    const pid = await keeper();
    await host.script('kill -9 "$1"', [pid]);
    await until(keeper, (now) => now !== '' && now !== pid);
    expect(await host.hold(lock, 'run 2')).toBe('run 1');
    await first.close();
    await host.close();
  });

  it('says where no lock can be', async () => {
    await using home = await folder();
    expect(await failureOf(host.hold(home.path, 'x'))).toMatchObject({ code: 'host-file' });
  });
});

it('reach leads to the very address', async () =>
  expect(await host.reach('localhost', 5432)).toEqual({ host: 'localhost', port: 5432 }));
