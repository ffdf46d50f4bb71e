/**
 * Exchanges the present databases for their restored copies, all in one transaction, and puts back what a run left that
 * died on the way. Nothing that was there before is ever dropped.
 */
import { dropCopy } from '../backup/restore-into.ts';
import type { StepRun, SwitchedOff } from '../environments/environment.ts';
import { messageOf, UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent } from '../postgres/connection.ts';
import { connectTo } from './connect.ts';
import type { JournalEntry } from './journal.ts';
import { isCopyName, type Names } from './restore-names.ts';
import { restoreStep } from './restore-step-id.ts';
import type { Run } from './target.ts';

const swapId = 'restore-swap';
const copyPrefix = 'restore-copy:';

/** A database to exchange, and what it is like now; `present` is false where somebody dropped it since the backup. */
export interface Exchange extends Names {
  present: boolean;
  /** Whether it accepts connections: as before means so. */
  connections: boolean;
}

/** Whether a journal's entry is about a restore. */
export function isRestore({ id }: SwitchedOff): boolean {
  return id === swapId || id.startsWith(copyPrefix);
}

/** The entry of a copy, to be written before it is made. */
export function copyEntry({ database, copy }: Names): SwitchedOff {
  return {
    id: `${copyPrefix}${database}`,
    what: `a copy of ${database} that is being restored is there as ${copy}`,
    detail: { copy },
  };
}

/** The exchange that the lines of a journal tell of last; none where there was none. */
export function lastExchange(lines: readonly string[]): Exchange[] {
  for (const line of lines.toReversed()) {
    const entry = JSON.parse(line) as JournalEntry;
    if (entry.kind === 'switched-off' && entry.entry.id === swapId) return entry.entry.detail as Exchange[];
  }
  return [];
}

/** How long sessions may take to go. Milliseconds. */
const patience = 60_000;

/**
 * @param wait milliseconds until sessions that do not go end the attempt
 * @throws UpgradeError `restore-sessions`: nothing was exchanged then
 */
export async function exchange(
  run: Run,
  databases: readonly Exchange[],
  step: StepRun,
  wait = patience,
): Promise<void> {
  const present = databases.filter((each) => each.present).map(({ database }) => database);
  await step.switchOff({
    id: swapId,
    what: `${present.join(', ') || 'no database'}: no connections while the restored copies take their places`,
    detail: databases,
  });
  await using connection = await connectTo(run, 'postgres', 0);
  await connection.script('SET default_transaction_read_only = off');
  for (const name of present)
    await connection.script(`ALTER DATABASE ${quoteIdent(name)} ALLOW_CONNECTIONS false`);
  const all = [...present, ...databases.map(({ copy }) => copy)];
  const statements = databases.flatMap(({ database, copy, kept, ...each }) => [
    ...(each.present ? [`ALTER DATABASE ${quoteIdent(database)} RENAME TO ${quoteIdent(kept)}`] : []),
    `ALTER DATABASE ${quoteIdent(copy)} RENAME TO ${quoteIdent(database)}`,
    ...(each.connections ? [] : [`ALTER DATABASE ${quoteIdent(database)} ALLOW_CONNECTIONS false`]),
  ]);
  const end = performance.now() + wait;
  for (;;) {
    await endSessions(connection, all, end);
    try {
      // All or none: whoever comes after a killed run finds no half of it.
      await connection.script(`BEGIN; ${statements.join('; ')}; COMMIT`);
      break;
    } catch (cause) {
      await connection.script('ROLLBACK');
      // 55006 object_in_use: a session came in before it was forbidden.
      if ((cause as { code?: string }).code !== '55006' || performance.now() > end) throw cause;
    }
  }
  await run.journal.step(restoreStep, 'done');
  await settled(databases, step);
}

async function settled(databases: readonly Exchange[], step: StepRun): Promise<void> {
  await step.isBack(swapId);
  for (const { database } of databases) await step.isBack(`${copyPrefix}${database}`);
}

/** @throws UpgradeError `restore-sessions` */
async function endSessions(connection: Connection, databases: readonly string[], end: number): Promise<void> {
  for (;;) {
    const left = await connection.query<{ pid: number; name: string; database: string }>(
      `SELECT pid, coalesce(usename, backend_type) AS name, datname AS database, pg_terminate_backend(pid) AS told
       FROM pg_stat_activity WHERE datname = ANY ($1) AND pid <> pg_backend_pid()`,
      [databases],
    );
    if (left.length === 0) return;
    if (performance.now() > end) {
      throw new UpgradeError(
        'restore-sessions',
        `Sessions did not leave ${[...new Set(left.map(({ database }) => database))].join(', ')}, so that the restored copies could not take their places.`,
        {
          phase: 'rollback',
          hint: `${left.map(({ pid, name, database }) => `process ${pid} (${name}) in ${database}`).join('; ')}. Stop what opens them, then run mode: rollback again.`,
          docs: 'restore.md#when-it-stops',
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function corrupt(what: string): UpgradeError {
  return new UpgradeError('journal-corrupt', `The journal cannot be gone by: ${what}.`, {
    phase: 'inspect',
    hint: 'Look at its last lines and at the target, then move it away. docs/modes.md says what it holds.',
  });
}

/**
 * For this run, or for a dead one: copies that nobody exchanged are dropped, and the databases accept connections as
 * before under their proper names, whichever they are.
 */
export async function takeBackRestore(run: Run, entry: SwitchedOff, step: StepRun): Promise<void> {
  const serving = await run.environment.inspect().then(
    (facts) => facts.serving,
    () => false,
  );
  if (!serving) await run.environment.revive?.(step);
  if (entry.id !== swapId) {
    const { copy } = entry.detail as { copy?: unknown };
    if (!isCopyName(copy)) throw corrupt(`${String(copy)} is no name of a restored copy`);
    const { running } = await run.environment.inspect();
    await dropCopy({ settings: (database) => ({ ...run.settings, database }), version: running }, copy);
    return;
  }
  const databases = entry.detail as Exchange[];
  await using connection = await connectTo(run, 'postgres', 0);
  await connection.script('SET default_transaction_read_only = off');
  const rows = await connection.query<{ name: string }>('SELECT datname AS name FROM pg_database');
  const there = new Set(rows.map(({ name }) => name));
  const exchanged = databases.every(({ database, kept, present }) => there.has(present ? kept : database));
  if (exchanged) {
    if (run.journal.state().steps.get(restoreStep) !== 'done') await run.journal.step(restoreStep, 'done');
    return;
  }
  for (const { database, present, connections } of databases) {
    if (!present || !there.has(database)) continue;
    await connection
      .script(`ALTER DATABASE ${quoteIdent(database)} ALLOW_CONNECTIONS ${connections ? 'true' : 'false'}`)
      .catch((cause: unknown) => {
        throw new UpgradeError('put-back', `${database} accepts no connections: ${messageOf(cause)}.`, {
          hint: `ALTER DATABASE ${quoteIdent(database)} ALLOW_CONNECTIONS ${connections ? 'true' : 'false'};`,
          cause,
        });
      });
  }
}
