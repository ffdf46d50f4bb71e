/** GitHub's REST API, as little of it as is needed. The client is loaded only where it is used. */
import { messageOf } from '../errors.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The client, and the repository that the run belongs to. */
export interface Api {
  client: ReturnType<typeof import('@actions/github')['getOctokit']>;
  repository: { owner: string; repo: string };
}

/** Null without a token, and outside a repository. */
export async function openApi(token: string, variables: Variables): Promise<Api | null> {
  const [owner = '', repo = ''] = (variables.GITHUB_REPOSITORY ?? '').split('/');
  if (token === '' || owner === '' || repo === '') return null;
  const { getOctokit } = await import('@actions/github');
  const client = getOctokit(token, {
    baseUrl: variables.GITHUB_API_URL || 'https://api.github.com',
    userAgent: 'postgres-upgrade-action',
    // It would warn of deprecations in the middle of our own lines.
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  return { client, repository: { owner, repo } };
}

interface ApiFault {
  status: number;
  message: string;
  response?: { headers: Readonly<Record<string, unknown>> };
  cause?: unknown;
}

function faultOf(cause: unknown): ApiFault | null {
  return cause instanceof Error && 'status' in cause && typeof cause.status === 'number'
    ? (cause as Error & ApiFault)
    : null;
}

/** HTTP status of what a call threw; null where there was no answer. */
export function statusOf(cause: unknown): number | null {
  const fault = faultOf(cause);
  return fault?.response ? fault.status : null;
}

/** Whether the token is not allowed to do it, rather than that something broke. */
export function isRefused(cause: unknown): boolean {
  return [401, 403, 404].includes(statusOf(cause) ?? 0) && waitOf(cause) === null;
}

/** Seconds that GitHub asks to wait; null where it does not. */
function waitOf(cause: unknown): number | null {
  const headers = faultOf(cause)?.response?.headers ?? {};
  if (headers['retry-after'] !== undefined) return Number(headers['retry-after']) || 60;
  return statusOf(cause) === 429 || headers['x-ratelimit-remaining'] === '0' ? 60 : null;
}

/**
 * Why a call failed, in one sentence without a full stop. The answer's own words are GitHub's.
 * @param permission what the job needs for it, for example `pull-requests: write`
 */
export function whyNot(cause: unknown, permission: string): string {
  const fault = faultOf(cause);
  const status = statusOf(cause);
  const wait = waitOf(cause);
  if (wait !== null) return `GitHub's rate limit is used up; it asks to wait ${wait} s`;
  if (status === 401) return 'GitHub does not know the token (HTTP 401)';
  if (status === 403) return `the token may not do it (HTTP 403); the job needs the permission ${permission}`;
  if (status === 404)
    return `it is not there, or the token may not see it (HTTP 404); the job needs the permission ${permission}`;
  if (status !== null) return `GitHub answered HTTP ${status}: ${(fault?.message ?? '').slice(0, 200)}`;
  const inner = fault?.cause ?? cause;
  if (inner instanceof Error && /^(TimeoutError|AbortError)$/.test(inner.name))
    return 'GitHub did not answer in time';
  return `GitHub cannot be reached: ${messageOf(cause)}`;
}
