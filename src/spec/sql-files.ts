/** Every file of the user's own SQL that a target names. Pure. */
import type { HealthFile } from './health-schema.ts';
import type { TargetSpec } from './schema.ts';

/** In the order in which a person reads them; a file that is named twice is there twice. */
export function sqlFilesOf({
  health,
  rehearsal,
  extensions,
}: Pick<TargetSpec, 'health' | 'rehearsal' | 'extensions'>): HealthFile[] {
  return [...health, ...rehearsal.smoke, ...Object.values(extensions).flatMap(({ smoke }) => smoke)];
}
