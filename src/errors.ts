/** The one error type, and the words it is built from. */

/** Part of a run in which something went wrong. */
export type Phase =
  | 'inputs'
  | 'spec'
  | 'connect'
  | 'inspect'
  | 'plan'
  | 'check'
  | 'backup'
  | 'prove'
  | 'upgrade'
  | 'rehearse'
  | 'validate'
  | 'rollback'
  | 'report';

/** A place in a file of the user's repository; lines and columns count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** Everything about an error besides its code and message. */
export interface UpgradeErrorOptions {
  /** What the reader should do now, in one or two sentences. */
  hint?: string;
  phase?: Phase;
  /** Page and anchor below `docs/`. */
  docs?: string;
  place?: Place | undefined;
  cause?: unknown;
}

/**
 * What this project throws. `code` is stable and may be searched for in the documentation;
 * `message` says what happened in the reader's words; `hint` says what to do.
 */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly phase: Phase | undefined;
  readonly docs: string | undefined;
  readonly place: Place | undefined;

  constructor(code: string, message: string, options: UpgradeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.phase = options.phase;
    this.docs = options.docs;
    this.place = options.place;
  }
}

/** Several errors found in one pass (a spec with three typos is told about all three). */
export class UpgradeErrors extends Error {
  override readonly name = 'UpgradeErrors';
  readonly errors: readonly UpgradeError[];

  constructor(errors: readonly UpgradeError[]) {
    super(errors.map((error) => error.message).join('\n'));
    this.errors = errors;
  }
}

/** Thrown where a run was asked to stop; never a fault. */
export class Cancelled extends UpgradeError {
  constructor(phase?: Phase) {
    super('cancelled', 'The run was cancelled.', phase ? { phase } : {});
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // All that fetch says itself is "fetch failed": the reason is its cause, which may have a code and no message.
  const { message, cause } = thrown;
  if (message !== 'fetch failed' || !(cause instanceof Error)) return message;
  return `${message} (${cause.message || ((cause as NodeJS.ErrnoException).code ?? 'no reason given')})`;
}

/** SQLSTATEs with which a server ends a session: it stops, it crashed, somebody ended the backend. */
const endings = new Set(['57P01', '57P02', '57P05', '08006', '08003', 'ECONNRESET', 'EPIPE']);

/** What a server or its connection answered to a query; null for anything else that was thrown. */
function queryError(thrown: unknown, phase: Phase | undefined): UpgradeError | null {
  if (!(thrown instanceof Error)) return null;
  const { code, hint, severity } = thrown as Error & { code?: string; hint?: string; severity?: string };
  const options: UpgradeErrorOptions = { cause: thrown, ...(phase ? { phase } : {}) };
  if (endings.has(code ?? '') || /^Connection terminated/.test(thrown.message)) {
    options.hint =
      'Something ended the session: the server stopped, or somebody closed it. Look at the server log, then run again.';
    return new UpgradeError(
      'connection-lost',
      `The connection to the server was lost: ${thrown.message}.`,
      options,
    );
  }
  if (severity === undefined || !/^[0-9A-Z]{5}$/.test(code ?? '')) return null;
  const right = code === '42501' ? "The connection's user lacks a right: use a superuser." : '';
  options.hint = [hint, right, `SQLSTATE ${code}.`].filter(Boolean).join(' ');
  return new UpgradeError('query-refused', `PostgreSQL refused a query: ${thrown.message}.`, options);
}

/** Message, hint and page of an error, as people are told. */
export function explanation({ message, hint, docs }: UpgradeError): string {
  return [message, hint, docs ? `More: docs/${docs}` : undefined].filter((line) => line).join('\n');
}

/** Every error inside what was thrown, as this project's own type. */
export function errorsOf(thrown: unknown, phase?: Phase): UpgradeError[] {
  if (thrown instanceof UpgradeErrors) return [...thrown.errors];
  if (thrown instanceof UpgradeError) return [thrown];
  if (thrown instanceof Error && thrown.name === 'AbortError') return [new Cancelled(phase)];
  const refused = queryError(thrown, phase);
  if (refused) return [refused];
  const options: UpgradeErrorOptions = {
    hint: 'This is a fault of the action itself: please report it with the lines above.',
    cause: thrown,
  };
  if (phase) options.phase = phase;
  return [new UpgradeError('internal', messageOf(thrown), options)];
}

/** Makes a switch exhaustive at compile time. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
