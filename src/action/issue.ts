/** Opens or updates the issue of a target that failed, and closes it when the target is green again. */
import { hideIn } from '../process/secrets.ts';
import { closes, failedMode, issueTitle, renderGreen, renderIssue } from '../report/issue.ts';
import { isMarked, marker } from '../report/marker.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { type Api, whyNot } from './api.ts';
import { exitCode } from './outputs.ts';
import { ownUser } from './own.ts';
import type { Session } from './session.ts';

/** Milliseconds for all calls of one target. */
const patience = 20_000;

const mostPages = 10;
const label = 'postgres-upgrade';

/** Does it for one record. Never throws. @param api null without a token */
export async function issueOf(session: Session, record: UpgradeRecord, api: Api | null): Promise<void> {
  const { inputs, log, secrets } = session;
  const name = record.target.name;
  const warn = (why: string): void =>
    log.annotate({
      level: 'warning',
      title: `${name}: issue`,
      message: `The issue could not be kept up to date: ${why}.`,
    });
  if (!api) return warn('there is no github-token with issues: write');
  try {
    const clean = hideIn(record, secrets);
    const done = await keep(
      api,
      clean,
      marker('issue', inputs.spec, name),
      exitCode(record.mode, [record]) === 1,
    );
    if (done) log.info(`${name}: ${done}`);
  } catch (cause) {
    warn(whyNot(cause, 'issues: write'));
  }
}

/** @returns what was done, for the log; null for nothing */
async function keep(api: Api, record: UpgradeRecord, line: string, failed: boolean): Promise<string | null> {
  const request = { signal: AbortSignal.timeout(patience) };
  const { client, repository } = api;
  const found = await openIssue(api, line, request.signal);
  if (failed) {
    const mode = failedMode(found?.body) ?? record.mode;
    const [title, body] = [issueTitle(record), renderIssue(record, line, mode)];
    if (found) {
      await client.rest.issues.update({ ...repository, issue_number: found.number, title, body, request });
      return `the issue was updated: ${found.html_url}`;
    }
    const { data } = await client.rest.issues.create({
      ...repository,
      title,
      body,
      labels: [label],
      request,
    });
    return `an issue was opened: ${data.html_url}`;
  }
  if (!found || !closes(record, failedMode(found.body))) return null;
  const issue = { ...repository, issue_number: found.number };
  await client.rest.issues.createComment({ ...issue, body: renderGreen(record), request });
  await client.rest.issues.update({ ...issue, state: 'closed', state_reason: 'completed', request });
  return `the issue was closed: ${found.html_url}`;
}

/** Our open issue of a target. */
async function openIssue({ client, repository }: Api, line: string, signal: AbortSignal) {
  const isOwn = await ownUser({ client, repository }, signal);
  const pages = client.paginate.iterator(client.rest.issues.listForRepo, {
    ...repository,
    state: 'open',
    labels: label,
    per_page: 100,
    request: { signal },
  });
  let page = 0;
  for await (const { data } of pages) {
    const found = data.find(
      ({ body, user, pull_request: request }) => !request && isMarked(body, line) && isOwn(user),
    );
    if (found) return found;
    page += 1;
    if (page >= mostPages) break;
  }
  return null;
}
