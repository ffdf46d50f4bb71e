/** One run on a target of the restore tests; as a program of its own, one that kills itself where it is told to. */
import pg from 'pg';
import type { Mode, UpgradeRecord } from '../../src/report/record.ts';
import type { LoadedTarget } from '../../src/spec/load.ts';
import type { RunContext } from '../../src/upgrade/context.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import { world } from './world.ts';

/** What a run needs to know. */
export interface Wish {
  mode: Mode;
  url: string;
  data: string;
  port: number;
  output: string;
  /** Lines of the target in the spec. */
  more: string;
  /** Source of a pattern: the process is killed right before, or right behind, the first query that matches. */
  killBefore?: string;
  killAfter?: string;
}

export function targetOf(wish: Wish): LoadedTarget {
  const [target] = load(
    [
      'version: 1',
      'targets:',
      '  - name: orders',
      '    postgres: "15.18"',
      '    connection: env:ORDERS_URL',
      `    environment: { kind: embedded, data: ${wish.data}, port: ${wish.port} }`,
      wish.more,
      '',
    ].join('\n'),
  );
  if (!target) throw new Error('the spec has no target');
  return target;
}

export async function contextOf(wish: Wish): Promise<RunContext & Disposable> {
  const here = await world({ mode: wish.mode });
  return {
    ...here.run.context,
    variables: { ORDERS_URL: wish.url },
    outputDirectory: wish.output,
    now: () => new Date(),
    [Symbol.dispose]: () => here[Symbol.dispose](),
  };
}

export async function runWish(wish: Wish): Promise<UpgradeRecord> {
  using context = await contextOf(wish);
  return await runTarget(targetOf(wish), context);
}

/** Ends this process as a power cut would, at one exact query. */
function arm({ killBefore, killAfter }: Wish): void {
  const real = pg.Client.prototype.query as (...given: unknown[]) => unknown;
  const textOf = (given: unknown): string =>
    typeof given === 'string' ? given : String((given as { text?: string }).text ?? '');
  pg.Client.prototype.query = function (this: unknown, ...given: unknown[]): unknown {
    const text = textOf(given[0]);
    if (killBefore && new RegExp(killBefore).test(text)) process.kill(process.pid, 'SIGKILL');
    const answer = real.apply(this, given);
    if (!killAfter || !new RegExp(killAfter).test(text)) return answer;
    return (answer as Promise<unknown>).then(() => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    });
  } as typeof pg.Client.prototype.query;
}

if (process.env.RESTORE_WISH) {
  const wish = JSON.parse(process.env.RESTORE_WISH) as Wish;
  arm(wish);
  const record = await runWish(wish);
  console.log(`${record.result}: ${record.verdict}`);
}
