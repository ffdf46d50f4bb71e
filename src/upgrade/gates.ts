/** What a spec demands before an upgrade: its maintenance window, the earlier waves, a rehearsal. */
import { explanation, UpgradeError, UpgradeErrors } from '../errors.ts';
import { refusedNow } from '../report/plan-words.ts';
import type { Gate } from '../report/record.ts';
import { durationWords } from '../spec/duration.ts';
import { recordOverride } from './overrides.ts';
import { whyNotRehearsed } from './rehearsal-gate.ts';
import { basisOf, lastRehearsal } from './rehearsed.ts';
import type { Run } from './target.ts';
import { waitingFor } from './waves.ts';
import { momentWords, spanWords, windowAt, windowWords } from './window.ts';

/** One gate that is closed. */
interface Refusal {
  gate: Gate;
  error: UpgradeError;
}

function nevertheless(gate: Gate): string {
  return `To go ahead nevertheless, a person names it: input override: ${gate}. The record shows who did.`;
}

function windowRefusal({ spec, context }: Run): UpgradeError | null {
  if (spec.windows.length === 0) return null;
  const now = context.now();
  const state = windowAt(spec.windows, now);
  const zone = state.window['time-zone'];
  if (state.open) {
    context.log.info(
      `${spec.name}: in the maintenance window ${windowWords(state.window)}, until ${momentWords(state.closes, zone)}`,
    );
    return null;
  }
  const next =
    state.opens === null
      ? 'None opens in the next two weeks.'
      : `The next one (${windowWords(state.window)}) opens in ${spanWords(state.opens.getTime() - now.getTime())}: ${momentWords(state.opens, zone)}.`;
  return new UpgradeError('window-closed', `No maintenance window of ${spec.name} is open. ${next}`, {
    phase: 'check',
    hint: `Run it again then. ${nevertheless('window')}`,
    docs: 'fleet.md#windows',
  });
}

async function waveRefusal({ spec, target, context }: Run): Promise<UpgradeError | null> {
  const waits = await waitingFor(target, target.fleet.targets, context);
  if (waits.length === 0) return null;
  return new UpgradeError(
    'wave-waits',
    `${spec.name} (wave ${spec.wave}) waits for ${waits.length === 1 ? 'a target' : `${waits.length} targets`} of an earlier wave. ${waits.join('; ')}.`,
    {
      phase: 'check',
      hint: `Upgrade the earlier waves first, and let them soak. ${nevertheless('wave')}`,
      docs: 'fleet.md#waves',
    },
  );
}

async function rehearsalRefusal(run: Run): Promise<UpgradeError | null> {
  const { spec, recorder, context } = run;
  const limit = spec['require-rehearsal'];
  const { from } = recorder.record.versions;
  if (limit === undefined || from === null) return null;
  const last = await lastRehearsal(run, from, spec.postgres, basisOf(run));
  const other = last === null && (await lastRehearsal(run, from, spec.postgres)) !== null;
  const why = other
    ? `the rehearsals from ${from} to ${spec.postgres} that are known here were judged by other health SQL, smoke queries or checks than this spec has`
    : whyNotRehearsed(last, from, spec.postgres, limit, context.now());
  if (why === null) return null;
  return new UpgradeError(
    'rehearsal-missing',
    `${spec.name} demands a rehearsal from ${from} to ${spec.postgres} that passed in the last ${durationWords(limit)}. ${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    {
      phase: 'check',
      hint: `Rehearse it: run the action with mode: rehearse and targets: ${spec.name}. ${nevertheless('rehearsal')}`,
      docs: 'fleet.md#require-rehearsal',
    },
  );
}

async function refusalsOf(run: Run): Promise<Refusal[]> {
  const asked: [Gate, UpgradeError | null][] = [
    ['window', windowRefusal(run)],
    ['wave', await waveRefusal(run)],
    ['rehearsal', await rehearsalRefusal(run)],
  ];
  return asked.flatMap(([gate, error]) => (error === null ? [] : [{ gate, error }]));
}

/**
 * Asks every gate before an upgrade begins. A refusal that a person overrides by name is in the record instead.
 * @throws UpgradeErrors with all others: `window-closed`, `wave-waits`, `rehearsal-missing`
 */
export async function assertGates(run: Run): Promise<void> {
  const { context, spec } = run;
  const refusals = await refusalsOf(run);
  for (const { gate, error } of refusals) if (context.overrides.has(gate)) recordOverride(run, gate, error);
  for (const gate of context.overrides)
    if (!refusals.some((refusal) => refusal.gate === gate))
      context.log.info(`${spec.name}: the override of ${gate} was not needed`);
  const left = refusals.filter(({ gate }) => !context.overrides.has(gate));
  if (left.length > 0) throw new UpgradeErrors(left.map(({ error }) => error));
}

/** Modes `plan` and `check`: says what an upgrade would be refused for at this time, and refuses nothing. */
export async function tellGates(run: Run): Promise<void> {
  const { context, recorder, spec, target } = run;
  if (recorder.record.versions.from === spec.postgres) return;
  for (const { gate, error } of await refusalsOf(run)) {
    const how = context.overrides.has(gate) ? `need its override of ${gate}` : 'be refused';
    const begin = context.overrides.has(gate) ? `At this time an upgrade would ${how}: ` : refusedNow(gate);
    recorder.record.plan?.notes.push(`${begin}${error.message}`);
    context.log.annotate({
      level: 'notice',
      title: `${spec.name}: at this time an upgrade would ${how}`,
      message: explanation(error),
      place: target.place,
    });
  }
  recorder.save();
}
