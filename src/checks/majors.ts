/** What judges ask about the two versions. */
import type { PgVersion } from '../postgres/version.ts';
import type { CheckContext } from './check.ts';

/** Whether the upgrade leads to another major. */
export function isMajor({ running, wanted }: CheckContext): boolean {
  return running.major !== wanted.major;
}

/** The version that answers: the old one before, the new one after. */
export function serverOf({ when, running, wanted }: CheckContext): PgVersion {
  return when === 'before' ? running : wanted;
}

/** Whether the upgrade comes from before this major and leads to it or beyond. */
export function crosses({ running, wanted }: CheckContext, major: number): boolean {
  return running.major < major && wanted.major >= major;
}

/** How much weighs what only pg_upgrade refuses: a dump carries it. As long as nobody knows the route, it blocks. */
export function pgUpgradeRefuses({ route }: CheckContext): 'blocked' | 'info' {
  return route === 'dump-restore' ? 'info' : 'blocked';
}
