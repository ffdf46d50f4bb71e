/**
 * Runs an action's script as actions/runner 2.336 does: its environment, its files, its reading of the
 * output, its way to cancel. Checked against that version's NodeScriptActionHandler, ActionCommand,
 * ActionCommandManager, FileCommandManager, SecretMasker and ProcessInvoker.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prepare } from './runner-environment.ts';
import { addSecret, readLines, readPairs, readSummary, type Step, takeLine } from './runner-log.ts';

export interface ActionOptions {
  /** The script, from the repository's root. */
  entry: string;
  /** `with:`; what it leaves out comes from `actionFile`. */
  inputs?: Readonly<Record<string, string>>;
  /** Declares the inputs and their defaults; the repository's action.yml unless given. Without the file, none. */
  actionFile?: string;
  /** Goes over the fabricated environment; of the caller's own only PATH, HOME, RUNNER_TOOL_CACHE and the way to the network pass. */
  env?: Readonly<Record<string, string>>;
  workspace: string;
  event?: { name: string; payload: unknown };
  /** Masked from the start, as a job's secrets are. */
  secrets?: readonly string[];
  /** Asked after every line of the log; the step is cancelled when it first says yes. */
  cancelAfter?: (lines: readonly string[]) => boolean;
  /** runAction only: then runs the post script too. */
  post?: true;
}

export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  message: string;
  /** Relative to the workspace where it is inside. */
  file?: string;
  line?: number;
  col?: number;
  title?: string;
}

export interface Result extends AsyncDisposable {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** What GitHub would show: a cancelled step is that whatever its exit code. */
  conclusion: 'success' | 'failure' | 'cancelled';
  /** As a reader of the job's log sees it: commands carried out, masks applied. */
  log: string;
  /** The lines as they came, secrets and commands included. */
  rawLog: string;
  outputs: Record<string, string>;
  state: Record<string, string>;
  summary: string;
  /** It was over 1 MiB; the runner then shows none. */
  summaryDropped: boolean;
  /** The first ten of each level and 4096 characters of each: GitHub drops the rest. */
  annotations: Annotation[];
  /** Values of `::add-mask::`, in order. */
  masks: string[];
  durationMs: number;
  firstLineMs: number | null;
  /** With `post: true`. */
  post?: Result;
  job: Job;
}

export interface RunningAction extends AsyncDisposable {
  pid: number;
  /** The first line of the log, past or to come, that matches; rejects when the action ends without one. */
  line(pattern: string | RegExp): Promise<string>;
  /** SIGINT to the node process alone, SIGTERM 7.5 s later, SIGKILL 2.5 s after that. */
  cancel(): void;
  /** SIGKILL: the runner's machine went away. */
  kill9(): void;
  done: Promise<Result>;
}

/** What the stages of one job share. */
export interface Job {
  options: ActionOptions;
  /** RUNNER_TEMP; removed with the result unless the caller gave it. */
  temp: string;
  trackingId: string;
  masked: Set<string>;
}

const root = resolve(import.meta.dirname, '../..');

/** Runs the script to its end; dispose of the result to remove RUNNER_TEMP and end what the action left running. */
export async function runAction(options: ActionOptions): Promise<Result> {
  const result = await startAction(options).done;
  return options.post ? { ...result, post: await runPost(result) } : result;
}

export function startAction(options: ActionOptions): RunningAction {
  const temp = options.env?.RUNNER_TEMP ?? mkdtempSync(join(tmpdir(), 'runner-'));
  // As on GitHub: a server that runs as another user may pass through.
  if (!options.env?.RUNNER_TEMP) chmodSync(temp, 0o755);
  const job: Job = { options, temp, trackingId: `github_${randomUUID()}`, masked: new Set() };
  const { ACTIONS_RUNTIME_TOKEN = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN = '' } = options.env ?? {};
  for (const secret of [...(options.secrets ?? []), ACTIONS_RUNTIME_TOKEN, ACTIONS_ID_TOKEN_REQUEST_TOKEN]) {
    addSecret(job.masked, secret);
  }
  return startStage(job, options.entry, {});
}

/**
 * Runs the post script beside the main one: same inputs, main's state as STATE_<key>, fresh files. After a
 * SIGKILL too, with the state that was saved until then.
 */
