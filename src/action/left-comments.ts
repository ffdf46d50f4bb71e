/** Mode `list` on a pull request: comments of targets that it leaves alone by now. No other job runs for those. */
import { changesVersion } from '../report/change.ts';
import { newsOf } from '../report/comment.ts';
import { renderLeft } from '../report/comment-left.ts';
import { markedTarget, marker } from '../report/marker.ts';
import type { ChangeRecord } from '../report/record-change.ts';
import { openApi, whyNot } from './api.ts';
import { eventOf } from './github.ts';
import { ownUser } from './own.ts';
import { type Comment, ownComments } from './pull-comments.ts';
import type { Session } from './session.ts';

/** Milliseconds for all calls. */
const patience = 20_000;

/** Updates what is there, and writes nothing new. Never throws: what could not be done is a line in the log. */
export async function updateLeft(
  session: Session,
  changes: ReadonlyMap<string, ChangeRecord>,
): Promise<void> {
  const { github, inputs, log, secrets } = session;
  const request = eventOf(process.env).pull_request;
  if (!github || !inputs.comment || process.env.GITHUB_EVENT_NAME !== 'pull_request' || !request) return;
  try {
    const api = await openApi(inputs.githubToken, process.env);
    if (!api) return;
    const signal = AbortSignal.timeout(patience);
    const seen = new Set<string>();
    const left: [Comment, string][] = [];
    for await (const comment of ownComments(api, request.number, await ownUser(api, signal), signal)) {
      const name = markedTarget(comment.body, 'comment', inputs.spec);
      if (name === null || seen.has(name)) continue;
      seen.add(name);
      if (changesVersion(changes.get(name) ?? null)) continue;
      const line = marker('comment', inputs.spec, name);
      const text = secrets.hide(renderLeft(line, name, changes.get(name) ?? null, request.head.sha));
      if (newsOf(comment.body) !== newsOf(text)) left.push([comment, text]);
    }
    for (const [comment, body] of left) {
      const { client, repository } = api;
      await client.rest.issues.updateComment({
        ...repository,
        comment_id: comment.id,
        body,
        request: { signal },
      });
      log.info(`The comment of a target that the pull request leaves alone was updated: ${comment.url}`);
    }
  } catch (cause) {
    log.info(
      `Comments of targets that the pull request leaves alone could not be updated: ${whyNot(cause, 'pull-requests: write')}.`,
    );
  }
}
