/** A link to a run, for what GitHub shows. Pure. */
import { markdownText } from './escape.ts';
import type { UpgradeRecord } from './record.ts';

/** `[run 1658821493, attempt 2](https://github.com/...)`; without a link where the address is a strange one. */
export function runLink({ runId, attempt, url }: NonNullable<UpgradeRecord['run']>): string {
  const id = /^\d{1,20}$/.test(runId) ? runId : markdownText(runId);
  const name = `run ${id}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
  // Made of GitHub's own variables; whatever else they hold must not leave the link.
  return /^https?:\/\/[A-Za-z0-9.:/_-]{1,300}$/.test(url) ? `[${name}](${url})` : name;
}
