/** Whether a dump may leave the machine as an artifact: decided before anything is done. */
import { UpgradeError } from '../errors.ts';
import type { LoadedTarget } from '../spec/load.ts';
import type { ArtifactChoice } from './inputs.ts';

/**
 * Refuses a dump in a public repository, encrypted or not: everybody may download it, and keep it until a key
 * leaks; and refuses a dump in clear without the sentence that allows it.
 * @throws UpgradeError `dump-public`, `dump-in-clear`
 */
export function assertDumpAllowed(
  targets: readonly LoadedTarget[],
  artifacts: ArtifactChoice,
  visibility: 'public' | 'private' | 'unknown',
): void {
  if (artifacts !== 'all') return;
  if (visibility !== 'private') {
    throw new UpgradeError(
      'dump-public',
      visibility === 'public'
        ? 'A dump is not uploaded from a public repository: everybody could download it.'
        : 'Nothing tells whether this repository is public, so no dump is uploaded from it.',
      {
        phase: 'inputs',
        hint:
          visibility === 'public'
            ? 'Use artifacts: reports; the backup itself stays at backup.directory.'
            : 'Pass github-token with contents: read, so that the action can ask; or use artifacts: reports.',
        docs: 'artifacts.md#dumps',
      },
    );
  }
  for (const { spec, place } of targets) {
    if (spec.backup['encrypt-to'].length > 0 || spec.backup['publish-unencrypted']) continue;
    throw new UpgradeError('dump-in-clear', `The dump of ${spec.name} would be uploaded in clear.`, {
      phase: 'inputs',
      hint: 'Name age recipients in backup.encrypt-to (age-keygen makes a pair), or use artifacts: reports.',
      docs: 'artifacts.md#dumps',
      place,
    });
  }
}
