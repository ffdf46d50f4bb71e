/** Outputs that the runner drops between jobs because a mask stands in them. */
import type { Log } from '../process/log.ts';
import type { Secrets } from '../process/secrets.ts';
import { isMasked } from './inputs.ts';

/** Names of the outputs whose value holds something that is masked. Pure. */
export function droppedOutputs(
  outputs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  secrets: Secrets,
): string[] {
  const masks = Object.values(variables).filter(isMasked);
  return Object.entries(outputs)
    .filter(([, value]) => secrets.hide(value) !== value || masks.some((mask) => value.includes(mask)))
    .map(([name]) => name);
}

/** The runner only warns, in another place: an upgrade would then be asked for without its digest. */
export function tellDropped(
  outputs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
  secrets: Secrets,
  log: Log,
): void {
  const names = droppedOutputs(outputs, variables, secrets);
  if (names.length === 0) return;
  log.annotate({
    level: names.includes('plan-digest') ? 'error' : 'warning',
    title: 'outputs',
    message: `A masked value stands in ${names.length === 1 ? 'the output' : 'the outputs'} ${names.join(', ')}: another job does not get ${names.length === 1 ? 'it' : 'them'}.\nA value of the input variables, or a password, is too short or too common. Take another one; what is no secret belongs into the step's env.`,
  });
}
