/** Keeps one comment a target on a pull request up to date. Where the token may not, the summary says it, else the log. */

import { parseVersion } from '../postgres/version.ts';
import { hideIn } from '../process/secrets.ts';
import { changesVersion } from '../report/change.ts';
import { type CommentFacts, newsOf, renderComment } from '../report/comment.ts';
import { markdownText } from '../report/escape.ts';
import { isMarked, marker } from '../report/marker.ts';
import type { UpgradeRecord } from '../report/record.ts';
import type { LoadedTarget } from '../spec/load.ts';
import { distributionOf, riskOf } from '../upgrade/risk.ts';
import { windowWords } from '../upgrade/window.ts';
import { type Api, isRefused, whyNot } from './api.ts';
import { eventOf } from './github.ts';
import { ownUser } from './own.ts';
import { type Comment, ownComments } from './pull-comments.ts';
import { writeSummary } from './reports.ts';
import type { Session } from './session.ts';

/** Milliseconds for all calls of one target. */
const patience = 20_000;

const permission = 'pull-requests: write';

/** Writes the comment of one target. Never throws. @param api null without a token */
export async function commentOn(
  session: Session,
  target: LoadedTarget,
  record: UpgradeRecord,
  api: Api | null,
): Promise<void> {
  const { log, secrets } = session;
  const request = eventOf(process.env).pull_request;
  const fork = request !== undefined && request.head.repo?.full_name !== process.env.GITHUB_REPOSITORY;
  const body = secrets.hide(renderComment(hideIn(record, secrets), factsOf(session, target, record)));
  const name = record.target.name;
  try {
    if (!request) return await otherwise(session, name, body, 'the event names no pull request');
    if (!api) return await otherwise(session, name, body, `there is no github-token with ${permission}`);
    log.info(`${name}: ${await write(api, request.number, body, isNews(record))}`);
  } catch (cause) {
    const why = whyNot(cause, permission);
    const because =
      fork && isRefused(cause) ? `a pull request from a fork gets a token that may only read (${why})` : why;
    await otherwise(session, name, body, because);
  }
}

/** A pull request that leaves a target as it is needs no comment on it; one that is there is kept up to date. */
function isNews({ change }: UpgradeRecord): boolean {
  return change === null || changesVersion(change) || change.others.length > 0;
}

function factsOf({ inputs }: Session, { spec }: LoadedTarget, record: UpgradeRecord): CommentFacts {
  return {
    marker: marker('comment', inputs.spec, spec.name),
    atMerge: inputs.atMerge,
    windows: spec.windows.map(windowWords),
    requireRehearsal: spec['require-rehearsal'] ?? null,
    wave: spec.wave,
    risk: riskOfChange(record),
  };
}

/** Of the plan; where none was made, of the versions. */
function riskOfChange({ plan, change, versions }: UpgradeRecord): CommentFacts['risk'] {
  if (plan) return plan.risk;
  const [from, wanted] = [versions.from ?? change?.from ?? '', versions.wanted].map((text) => {
    const found = /^\d+\.\d+/.exec(text)?.[0];
    return found ? parseVersion(found) : null;
  });
  if (!wanted) return { class: 'major', reasons: ['The wanted version is not known.'] };
  const distribution = distributionOf(change);
  return riskOf({ from: from ?? null, wanted, ...(distribution ? { distribution } : {}) });
}

/** @returns what was done, for the log */
async function write(api: Api, number: number, body: string, isNew: boolean): Promise<string> {
  const signal = AbortSignal.timeout(patience);
  const { client, repository } = api;
  const request = { signal };
  const found = await find(api, number, body.split('\n', 1)[0] ?? '', signal);
  if (found && newsOf(found.body) === newsOf(body)) return 'the comment says all of it already.';
  if (found) {
    try {
      await client.rest.issues.updateComment({ ...repository, comment_id: found.id, body, request });
      return `the comment was updated: ${found.url}`;
    } catch (cause) {
      // Of another bot, or gone: ours is written anew.
      if (!isRefused(cause)) throw cause;
    }
  } else if (!isNew) return 'the pull request changes nothing here: no comment.';
  const { data } = await client.rest.issues.createComment({
    ...repository,
    issue_number: number,
    body,
    request,
  });
  return `the comment was written: ${data.html_url}`;
}

async function find(api: Api, number: number, line: string, signal: AbortSignal): Promise<Comment | null> {
  for await (const comment of ownComments(api, number, await ownUser(api, signal), signal))
    if (isMarked(comment.body, line)) return comment;
  return null;
}

/** The next rungs of the ladder: the summary, and without one the log. */
async function otherwise(session: Session, name: string, body: string, why: string): Promise<void> {
  const { inputs, log } = session;
  const text = body.slice(body.indexOf('\n') + 1);
  const said = `The comment on the pull request could not be written: ${why}.`;
  log.annotate({ level: 'notice', title: `${name}: comment`, message: said });
  if (inputs.summary && process.env.GITHUB_STEP_SUMMARY) {
    const written = await writeSummary(`> ${markdownText(said)} This is what it would say:\n\n${text}`).then(
      () => true,
      () => false,
    );
    if (written) return;
  }
  log.info(`${said} This is what it would say:\n${text}`);
}
