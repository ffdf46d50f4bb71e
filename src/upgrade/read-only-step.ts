/** Refusing writes for the time of the change, and accepting them again, whatever happens. */
import type { Step, StepRun, SwitchedOff } from '../environments/environment.ts';
import { Cancelled, UpgradeError } from '../errors.ts';
import type { Connection } from '../postgres/connection.ts';
import type { HookSpec, ReadOnlySpec } from '../spec/read-only-schema.ts';
import { connectTo } from './connect.ts';
import { callHook, shownCall } from './read-only-hook.ts';
import { endOldSessions, preparedTransactions } from './read-only-sessions.ts';
import {
  described,
  type Held,
  lookAtScope,
  putBackSetting,
  type Scope,
  setReadOnly,
  setting,
} from './read-only-settings.ts';
import { type Asked, askedOf, assertRefusesWrites, lookBefore, stillReadOnly } from './read-only-verify.ts';
import { putBackAll, type Run } from './target.ts';

const prefix = 'read-only:';
const hookEntry = `${prefix}hook`;

/** Whether a journal's entry is something that refuses writes. */
export function isReadOnly({ id }: SwitchedOff): boolean {
  return id.startsWith(prefix);
}

/** Databases and roles that are read-only by our doing, and what they had before; read from the journal. Pure. */
export function heldReadOnly(outstanding: readonly SwitchedOff[]): Held[] {
  return outstanding
    .filter((entry) => isReadOnly(entry) && entry.id !== hookEntry)
    .map(({ detail }) => (detail as { held: Held }).held);
}

/**
 * Refuses writes: the journal first, then hook and settings, then the sessions that began before them.
 * @throws Cancelled, UpgradeError `read-only-standby`, `read-only-unknown`, `read-only-overridden`, `read-only-verify`,
 * `read-only-hook`, `read-only-sessions`, `read-only-not-active`
 */
export function readOnlyStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      const spec = run.spec['read-only'];
      if (!spec) return { state: 'done' };
      await using connection = await connectTo(run);
      const { held, asked, before } = await lookAtReadOnly(run, connection, spec);
      if (step.signal.aborted) throw new Cancelled();
      await enter(run, step, spec, held, before);
      await setReadOnly(connection, held);
      for (const each of held) step.note(`${described(each)}: ${setting} = on`);
      await endAndTell(connection, spec, step);
      await assertRefusesWrites(connection, asked);
      step.note(
        `verified in a new session: a write fails with 25006 (${asked.map(({ what }) => what).join(', ')})`,
      );
      return { state: 'done' };
    },
  };
}

/**
 * Looks whether writes can be refused as the spec says, and whether that can be verified. Reads only: a plan may ask it.
 * @returns `before`: whether new sessions are read-only already
 * @throws UpgradeError `read-only-standby`, `read-only-unknown`, `read-only-overridden`, `read-only-verify`,
 * `read-only-sessions`, `secret-missing`, `connection-url`
 */
export async function lookAtReadOnly(
  run: Run,
  connection: Connection,
  spec: ReadOnlySpec,
): Promise<{ held: Held[]; asked: Asked[]; before: boolean }> {
  await assertPossible(connection);
  const held = await lookAtScope(connection, spec);
  const asked = await askedOf(run, spec);
  const seen = await lookBefore(connection, asked, spec);
  return { held, asked, before: seen.includes(true) };
}

