/** What tests share that do to a real server what a run does. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LineStore, StepRun, SwitchedOff } from '../../src/environments/environment.ts';
import type { UpgradeError } from '../../src/errors.ts';

/** Asks until the answer is there. */
export async function until<T>(
  question: () => Promise<T>,
  done: (answer: T) => boolean,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (done(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s, last answer: ${JSON.stringify(answer)}`);
    await sleep(20);
  }
}

/** What a promise was rejected with; fails the test where it was not. */
export async function failureOf(promise: Promise<unknown>): Promise<UpgradeError> {
  const thrown = await promise.then(
    (value) => new Error(`did not fail: ${JSON.stringify(value)}`),
    (cause: unknown) => cause,
  );
  return thrown as UpgradeError;
}

/** Command lines of the processes on this machine that mention `text`. */
export async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter(
    (name) => /^\d+$/.test(name) && name !== `${process.pid}`,
  )) {
    const line = (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (line.includes(text)) found.push(line);
  }
  return found;
}

/** What a step told while it ran. */
export interface Told {
  progress: string[];
  notes: string[];
  off: SwitchedOff[];
  back: string[];
}

/** A step's run that remembers everything, and writes to the journal what a real one writes there. */
export function stepRunOf(
  journal?: LineStore,
  signal: AbortSignal = new AbortController().signal,
): { run: StepRun; told: Told } {
  const told: Told = { progress: [], notes: [], off: [], back: [] };
  const run: StepRun = {
    signal,
    backupFolder: null,
    progress: (text) => void told.progress.push(text),
    note: (line) => void told.notes.push(line),
    async switchOff(entry) {
      await journal?.append(JSON.stringify({ kind: 'switched-off', at: new Date().toISOString(), entry }));
      told.off.push(entry);
    },
    isBack: async (id) => void told.back.push(id),
  };
  return { run, told };
}
