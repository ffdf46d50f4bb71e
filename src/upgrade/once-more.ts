/** A step that broke because the way to the target broke is done again: steps bear it, and the target had no part in it. */
import { errorsOf } from '../errors.ts';
import type { Run } from './target.ts';

/** How often a step is begun at most. */
const attempts = 4;

/**
 * Words of a session that ended, of what cannot be reached, and of a client program that lost its server (libpq's
 * fe-misc.c, pg's client.js).
 */
const broken =
  /connection terminated|server closed the connection|connection to server (at|on) .* failed|ECONNRESET|EPIPE|ECONNREFUSED|could not receive data from server|SSL SYSCALL error/i;
const codes: readonly string[] = ['connection-lost', 'server-down', 'connect', 'ssh-lost'];

/** Whether an error may come from the way to the target alone. Pure. */
export function mayBeTheWay(cause: unknown): boolean {
  return errorsOf(cause).some(
    ({ code, message, hint }) => codes.includes(code) || broken.test(`${message}\n${hint ?? ''}`),
  );
}

/**
 * Does a step; again where the environment says that the way to the target was broken and is whole now. A target that is
 * reached without one has no such way, and its server's end is the server's.
 * @throws what the step throws
 */
export async function withWay<T>(run: Run, title: string, work: () => Promise<T>): Promise<T> {
  const { context } = run;
  const { way } = run.environment;
  for (let attempt = 1; ; attempt += 1) {
    const before = way?.opened() ?? 0;
    try {
      return await work();
    } catch (cause) {
      if (!way || !mayBeTheWay(cause) || attempt === attempts || context.signal.aborted) throw cause;
      await way.reopen().catch(() => {});
      if (way.opened() === before) throw cause;
      context.log.info(`  the connection to the target's machine was lost and is back: "${title}" once more`);
    }
  }
}
