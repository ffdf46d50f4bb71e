import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ActionOptions, type Result, runAction, runPost, startAction } from './runner.ts';

const core = JSON.stringify(resolve(import.meta.dirname, '../../node_modules/@actions/core/lib/core.js'));
let workspace: string;
let disposables: AsyncDisposable[];

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  disposables = [];
});

afterEach(async () => {
  vi.useRealTimers();
  for (const disposable of disposables) await disposable[Symbol.asyncDispose]();
  await rm(workspace, { recursive: true });
});

async function script(source: string, name = 'main.mjs'): Promise<string> {
  const path = join(workspace, name);
  await writeFile(path, source);
  return path;
}

async function run(source: string, options: Partial<ActionOptions> = {}): Promise<Result> {
  const result = await runAction({ entry: await script(source), workspace, ...options });
  disposables.push(result);
  return result;
}

async function start(source: string, options: Partial<ActionOptions> = {}) {
  const action = startAction({ entry: await script(source), workspace, ...options });
  disposables.push(action);
  return action;
}

/** A process that ended and that nobody has collected yet has an empty command line. */
const alive = async (pid: number) => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';

describe('what the action says', () => {
  test('commands become annotations and lines of the log, from both streams', async () => {
    const { annotations, log, rawLog, conclusion } = await run(`
      console.log('::error file=${workspace}/spec.yaml,line=3,col=5,title=A%2C b%3A c::one%0Atwo %25');
      console.error('  ::warning::from stderr');
      console.log('::notice file=a.txt,col=4::no line, no column');
      console.log('before ##[error file=x.ts;line=2]legacy%5D%3B');
      console.log('::group::Plan'); console.log('inside'); console.log('::endgroup::');
      console.log('::debug::hidden'); console.log('::unknown::kept'); console.log('text ::error::kept too');`);
    const byMessage = annotations.toSorted((a, b) => a.message.localeCompare(b.message));
    expect(byMessage).toEqual([
      { level: 'warning', message: 'from stderr' },
      { level: 'error', message: 'legacy];', file: 'x.ts', line: 2 },
      { level: 'notice', message: 'no line, no column', file: 'a.txt' },
      { level: 'error', message: 'one\ntwo %', file: 'spec.yaml', line: 3, col: 5, title: 'A, b: c' },
    ]);
    // The two streams come in no order between them.
    expect(log.replace(/\n?##\[warning\]from stderr/, '').trimStart()).toBe(
      '##[error]one\ntwo %\n##[notice]no line, no column\n##[error]legacy];\n' +
        '##[group]Plan\ninside\n##[endgroup]\n::unknown::kept\ntext ::error::kept too',
    );
    expect(rawLog).toContain('::debug::hidden');
    expect(conclusion).toBe('success');
  });

  test('no more than ten annotations of a level are kept, each cut at 4096 characters', async () => {
    const { annotations, log } = await run(
      `for (let n = 0; n < 12; n++) console.log('::warning::' + n + 'x'.repeat(5000)); console.log('::error::last');`,
    );
    expect(annotations.map(({ level }) => level)).toEqual([...Array(10).fill('warning'), 'error']);
    expect(annotations[0]?.message).toHaveLength(4096);
    expect(log).toContain('##[warning]11x');
  });

  test('nothing between stop-commands and its token is carried out', async () => {
    const { annotations, log } = await run(`
      for (const line of ['::stop-commands::pause-1234', '::error::no', '##[error]no', '::pause-1234::', '::error::yes'])
        console.log(line);`);
    expect(annotations).toEqual([{ level: 'error', message: 'yes' }]);
    expect(log).toBe('::stop-commands::***\n::error::no\n##[error]no\n::***::\n##[error]yes');
  });

  test('masks hide a value from then on, with its lines and encodings', async () => {
    const secret = 'p@ss word/1';
    const { log, rawLog, masks, annotations } = await run(
      `const secret = ${JSON.stringify(secret)};
       console.log('early ' + secret);
       console.log('::add-mask::' + secret); console.log('::add-mask::first line%0Asecond line');
       console.log('late ' + secret + secret + '!');
       console.log(encodeURIComponent(secret), btoa(secret), btoa('user:' + secret), 'the second line');
       console.log('::error::' + secret); console.log('job secret hunter2');`,
      { secrets: ['hunter2'] },
    );
    expect(masks).toEqual([secret, 'first line\nsecond line']);
    const [early, late, encoded, error, job] = log.split('\n');
    expect(early).toBe(`early ${secret}`);
    expect(late).toBe('late ***!');
    expect(encoded).toMatch(/^\*\*\* \*\*\* \S*\*\*\* the \*\*\*$/);
    expect([error, job]).toEqual(['##[error]***', 'job secret ***']);
    expect(annotations).toEqual([{ level: 'error', message: '***' }]);
    expect(rawLog).toContain(`late ${secret}`);
  });

  test('a disabled command and an exit code fail the step', async () => {
    expect(await run(`console.log('::set-env name=A::b')`)).toMatchObject({
      exitCode: 0,
      conclusion: 'failure',
    });
    expect(await run('process.exit(3)')).toMatchObject({ exitCode: 3, signal: null, conclusion: 'failure' });
  });

  test('the first line is timed, and a line without an end counts', async () => {
    const { firstLineMs, durationMs, log } = await run(`process.stdout.write('a\\r\\nb\\rc')`);
    expect(log).toBe('a\nb\nc');
    expect(firstLineMs).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThanOrEqual(firstLineMs ?? Infinity);
    expect((await run('')).firstLineMs).toBeNull();
  });
});

describe('files', () => {
  test('outputs in both forms, and by the old command', async () => {
    const { outputs } = await run(`
      import { appendFileSync } from 'node:fs';
      import * as core from ${core};
      core.setOutput('multi', 'a=1\\n\\nb<<2'); core.setOutput('empty', '');
      appendFileSync(process.env.GITHUB_OUTPUT, 'plain=x=y<<z\\n');
      console.log('::set-output name=old::value');`);
    expect(outputs).toEqual({ multi: 'a=1\n\nb<<2', empty: '', plain: 'x=y<<z', old: 'value' });
  });

  test('a malformed output file fails the step and keeps the pairs before it', async () => {
    const { outputs, annotations, conclusion, exitCode } = await run(`
      import { appendFileSync } from 'node:fs';
      appendFileSync(process.env.GITHUB_OUTPUT, 'a=1\\nb<<END\\nnever ends\\n');`);
    expect({ outputs, conclusion, exitCode }).toEqual({
      outputs: { a: '1' },
      conclusion: 'failure',
      exitCode: 0,
    });
    expect(annotations.map(({ message }) => message)).toEqual([
      "Unable to process file command 'output' successfully.",
      "Matching delimiter not found 'END'",
    ]);
  });

  test('a summary is masked; over 1 MiB it is dropped with an error', async () => {
    const write = (text: string) =>
      `import { writeFileSync } from 'node:fs'; writeFileSync(process.env.GITHUB_STEP_SUMMARY, ${text});`;
    const kept = await run(write(`'# Done\\nhunter2\\n' + 'x'.repeat(1024 * 1024 - 15)`), {
      secrets: ['hunter2'],
    });
    expect(kept).toMatchObject({ summaryDropped: false, annotations: [] });
    expect(kept.summary).toMatch(/^# Done\n\*\*\*\nx+$/);
    const dropped = await run(write(`'x'.repeat(1024 * 1024 + 1)`));
    expect(dropped).toMatchObject({ summary: '', summaryDropped: true, conclusion: 'success' });
    expect(dropped.annotations[0]?.message).toContain(
      'upload aborted, supports content up to a size of 1024k',
    );
  });

  test('post gets the inputs, the state and fresh files, in the same RUNNER_TEMP', async () => {
    const post = `
      import * as core from ${core}; import { readFileSync } from 'node:fs';
      core.setOutput('seen', [core.getInput('mode'), core.getState('startedAt'), process.env.STATE_startedAt]);
      core.setOutput('files', readFileSync(process.env.GITHUB_STATE, 'utf8') + readFileSync(process.env.GITHUB_OUTPUT, 'utf8'));
      core.setOutput('left', readFileSync(process.env.RUNNER_TEMP + '/key', 'utf8'));
      console.log('still masked: hunter2');`;
    await script(post, 'post.mjs');
    const main = `
      import * as core from ${core}; import { writeFileSync } from 'node:fs';
      core.setSecret('hunter2'); core.saveState('startedAt', 'ten'); core.setOutput('a', 'b');
      writeFileSync(process.env.RUNNER_TEMP + '/key', 'k'); process.exit(1);`;
    const result = await run(main, { inputs: { mode: 'plan' }, post: true });
    expect(result).toMatchObject({ exitCode: 1, state: { startedAt: 'ten' }, outputs: { a: 'b' } });
    expect(JSON.parse(result.post?.outputs.seen ?? '')).toEqual(['plan', 'ten', 'ten']);
    expect(result.post?.outputs).toMatchObject({
      left: 'k',
      files: expect.not.stringContaining('startedAt'),
    });
    expect(result.post?.log).toBe('still masked: ***');
    expect((await runPost(result)).outputs.left).toBe('k');
  });
});

describe('ends', () => {
  const keepAlive = 'setInterval(() => {}, 1000);';

  test('cancel reaches node alone, and its files still count', async () => {
    const action = await start(`
      import { spawn } from 'node:child_process'; import * as core from ${core};
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      process.on('SIGINT', () => { core.setOutput('outcome', 'cancelled'); core.saveState('s', '1'); process.exit(0); });
      console.log('child ' + child.pid);${keepAlive}`);
    const child = Number((await action.line(/^child \d+$/)).slice('child '.length));
    action.cancel();
    const result = await action.done;
    expect(result).toMatchObject({
      exitCode: 0,
      signal: null,
      conclusion: 'cancelled',
      outputs: { outcome: 'cancelled' },
    });
    expect(await alive(child)).toBe(true);
    await result[Symbol.asyncDispose]();
    await expect.poll(() => alive(child), { timeout: 8_000 }).toBe(false);
    await expect(readFile(result.job.temp)).rejects.toThrow('ENOENT');
  });

  test('an action without a handler dies of SIGINT', async () => {
    const result = await run(`console.log('one'); console.log('two');${keepAlive}`, {
      cancelAfter: (lines) => lines.includes('two'),
    });
    expect(result).toMatchObject({
      exitCode: null,
      signal: 'SIGINT',
      conclusion: 'cancelled',
      log: 'one\ntwo',
    });
  });

  test('an action that ignores SIGINT gets SIGTERM after 7.5 s and SIGKILL 2.5 s later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const action = await start(
      `for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => console.log('ignored ' + name));
       console.log('ready');${keepAlive}`,
    );
    await action.line('ready');
    action.cancel();
    await action.line('ignored SIGINT');
    vi.advanceTimersByTime(7_499);
    expect(vi.getTimerCount()).toBe(2);
    vi.advanceTimersByTime(1);
    await action.line('ignored SIGTERM');
    vi.advanceTimersByTime(2_499);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await action.done).toMatchObject({ exitCode: null, signal: 'SIGKILL', conclusion: 'cancelled' });
  });

  test('kill9 leaves no time for anything', async () => {
    const action = await start(
      `process.on('SIGTERM', () => console.log('no')); console.log('ready');${keepAlive}`,
    );
    await action.line('ready');
    action.kill9();
    expect(await action.done).toMatchObject({ signal: 'SIGKILL', conclusion: 'failure', log: 'ready' });
  });

  test('post runs after kill9, with the state saved until then and what is in RUNNER_TEMP', async () => {
    const post = `
      import * as core from ${core}; import { readFileSync } from 'node:fs';
      core.setOutput('seen', core.getState('pid') + ' ' + readFileSync(process.env.RUNNER_TEMP + '/journal', 'utf8'));
      console.log('still masked: hunter2');`;
    await script(post, 'post.mjs');
    const action = await start(`
      import * as core from ${core}; import { writeFileSync } from 'node:fs';
      core.setSecret('hunter2'); core.saveState('pid', process.pid);
      writeFileSync(process.env.RUNNER_TEMP + '/journal', 'stopped'); console.log('ready');${keepAlive}`);
    await action.line('ready');
    action.kill9();
    const result = await runPost(await action.done);
    expect(result).toMatchObject({ exitCode: 0, signal: null, conclusion: 'success' });
    expect(result.outputs).toEqual({ seen: `${action.pid} stopped` });
    expect(result.log).toBe('still masked: ***');
  });

  test('a line that never comes is an error once the action ended', async () => {
    const action = await start(`console.log('only this')`);
    await expect(action.line('something else')).rejects.toThrow(
      'No line matches something else in:\nonly this',
    );
    expect(await action.line(/only/)).toBe('only this');
  });

  test('a workspace that is missing is an error of done', async () => {
    const action = await start('', { workspace: join(workspace, 'nowhere') });
    await expect(action.done).rejects.toThrow('ENOENT');
  });
});
