/** Refusals that a person overrides by name: who did, and what was overridden, is in the record. */
import { hostname, userInfo } from 'node:os';
import type { UpgradeError } from '../errors.ts';
import type { Gate } from '../report/record.ts';
import { channel, type RunContext } from './context.ts';
import type { Run } from './target.ts';

/** Whoever started the run: the actor on GitHub, else the user of this machine. */
export function actorOf({ identity }: RunContext): string {
  if (identity) return identity.actor;
  try {
    return `${userInfo().username} on ${hostname()}`;
  } catch {
    // A user without a name, as in a container.
    return `user ${process.getuid?.() ?? 'unknown'} on ${hostname()}`;
  }
}

/** Writes down that a refusal was overridden: record, annotation, communication log. */
export function recordOverride(run: Run, gate: Gate, refusal: UpgradeError): void {
  const { recorder, context, spec, target } = run;
  const by = actorOf(context);
  recorder.record.overrides.push({ gate, by, what: refusal.message });
  recorder.tell(channel(context), `Override of ${gate} by ${by}: ${refusal.message}`);
  context.log.annotate({
    level: 'warning',
    title: `${spec.name}: override of ${gate}`,
    message: `${by} overrode this refusal (${refusal.code}): ${refusal.message}`,
    place: target.place,
  });
}
