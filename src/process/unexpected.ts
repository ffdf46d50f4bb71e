/** What is said of an error that nobody expected: like everything else, without secrets and without commands. */
import { printable } from './log.ts';

let hide = (text: string): string => text;

/** From now on this hides the secrets of the run. */
export function hideUnexpected(secretsIn: (text: string) => string): void {
  hide = secretsIn;
}

/** The lines to print, with the end of the last one. */
export function unexpected(cause: unknown): string {
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return `${printable(hide(`Unexpected: ${text}`))}\n`;
}
