/** What a pull request may have carried out before anybody merged it: another version, and nothing else. */
import { UpgradeError } from '../errors.ts';
import { clip } from '../report/escape.ts';
import type { ChangeRecord } from '../report/record-change.ts';
import type { RunContext } from './context.ts';

/** Keys that the message names; the record has all. */
const named = 10;

/**
 * The spec of a pull request names programs, folders, secrets and SQL: whoever may open one would run them on the
 * runner. So its target is opened only where it is the base's, but for the version.
 * @param change null where it is not known what the event changes
 * @throws UpgradeError `pull-request-change`
 */
export function assertOnlyVersion(
  name: string,
  change: ChangeRecord | null,
  { onPullRequest, pullRequestChanges }: Pick<RunContext, 'onPullRequest' | 'pullRequestChanges'>,
): void {
  if (!onPullRequest || pullRequestChanges === 'allow') return;
  const why = moreThanVersion(name, change);
  if (why === null) return;
  throw new UpgradeError('pull-request-change', `${why}. The target was not opened.`, {
    phase: 'inputs',
    hint: 'Read the change; once it is merged, plan it from the default branch (workflow_dispatch). The input pull-request-changes: allow opens the target all the same: only where whoever may open a pull request may run programs on this runner.',
    docs: 'pull-requests.md#what-a-pull-request-may-change',
  });
}

/** Null where it is a version, or nothing. */
function moreThanVersion(name: string, change: ChangeRecord | null): string | null {
  if (!change) return `What this event changes at ${name} is not known, and nobody merged it yet`;
  if (change.kind === 'unknown')
    return `What this pull request changes at ${name} is not known (${clip(change.why ?? '', 300)})`;
  if (change.kind === 'new') return `This pull request adds the target ${name}`;
  const { others } = change;
  if (others.length === 0) return null;
  const keys = others.slice(0, named).map((key) => clip(key, 100));
  const left = others.length - keys.length;
  return `This pull request changes more of ${name} than its version: ${keys.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
