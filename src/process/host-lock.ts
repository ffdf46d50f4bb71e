/** A lock on a host that goes with this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpgradeError } from '../errors.ts';
import { cleanEnvironment } from './environment.ts';
import { letGo } from './let-go.ts';
import { ConnectionLost, patiently } from './patience.ts';
import { lastLines } from './run.ts';
import { newMark, refusal, type ShellWay } from './shell-host.ts';
import { shellText } from './shell-text.ts';

/**
 * $1 the file, $2 who takes it, $3 a mark. One compound command: the shell has read all of it before it begins, and what
 * comes behind is for the last program. That ends with its input, or where nothing came for a minute: a connection that
 * was cut without a word would otherwise hold the lock for hours.
 */
const holdScript = (mark: string): string => `
umask 077
mkdir -p -- "$(dirname -- "$1")" && touch -- "$1" && [ -f "$1" ] || { echo "${mark} failed"; exit 1; }
exec 9<>"$1"
if flock --nonblock 9; then
  printf '%s\\n' "$2" >"$1"
  echo "${mark} held"
  exec bash -c 'while read -r -t 60 _; do :; done' <&8
fi
echo "${mark} taken $(head -c 500 -- "$1" | head -n 1)"
`;

/** Milliseconds between two signs of life. */
const beat = 15_000;

/** The locks of a host. */
export interface Locks {
  /** See `Host.hold`. */
  hold(path: string, who: string): Promise<string | null>;
  close(): void;
}

/** The locks of the host at the end of a way. */
export function locksOf(way: ShellWay): Locks {
  const held = new Map<string, ChildProcess>();
  let closed = false;

  /** Takes it once. @throws ConnectionLost, UpgradeError */
  const take = async (path: string, who: string): Promise<string | null> => {
    await way.open();
    const mark = newMark();
    const [program, ...args] = way.shell(null);
    const child = spawn(program, args, { env: cleanEnvironment(), cwd: '/', detached: true });
    const answer = await answerOf(way, child, mark, path, who);
    if (answer !== null) return answer;
    if (closed) {
      child.kill();
      return null;
    }
    held.set(path, child);
    const alive = setInterval(() => child.stdin?.write('\n'), beat).unref();
    const gone = (): void => {
      clearInterval(alive);
      if (held.get(path) !== child) return;
      held.delete(path);
      void again(path, who);
    };
    if (child.exitCode === null && child.signalCode === null) child.once('exit', gone);
    else gone();
    return null;
  };

  /** Takes it again, however long that lasts. */
  const again = async (path: string, who: string): Promise<void> => {
    let told = false;
    for (let pause = 50; !closed && !held.has(path); pause = Math.min(pause * 2, 5000)) {
      const other = await take(path, who).catch(() => null);
      if (other !== null && other !== who && !told) {
        told = true;
        way.warn(
          `The connection to ${way.name} was lost, and with it the lock ${path}. Now it is held by ${other}.`,
        );
      }
      if (!held.has(path)) await sleep(pause, undefined, { ref: false });
    }
  };

  return {
    async hold(path, who) {
      if (held.has(path)) return null;
      const line = who.replaceAll(/\s+/g, ' ');
      const patience = { name: way.name, repeatable: true, progress: way.progress };
      return patiently(patience, () => take(path, line));
    },
    close() {
      closed = true;
      for (const child of held.values()) {
        child.stdin?.end();
        child.kill();
      }
      held.clear();
    },
  };
}

/** Null where it is held; else by whom. Then nothing keeps this process from ending any longer. */
async function answerOf(
  way: ShellWay,
  child: ChildProcess,
  mark: string,
  path: string,
  who: string,
): Promise<string | null> {
  let stdout = '';
  let stderr = '';
  const { stdin } = child;
  stdin?.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-4096);
  });
  const said = new Promise<string | null>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout = (stdout + chunk).slice(-65_536);
      const line = new RegExp(`^${mark} (held|taken|failed)(.*)\n`, 'm').exec(stdout);
      if (line?.[1] === 'held') resolve(null);
      if (line?.[1] === 'taken') resolve(line[2]?.trim() || 'somebody');
      if (line?.[1] === 'failed')
        reject(
          new UpgradeError('host-file', `The lock ${path} on ${way.name} cannot be made.`, {
            hint: lastLines(stderr.replaceAll(`${mark}\n`, '')) || 'There is something else of that name.',
          }),
        );
    });
    child.on('error', reject);
    child.once('close', async (code: number | null) =>
      reject(
        stdout.includes(`${mark}\n`)
          ? new ConnectionLost(lastLines(stderr), true)
          : await refusal(way, code ?? 128, `${stdout}\n${stderr}`),
      ),
    );
  });
  // Descriptor 8 is the shell's input: what runs inside has none.
  stdin?.write(`exec 8<&0\n${shellText(mark, { text: holdScript(mark), args: [path, who] })}`);
  const answer = await said;
  if (answer !== null) child.kill();
  letGo(child);
  return answer;
}