export function runPost(main: Result, env: Readonly<Record<string, string>> = {}): Promise<Result> {
  const { cancelAfter: _, ...options } = main.job.options;
  const job = { ...main.job, options: { ...options, env: { ...options.env, ...env } } };
  const entry = join(dirname(options.entry), `post${extname(options.entry)}`);
  const state = Object.entries(main.state).map(([key, value]) => [`STATE_${key}`, value]);
  return startStage(job, entry, Object.fromEntries(state)).done;
}

function startStage(job: Job, entry: string, state: Readonly<Record<string, string>>): RunningAction {
  const { options } = job;
  const { files, environment } = prepare(job);
  const step: Step = {
    job,
    outputs: {},
    state: {},
    annotations: [],
    masks: [],
    lines: [],
    raw: [],
    stoppedUntil: undefined,
    failed: false,
  };
  const linked = join(root, 'node_modules/.bin/node');
  const node = realpathSync(existsSync(linked) ? linked : process.execPath);
  const started = performance.now();
  const child = spawn(node, [resolve(root, entry)], {
    cwd: options.workspace,
    env: { ...environment, ...state },
  });
  child.stdin.end();
  let firstLineMs: number | null = null;
  let cancelled = false;
  let ended = false;
  const timers: NodeJS.Timeout[] = [];
  const waiting = new Set<() => void>();

  const cancel = () => {
    if (cancelled || ended) return;
    cancelled = true;
    child.kill('SIGINT');
    timers.push(
      setTimeout(() => child.kill('SIGTERM'), 7_500),
      setTimeout(() => child.kill('SIGKILL'), 10_000),
    );
  };
  const take = (line: string) => {
    firstLineMs ??= performance.now() - started;
    takeLine(step, line);
    for (const look of waiting) look();
    if (!cancelled && options.cancelAfter?.(step.lines)) cancel();
  };
  readLines(child.stdout, take);
  readLines(child.stderr, take);

  const closed = once(child, 'close');
  const finish = async (): Promise<Result> => {
    await once(child, 'exit');
    // A process left behind can hold the streams open; the runner gives it 5 s.
    await Promise.race([closed, delay(5_000, undefined, { ref: false })]);
    const durationMs = performance.now() - started;
    child.stdout.destroy();
    child.stderr.destroy();
    readPairs(step, 'output', files.GITHUB_OUTPUT, step.outputs);
    readPairs(step, 'state', files.GITHUB_STATE, step.state);
    const { outputs, state, annotations, masks } = step;
    const { exitCode, signalCode: signal } = child;
    return {
      ...{ exitCode, signal, outputs, state, annotations, masks, durationMs, firstLineMs, job },
      ...readSummary(step, files.GITHUB_STEP_SUMMARY),
      conclusion: cancelled ? 'cancelled' : exitCode !== 0 || step.failed ? 'failure' : 'success',
      log: step.lines.join('\n'),
      rawLog: step.raw.join('\n'),
      [Symbol.asyncDispose]: () => endJob(job),
    };
  };
  // A process that could not start rejects both; `done` is the one to hear it from.
  closed.catch(() => {});
  const done = finish().finally(() => {
    ended = true;
    for (const timer of timers) clearTimeout(timer);
    for (const look of waiting) look();
  });

  return {
    pid: child.pid ?? 0,
    line: (pattern) =>
      new Promise((found, missed) => {
        const look = () => {
          const line = step.lines.find((text) =>
            typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0,
          );
          if (line !== undefined) found(line);
          else if (ended) missed(new Error(`No line matches ${pattern} in:\n${step.lines.join('\n')}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    cancel,
    kill9: () => void child.kill('SIGKILL'),
    done,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await done.catch(() => {});
      await endJob(job);
    },
  };
}

/** The job's end: what still runs with the job's RUNNER_TRACKING_ID is killed, as the runner does. */
async function endJob({ options, temp, trackingId }: Job): Promise<void> {
  const pids = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (environment.split('\0').includes(`RUNNER_TRACKING_ID=${trackingId}`)) end(Number(pid));
  }
  if (!options.env?.RUNNER_TEMP) await rm(temp, { recursive: true, force: true });
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself between the look and the kill.
  }
}
