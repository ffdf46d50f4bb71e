/** Who runs us: GitHub's variables and the event, or nobody. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
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

function eventOf(variables: Variables): { repository?: { visibility?: string; private?: boolean } } {
  try {
    return JSON.parse(readFileSync(variables.GITHUB_EVENT_PATH ?? '', 'utf8')) as ReturnType<typeof eventOf>;
  } catch {
    return {};
  }
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
