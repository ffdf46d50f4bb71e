import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { lastLines, run } from '../../src/process/run.ts';

/** Whether a process is there and not only waits to be buried. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) [ZX] /.test(status);
}

/** A program that tells its process id and stays: the id is there once what stands before it was done. */
function staying(
  script: string,
  first = ':',
): {
  argv: [string, ...string[]];
  out: PassThrough;
  pid: Promise<number>;
} {
  const out = new PassThrough();
  const pid = once(out, 'data').then(([chunk]) => Number(String(chunk).trim()));
  return { argv: ['sh', '-c', `${first}; echo $$; ${script}`], out, pid };
}

describe('run', () => {
  it.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['exit 255', 255],
    ['kill -9 $$', 128],
  ])('"%s" gives %d', async (script, code) => {
    expect(await run(['sh', '-c', script])).toEqual({ code, stdout: '', stderr: '' });
  });

  it('keeps the two outputs apart', async () => {
    expect(await run(['sh', '-c', 'echo out; echo err >&2; printf Zürich'])).toEqual({
      code: 0,
      stdout: 'out\nZürich',
      stderr: 'err\n',
    });
  });

  it('starts programs and never a shell', async () => {
    expect((await run(['printf', '%s|', '$HOME', '; exit 9', '`id`', 'a b', ''])).stdout).toBe(
      '$HOME|; exit 9|`id`|a b||',
    );
  });

  it('ends a program that never stops printing', async () => {
    await expect(run(['yes'], { most: 1000 })).rejects.toMatchObject({
      code: 'program-output',
      message: 'yes printed more than anybody can use. It was ended.',
    });
  });

  it('works in the root folder, or where it is told to', async () => {
    expect((await run(['pwd'])).stdout).toBe('/\n');
    expect((await run(['pwd'], { cwd: '/usr' })).stdout).toBe('/usr\n');
  });

  it('tells each finished line of standard error as it comes', async () => {
    const lines: string[] = [];
    await run(['sh', '-c', 'printf "one\\ntw" >&2; printf "o\\nrest" >&2'], {
      onLine: (line) => lines.push(line),
    });
    expect(lines).toEqual(['one', 'two']);
  });

  it('keeps the end of a long standard error', async () => {
    const { stderr } = await run(['sh', '-c', 'seq 1 20000 >&2']);
    expect(stderr.length).toBe(64 * 1024);
    expect(stderr.endsWith('19999\n20000\n')).toBe(true);
  });

  it('hands standard output to a stream, whole', async () => {
    const out = new PassThrough();
    const [{ stdout }, received] = await Promise.all([
      run(['seq', '1', '50000'], { stdout: out }),
      text(out),
    ]);
    expect(stdout).toBe('');
    expect(received.split('\n').length).toBe(50_001);
  });

  it('gives what it has to standard input', async () => {
    expect((await run(['cat'], { stdin: Readable.from(['a', 'b']) })).stdout).toBe('ab');
    expect((await run(['cat'])).stdout).toBe('');
  });

  it('survives a program that does not read its input', async () => {
    expect((await run(['true'], { stdin: createReadStream('/dev/zero', { end: 8 * 1024 ** 2 }) })).code).toBe(
      0,
    );
  });

  it.each([
    ['/no/such/program', 'spawn /no/such/program ENOENT'],
    ['/etc/passwd', 'spawn /etc/passwd EACCES'],
  ])('cannot start %s', async (program, why) => {
    await expect(run([program, 'secret-argument'])).rejects.toMatchObject({
      code: 'program-missing',
      message: `${program} could not be started: ${why}`,
      hint: `Check that ${program} exists and may be executed by this user.`,
    });
  });
});

describe('a signal', () => {
  it('that fired before starts nothing', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-run-'));
    const file = join(folder.path, 'started');
    await expect(run(['touch', file], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('ends the program', async () => {
    const stop = new AbortController();
    const { argv, out, pid } = staying('exec sleep 60');
    const finished = run(argv, { signal: stop.signal, stdout: out });
    const id = await pid;
    expect(await isAlive(id)).toBe(true);
    stop.abort();
    await expect(finished).rejects.toMatchObject({ code: 'cancelled', message: 'The run was cancelled.' });
    expect(await isAlive(id)).toBe(false);
  });

  it('lets the program clean up first', async () => {
    const stop = new AbortController();
    const { argv, out, pid } = staying('while :; do sleep 0.01; done', 'trap "echo bye >&2; exit 0" TERM');
    const lines: string[] = [];
    const finished = run(argv, { signal: stop.signal, stdout: out, onLine: (line) => lines.push(line) });
    await pid;
    stop.abort();
    await expect(finished).rejects.toMatchObject({ code: 'cancelled' });
    expect(lines).toEqual(['bye']);
  });
});

describe('a time limit', () => {
  it('ends the program and shows what it said last', async () => {
    const { argv, out, pid } = staying('exec sleep 60', 'echo waiting for the archiver >&2');
    const finished = run(argv, { timeout: 500, stdout: out });
    await expect(finished).rejects.toMatchObject({
      code: 'program-timeout',
      message: 'sh did not finish within 500 ms.',
      hint: 'waiting for the archiver',
    });
    expect(await isAlive(await pid)).toBe(false);
  });

  it('that is not reached changes nothing', async () => {
    expect((await run(['true'], { timeout: 5000 })).code).toBe(0);
  });
});

describe('a shielded program', () => {
  it('leads a session of its own, where Ctrl-C in our terminal does not reach it', async () => {
    // Sixth field of /proc/PID/stat is the session; the shell's own name holds no blank.
    const own = 'read -r _ _ _ _ _ session _ < /proc/$$/stat; test "$session" = $$';
    expect((await run(['sh', '-c', own], { shielded: true })).code).toBe(0);
    expect((await run(['sh', '-c', own])).code).toBe(1);
  });

  it('may leave a server behind that holds the output open', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-run-'));
    const file = join(folder.path, 'pid');
    const { code } = await run(['sh', '-c', `sleep 60 & echo $! > '${file}'`], { shielded: true });
    const server = Number(await readFile(file, 'utf8'));
    expect(code).toBe(0);
    expect(await isAlive(server)).toBe(true);
    process.kill(server, 'SIGKILL');
  });
});

describe('lastLines', () => {
  it.each([
    ['a\nb\n\n  \nc  \n', 2, 'b\nc'],
    ['a\nb', 5, 'a\nb'],
    ['', 5, ''],
  ])('of %j', (output, count, lines) => expect(lastLines(output, count)).toBe(lines));
});
