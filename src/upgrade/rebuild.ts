/** Rebuilding one index of a live database: in the journal while it lasts, so that nothing half-built is forgotten. */
import type { StepRun } from '../environments/environment.ts';
import { leftBehind, rebuildIndex, sweepIndex } from '../postgres/maintain.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** Begin of the journal's entries for indexes that are being rebuilt. */
export const halfBuilt = 'half-built:';

/** The entry's detail. */
interface Rebuilt {
  database: string;
  index: string;
}

/** How often somebody who waits is told that it goes on, in milliseconds. */
const beat = 10_000;

/**
 * @param index qualified and quoted
 * @param sql the REINDEX
 * @throws what rebuildIndex throws
 */
export async function rebuild(
  run: Run,
  step: StepRun,
  { database, index }: Rebuilt,
  sql: string,
): Promise<void> {
  const connect = () => connectTo(run, database, 0);
  const id = `${halfBuilt}${database}:${index}`;
  await step.switchOff({
    id,
    what: `index ${index} of ${database} is being rebuilt`,
    detail: { database, index } satisfies Rebuilt,
  });
  const begun = Date.now();
  const timer = setInterval(() => {
    step.progress(`${database}: ${index} is being rebuilt, ${Math.round((Date.now() - begun) / 1000)} s`);
  }, beat);
  try {
    await rebuildIndex(connect, index, sql, step.signal);
    await step.isBack(id);
  } catch (cause) {
    if ((await leftBehind(connect, index).catch(() => ['?'])).length === 0) await step.isBack(id);
    throw cause;
  } finally {
    clearInterval(timer);
  }
}

/** Puts back such an entry, in any later job. @throws UpgradeError `index-left` */
export async function sweep(run: Run, detail: unknown): Promise<void> {
  const { database, index } = detail as Rebuilt;
  await sweepIndex(() => connectTo(run, database, 0), index);
}
