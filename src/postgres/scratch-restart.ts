/** A measured restart of a scratch server, as an upgrade does it. */
import { UpgradeError } from '../errors.ts';
import { connect } from './connection.ts';
import type { ConnectionSettings } from './settings.ts';

/** What a restart is made of. */
interface Restart {
  settings: ConnectionSettings;
  /** Returns once it has ended. */
  stop(): Promise<void>;
  /** Writes the new settings while nothing serves. */
  configure(): Promise<void>;
  /** Returns once a client has committed. */
  start(): Promise<void>;
  /** Serves with the old settings again, and turns what happened into an error. */
  goBack(cause: UpgradeError): Promise<UpgradeError>;
}

/** A real transaction that is written: an answer alone says nothing about commits. */
export async function commitOnce(settings: ConnectionSettings): Promise<void> {
  await using connection = await connect(settings, { name: 'postgres-upgrade rehearsal' });
  await connection.query('SELECT pg_catalog.txid_current()');
}

/**
 * Milliseconds until it had ended, and from then on until a client could commit, both with the new settings.
 */
export async function measuredRestart(steps: Restart): Promise<{ stopMs: number; startMs: number }> {
  await steps.stop();
  await steps.configure();
  try {
    // Once without a clock: the stop too must be one with these settings.
    await steps.start();
    {
      await using connection = await connect(steps.settings, { statementTimeout: 0 });
      await connection.script('CHECKPOINT');
    }
    const begun = performance.now();
    await steps.stop();
    const stopped = performance.now();
    await steps.start();
    return { stopMs: Math.round(stopped - begun), startMs: Math.round(performance.now() - stopped) };
  } catch (cause) {
    if (!(cause instanceof UpgradeError)) throw cause;
    throw await steps.goBack(cause);
  }
}

/** @param words what the server logged while it tried */
export function settingsRefused(words: string, cause: UpgradeError): UpgradeError {
  return new UpgradeError(
    'scratch-start',
    'The scratch server does not start with the settings of the real one.',
    {
      phase: 'prove',
      hint: `${words || cause.hint || cause.message}\nIt runs with its own settings again.`,
      docs: 'rehearsals.md#the-scratch-server',
      cause,
    },
  );
}