/** A session that cannot be seen could not be ended. @throws UpgradeError `read-only-standby`, `read-only-sessions` */
async function assertPossible(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ standby: boolean; stats: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS stats`,
  );
  if (row?.standby === true)
    throw new UpgradeError(
      'read-only-standby',
      'The target is a standby: it accepts no writes, and no settings.',
      {
        phase: 'upgrade',
        hint: 'Nothing was made read-only. Remove read-only from the spec of this target.',
        docs: 'read-only.md#databases-and-roles',
      },
    );
  if (row?.stats !== true)
    throw new UpgradeError(
      'read-only-sessions',
      'The user of the connection does not see sessions of others.',
      {
        phase: 'upgrade',
        hint: 'Nothing was made read-only. Use a superuser.',
        docs: 'read-only.md#sessions',
      },
    );
}

/** Everything is in the journal before the first of it is done. The hook comes first, so that it is left last. */
async function enter(
  run: Run,
  step: StepRun,
  { hook }: ReadOnlySpec,
  held: readonly Held[],
  before: boolean,
): Promise<void> {
  const until = run.environment.applicationsOffUntil?.(run.recorder.record.plan?.route ?? '') ?? null;
  const rest = until ? { until } : {};
  if (hook) {
    await step.switchOff({
      id: hookEntry,
      what: `the application is read-only (${shownCall(hook.enter)})`,
      detail: { hook, before },
      ...rest,
    });
  }
  for (const each of held)
    await step.switchOff({
      id: `${prefix}${each.kind}:${each.name}`,
      what: `${described(each)} is read-only`,
      detail: { held: each, before },
      ...rest,
    });
  if (hook) {
    await callHook(run, hook, 'enter', step.signal);
    step.note(`${shownCall(hook.enter)} answered well`);
  }
}

async function endAndTell(connection: Connection, scope: Scope, step: StepRun): Promise<void> {
  const ended = await endOldSessions(connection, scope, step);
  step.note(
    ended === 0 ? 'no session had to be ended' : `${ended === 1 ? '1 session' : `${ended} sessions`} ended`,
  );
  const prepared = await preparedTransactions(connection, scope);
  if (prepared > 0)
    step.note(
      `${prepared === 1 ? '1 prepared transaction' : `${prepared} prepared transactions`} can still be committed: COMMIT PREPARED is no write of its own`,
    );
}

/** @throws what could not be put back, UpgradeError `read-only-left` */
export function readWriteStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      const spec = run.spec['read-only'];
      const entries = run.journal.state().outstanding.filter(isReadOnly);
      const [failure] = await putBackAll(run, isReadOnly);
      if (failure) throw failure;
      if (!spec || entries.length === 0) {
        step.note('writes were accepted again before this step');
        return { state: 'done' };
      }
      await using connection = await connectTo(run);
      const left = await stillReadOnly(connection, await askedOf(run, spec));
      const before = entries.some(({ detail }) => (detail as { before?: boolean }).before === true);
      if (left.length > 0 && !before) throw notLeft(left);
      step.note(
        left.length > 0
          ? 'put back as it was: new sessions are read-only, as they were before this run'
          : 'verified in a new session: it is not read-only',
      );
      return { state: 'done' };
    },
  };
}

function notLeft(left: readonly Asked[]): UpgradeError {
  return new UpgradeError(
    'read-only-left',
    `Everything was put back, and a new session is read-only all the same: ${left.map(({ what }) => what).join(', ')}.`,
    {
      phase: 'upgrade',
      hint: `Somebody else made it so meanwhile: look at ${setting} of the server, the database and the role (\\drds in psql).`,
      docs: 'read-only.md#putting-back',
    },
  );
}

/**
 * Puts one such entry back: by this run, or for a dead one. Sessions that began meanwhile would stay read-only for as
 * long as they live: they are ended, so that pools open new ones.
 * @throws UpgradeError `read-only-hook`, `read-only-sessions`, and what the server says
 */
export async function acceptWrites(run: Run, entry: SwitchedOff, step: StepRun): Promise<void> {
  if (entry.id === hookEntry) return await leaveHook(run, (entry.detail as { hook: HookSpec }).hook, step);
  const { held } = entry.detail as { held: Held };
  await using connection = await connectAlive(run, step);
  if (!(await putBackSetting(connection, held))) return;
  const scope: Scope =
    held.kind === 'database' ? { databases: [held.name], roles: [] } : { databases: [], roles: [held.name] };
  if (held.before !== 'on') await endOldSessions(connection, scope, step);
}

/** The spec of today wins, as with applications: an address that was wrong may have been mended since. */
async function leaveHook(run: Run, then: HookSpec, step: StepRun): Promise<void> {
  const { mode, planDigest } = run.context;
  const approved = planDigest !== '' && mode !== 'rollback';
  const hook = approved ? then : (run.spec['read-only']?.hook ?? then);
  await callHook(run, hook, 'leave', step.signal);
}

/** A server that crashed meanwhile is started again first: nobody could be told anything else. */
async function connectAlive(run: Run, step: StepRun): Promise<Connection> {
  try {
    return await connectTo(run);
  } catch (cause) {
    if (!run.environment.revive) throw cause;
    await run.environment.revive(step);
    return await connectTo(run);
  }
}
