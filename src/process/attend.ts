/** A script on a host that lives as long as somebody here attends to it: it ends with this process, however that ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { UpgradeError } from '../errors.ts';
import { cleanEnvironment } from './environment.ts';
import { ConnectionLost } from './patience.ts';
import { lastLines } from './run.ts';
import { newMark, refusal, type ShellWay } from './shell-host.ts';
import { shellText } from './shell-text.ts';

/** A script at work. */
export interface Attended {
  /** Lets it end, and waits for that, ten seconds at most. */
  end(): Promise<void>;
}

/** Milliseconds between two signs of life. */
const beat = 15_000;

/**
 * Starts a script and waits until it prints its last argument, a mark. From then on it should wait for the end of
 * descriptor 8, or for a minute without a line there, and put away what it made.
 * @throws UpgradeError `attended` with what it said where it ended before, `become`, `ssh-lost`
 */
export async function attend(
  way: ShellWay,
  text: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Attended> {
  await way.open(signal);
  const mark = newMark();
  const [program, ...rest] = way.shell(null);
  const child = spawn(program, rest, { env: cleanEnvironment(), cwd: '/', detached: true });
  const stop = (): void => void child.stdin.end();
  child.stdin.on('error', () => {});
  signal.addEventListener('abort', stop, { once: true });
  const said = readyOf(way, child, mark);
  child.stdin.write(`exec 8<&0\n${shellText(mark, { text, args: [...args, `${mark}-ready`] })}`);
  try {
    await said;
  } catch (cause) {
    stop();
    throw cause;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const alive = setInterval(() => child.stdin.write('\n'), beat).unref();
  child.once('exit', () => clearInterval(alive));
  return {
    async end() {
      clearInterval(alive);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      stop();
      const timer = setTimeout(() => child.kill(), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readyOf(way: ShellWay, child: ChildProcess, mark: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-16_384);
    });
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout = (stdout + chunk).slice(-16_384);
      if (stdout.includes(`${mark}-ready\n`)) resolve();
    });
    child.once('error', reject);
    child.once('close', async (code: number | null) => {
      if (!stdout.includes(`${mark}\n`))
        return reject(await refusal(way, code ?? 128, `${stdout}\n${stderr}`));
      if (way.remote && !(await way.alive())) return reject(new ConnectionLost(lastLines(stderr), true));
      reject(
        new UpgradeError('attended', `What was started on ${way.name} ended at once.`, {
          hint: lastLines(stderr.replaceAll(new RegExp(`^${mark}.*$`, 'gm'), '')) || 'It said nothing.',
        }),
      );
    });
  });
}
