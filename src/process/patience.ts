/** Trying again while a connection is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cancelled, UpgradeError } from '../errors.ts';

/** The connection went away, or could not be made again. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /** Whether the work had been sent: it may have been done. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** Who waits, and for how long. */
export interface Patience {
  /** Name of the host. */
  name: string;
  signal?: AbortSignal | undefined;
  /** Whether work that may have been done may be sent again. */
  repeatable: boolean;
  progress: (text: string) => void;
  /** Milliseconds; two minutes by default. */
  limit?: number;
}

/**
 * Does the work, again after each lost connection, with growing pauses.
 * @throws UpgradeError `ssh-lost`, Cancelled, and whatever else the work throws
 */
export async function patiently<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  const { name, signal, limit = 120_000 } = patience;
  let since: number | null = null;
  for (let pause = 100; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof ConnectionLost)) throw cause;
      since ??= Date.now();
      const gone = Date.now() - since;
      if (cause.sent && !patience.repeatable) throw lost(name, cause, 'It may have been done, or not.');
      if (gone > limit)
        throw lost(name, cause, `It did not come back within ${Math.round(limit / 1000)} seconds.`);
      if (gone > 2000)
        patience.progress(
          `The connection to ${name} is lost: trying again for ${Math.round(gone / 1000)} s now`,
        );
      await wait(pause, signal);
    }
  }
}

async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => {
    throw new Cancelled();
  });
}

function lost(name: string, cause: ConnectionLost, what: string): UpgradeError {
  return new UpgradeError('ssh-lost', `The connection to ${name} was lost. ${what}`, {
    hint: `${cause.message}\nWhat runs there goes on by itself. Look at the machine and the network, then run again: the run finds out how far it came.`,
    cause,
  });
}
