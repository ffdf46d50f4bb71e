/** Waves: a target waits until all targets of earlier waves run their versions and were green for `soak`. */
import { formatTime } from '../report/format.ts';
import { durationWords, milliseconds } from '../spec/duration.ts';
import type { LoadedTarget } from '../spec/load.ts';
import type { RunContext } from './context.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { spanWords } from './window.ts';

/** Targets that are looked at together: GitHub refuses a client that asks too much at once. */
const atOnce = 8;

/**
 * Why a target is not green: what is known says otherwise, or nothing is known. Null where it is. Pure.
 * @param wanted version that the spec asks for
 * @param soak as the spec writes it
 */
export function whyNotGreen(
  { outcomes, unreadable }: Evidence,
  wanted: string,
  soak: string,
  now: Date,
): string | null {
  // What cannot be read may be the news that the rest does not have.
  if (unreadable.length > 0) return unreadable.join('; ');
  const [last] = outcomes.toSorted((a, b) => b.at - a.at);
  if (!last) return `no upgrade to ${wanted} by this action is known here`;
  if (last.result === 'paused') return 'its upgrade is paused';
  if (last.result === null) return 'its last run has not ended';
  const ended = new Date(last.at);
  const at = formatTime(ended.toISOString());
  if (last.result !== 'success') return `its last run ended ${last.result} at ${at}`;
  if (last.version !== wanted)
    return `its last upgrade led to ${last.version ?? 'an unknown version'}, and the spec asks for ${wanted}`;
  const left = last.at + milliseconds(soak) - now.getTime();
  if (left <= 0) return null;
  return `green since ${at}, and must be for ${durationWords(soak)}: ${spanWords(left)} to go`;
}

/**
 * What a target waits for, one sentence for each target of an earlier wave that is not green: `stock (wave 1): its
 * upgrade is paused`. Empty where it may start. Opens no target and needs no secret. Never throws.
 * @param all all targets of the spec (`target.fleet.targets`)
 */
export async function waitingFor(
  target: LoadedTarget,
  all: readonly LoadedTarget[],
  context: RunContext,
): Promise<string[]> {
  const earlier = all
    .filter(({ spec }) => spec.wave < target.spec.wave)
    .toSorted((a, b) => a.spec.wave - b.spec.wave);
  const reasons: (string | null)[] = [];
  for (let first = 0; first < earlier.length; first += atOnce)
    reasons.push(
      ...(await Promise.all(
        earlier.slice(first, first + atOnce).map(async (other) => {
          const { name, wave, postgres } = other.spec;
          const evidence = await evidenceOf(other, context);
          const why = whyNotGreen(evidence, postgres, target.fleet.soak, context.now());
          return why === null ? null : `${name} (wave ${wave}): ${why}`;
        }),
      )),
    );
  return reasons.filter((reason) => reason !== null);
}
