/**
 * A machine on which programs are run: this one, or one behind ssh. What is done there is the same, and is written once.
 */

import type { Attended } from './attend.ts';

/** What a program left. */
export interface ProgramAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to run something on a host. */
export interface HostOptions {
  /** Milliseconds; a minute by default. */
  timeout?: number;
  signal?: AbortSignal | undefined;
  /** Given to standard input. */
  input?: string;
  /** Whether it may be sent again where the connection broke and nobody knows whether it was done; true by default. */
  repeatable?: boolean;
  /** Told while the host cannot be reached; the log by default. */
  progress?: ((text: string) => void) | undefined;
}

/** One machine, open until `close`. Programs run as root there, or as `as`. */
export interface Host {
  /** For people: `this machine`, `deploy@db1.example.com`. */
  name: string;
  /** Whether it is another machine than that of this job. */
  remote: boolean;
  /**
   * Runs a program with a clean environment (`LC_ALL=C`) as root; the exit code is the caller's to judge. It must leave
   * nothing behind that holds its output open, a server for example: that is what jobs are for.
   * @throws UpgradeError `ssh-connect`, `ssh-host-key`, `ssh-login`, `ssh-lost`, `become`, `program-missing`, `program-timeout`; Cancelled
   */
  run(argv: readonly [string, ...string[]], options?: HostOptions): Promise<ProgramAnswer>;
  /** Runs a POSIX shell script of our own; `args` are its `$1`, `$2`, ...: data never stands in the text. */
  script(text: string, args?: readonly string[], options?: HostOptions): Promise<ProgramAnswer>;
  /** A file's text; null where there is none. @throws UpgradeError `host-file`, and what `run` throws */
  read(path: string): Promise<string | null>;
  /**
   * Copies a file of the host to this machine over the same channel; size and SHA-256 are compared. Whole or not at all.
   * @throws UpgradeError `host-file`, and what `run` throws
   */
  download(path: string, to: string, signal?: AbortSignal): Promise<void>;
  /** An address on this machine that leads to a TCP port of the host, until `close`. */
  reach(host: string, port: number): Promise<{ host: string; port: number }>;
  /**
   * Holds an exclusive lock on a file there until `close`, or until this process ends, however it ends.
   * Where a lost connection let it go, it is taken again as soon as can be; should somebody else have it by then, people
   * are told.
   * @param who one line, written into the file, for whoever finds it held
   * @returns null where it is ours now; else who holds it
   */
  hold(path: string, who: string): Promise<string | null>;
  /** An address on this machine that leads to a Unix socket of the host, until `close`. Only for another machine. */
  reachSocket(path: string): Promise<{ host: string; port: number }>;
  /**
   * Starts a script that works as long as it is attended to; see `attend.ts` for what it must keep.
   * @throws UpgradeError `attended`
   */
  attend(text: string, args: readonly string[], signal: AbortSignal): Promise<Attended>;
  /** How often it was connected to so far; 0 for this machine. */
  opened(): number;
  close(): Promise<void>;
}
