/** Who runs us: GitHub's variables and the event, or nobody. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { UpgradeError } from '../errors.ts';
import type { UpgradeRecord } from '../report/record.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Whether a runner started us. */
export function onGitHub(variables: Variables): boolean {
  return variables.GITHUB_ACTIONS === 'true';
}

/** Who and what started the run, from GitHub's variables; null outside GitHub. */
export function identityOf(variables: Variables): UpgradeRecord['run'] {
  if (!onGitHub(variables)) return null;
  const value = (name: string): string => variables[name] ?? '';
  const server = value('GITHUB_SERVER_URL') || 'https://github.com';
  return {
    repository: value('GITHUB_REPOSITORY'),
    actor: value('GITHUB_TRIGGERING_ACTOR') || value('GITHUB_ACTOR'),
    event: value('GITHUB_EVENT_NAME'),
    workflow: value('GITHUB_WORKFLOW'),
    job: value('GITHUB_JOB'),
    runId: value('GITHUB_RUN_ID'),
    attempt: Number(value('GITHUB_RUN_ATTEMPT') || 1),
    ref: value('GITHUB_REF'),
    commit: value('GITHUB_SHA'),
    url: `${server}/${value('GITHUB_REPOSITORY')}/actions/runs/${value('GITHUB_RUN_ID')}`,
    runner: value('RUNNER_NAME') || hostname(),
  };
}

const sha = z.string().regex(/^[0-9a-f]{40,64}$/);

const eventSchema = z.looseObject({
  repository: z
    .looseObject({ visibility: z.string().optional(), private: z.boolean().optional() })
    .optional()
    .catch(undefined),
  pull_request: z
    .looseObject({
      number: z.number().int().positive(),
      base: z.looseObject({ sha }),
      head: z.looseObject({ sha, repo: z.looseObject({ full_name: z.string() }).nullable() }),
    })
    .optional()
    .catch(undefined),
  before: sha.optional().catch(undefined),
  after: sha.optional().catch(undefined),
});
/** As much of the event as is used. GitHub wrote it, not whoever opened the pull request. */
export type GitHubEvent = z.infer<typeof eventSchema>;

/** The event that started the run; an empty one where there is none, or where it is of another shape. */
export function eventOf(variables: Variables): GitHubEvent {
  try {
    return eventSchema.parse(JSON.parse(readFileSync(variables.GITHUB_EVENT_PATH ?? '', 'utf8')));
  } catch {
    return {};
  }
}

/**
 * Events that anybody can cause, or that follow such a one: their workflows run on the default branch, and many of them
 * check out the head of a pull request.
 */
const aboutOthers: readonly string[] = ['issue_comment', 'discussion_comment', 'workflow_run'];

/** Whether an event (its name) brings what nobody merged yet, or may. */
export function isUnmerged(event: string): boolean {
  return event.startsWith('pull_request') || event === 'merge_group' || aboutOthers.includes(event);
}

/** @throws UpgradeError `pull-request`: a change that nobody merged must not reach a database */
export function assertMerged(mode: string, event: string): void {
  if (!isUnmerged(event) || !['upgrade', 'resume', 'rollback'].includes(mode)) return;
  throw new UpgradeError(
    'pull-request',
    aboutOthers.includes(event)
      ? `Mode ${mode} does not run on the event ${event}: its workflow may have checked out what nobody merged.`
      : `Mode ${mode} does not run on a pull request: nobody merged it yet.`,
    {
      phase: 'inputs',
      hint: 'Use mode: plan, check or rehearse here, and upgrade on push to the default branch or by workflow_dispatch.',
      docs: 'pull-requests.md#what-never-happens',
    },
  );
}

/**
 * Whether everybody can read the repository: from the event, else from the API; `unknown` where neither tells
 * (scheduled runs carry no repository in their event).
 */
export async function visibility(
  variables: Variables,
  token: string,
): Promise<'public' | 'private' | 'unknown'> {
  const { repository } = eventOf(variables);
  if (repository?.visibility) return repository.visibility === 'public' ? 'public' : 'private';
  if (repository?.private !== undefined) return repository.private ? 'private' : 'public';
  if (!token) return 'unknown';
  try {
    const api = variables.GITHUB_API_URL || 'https://api.github.com';
    const response = await fetch(`${api}/repos/${variables.GITHUB_REPOSITORY ?? ''}`, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'user-agent': 'postgres-upgrade-action',
      },
      signal: AbortSignal.timeout(10_000),
    });
    const body = (await response.json()) as { private?: boolean };
    return body.private === undefined ? 'unknown' : body.private ? 'private' : 'public';
  } catch {
    return 'unknown';
  }
}
