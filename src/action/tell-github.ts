/** Tells people on GitHub: the pull request's comment, the issue of a failure. */
import { messageOf } from '../errors.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { looksOnly } from '../upgrade/context.ts';
import { type Api, openApi } from './api.ts';
import { commentOn } from './comment.ts';
import { isUnmerged } from './github.ts';
import { issueOf } from './issue.ts';
import type { Session } from './session.ts';

/** Never throws: what could not be told is told in the summary and in the log. */
export async function tellGitHub(session: Session, records: readonly UpgradeRecord[]): Promise<void> {
  const { inputs, github, targets, context, log } = session;
  const event = process.env.GITHUB_EVENT_NAME ?? '';
  const comment = github && inputs.comment && event === 'pull_request' && looksOnly(context.mode);
  const issue = github && inputs.issue && !isUnmerged(event);
  if (!comment && !issue) return;
  try {
    const api: Api | null = await openApi(inputs.githubToken, process.env);
    for (const record of records) {
      const target = targets.find(({ spec }) => spec.name === record.target.name);
      if (comment && target) await commentOn(session, target, record, api);
      if (issue) await issueOf(session, record, api);
    }
  } catch (cause) {
    log.annotate({
      level: 'warning',
      title: 'GitHub',
      message: `Nobody could be told: ${messageOf(cause)}.`,
    });
  }
}
