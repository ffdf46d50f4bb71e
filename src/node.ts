/** The Node that runs us. GitHub brings the right one; a shell may not. */
import satisfies from 'semver/functions/satisfies.js';

/** Oldest Node that reads the bundle: it uses explicit resource management, which came with 24. */
const range = '>=24.0.0';

/** What is wrong with this Node; null for nothing. */
export function nodeFault(version: string): string | null {
  return satisfies(version, range)
    ? null
    : `Postgres Upgrade needs Node 24 or newer, and this is ${version}. Install it, or run it as a GitHub Action.`;
}
