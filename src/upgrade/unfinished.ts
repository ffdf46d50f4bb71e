/** Whether an upgrade or a rollback of the target was begun and not finished: then no look at it may say that all is well. */
import { UpgradeError } from '../errors.ts';
import { formatVersion, type PgVersion } from '../postgres/version.ts';
import { command } from './finish.ts';
import { hasBegun, isAlive } from './journal.ts';
import type { Run } from './target.ts';

/**
 * A run that died in its backup has begun nothing: the next upgrade simply starts anew, so that it may be planned and
 * approved; except where it would be refused, or where the version runs that nobody has validated.
 * @param running version that serves; null where nothing does
 * @returns `unfinished` or `rollback-unfinished`, for whoever only looks; null where nothing is left to finish
 */
export function unfinishedUpgrade(run: Run, running: PgVersion | null): UpgradeError | null {
  const { journal, spec, wanted } = run;
  const state = journal.state();
  const { begin, outstanding } = state;
  if (!begin) return null;
  const back = begin.mode === 'rollback';
  const arrived = running !== null && formatVersion(running) === formatVersion(wanted);
  if (!back && !hasBegun(state) && !arrived && begin.wanted === spec.postgres) return null;
  const what = back
    ? `A rollback from ${begin.wanted} to ${begin.from}`
    : `An upgrade from ${begin.from} to ${begin.wanted}`;
  const alive = state.ended === null && isAlive(begin);
  const off =
    outstanding.length === 0
      ? ''
      : ` Still switched off: ${outstanding.map((each) => each.what).join('; ')}.`;
  return new UpgradeError(
    back ? 'rollback-unfinished' : 'unfinished',
    `${what} is ${alive ? 'at work' : 'unfinished'} (begun by ${begin.run}, ${begin.at}).${off}`,
    {
      phase: 'plan',
      hint: alive
        ? 'Wait until it has ended.'
        : back
          ? `Finish it first. ${command(run, 'rollback')}`
          : `${begin.wanted === spec.postgres ? 'mode: resume finishes it' : `With the version ${begin.wanted} in the spec mode: resume finishes it`}, mode: rollback goes back to ${begin.from}.`,
      docs: 'modes.md#after-a-run-that-did-not-end-well',
    },
  );
}
