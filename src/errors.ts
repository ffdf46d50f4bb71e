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
  | 'validate'
  | 'rollback'
  | 'report';

/** A place in a file of the user's repository; lines and columns count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

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
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Every error inside what was thrown, as this project's own type. */
export function errorsOf(thrown: unknown, phase?: Phase): UpgradeError[] {
  if (thrown instanceof UpgradeErrors) return [...thrown.errors];
  if (thrown instanceof UpgradeError) return [thrown];
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
