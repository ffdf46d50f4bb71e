/** Why a call failed, in words: from what the real client throws. */
import { expect, it } from 'vitest';
import { isRefused, openApi, statusOf, whyNot } from '../../src/action/api.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { jobToken } from '../support/github-routes.ts';

async function thrown(github: GitHub, milliseconds = 5_000): Promise<unknown> {
  const api = await openApi(jobToken, github.environment);
  if (!api) throw new Error('there is a token');
  try {
    return await api.client.rest.repos.get({
      ...api.repository,
      request: { signal: AbortSignal.timeout(milliseconds) },
    });
  } catch (cause) {
    return cause;
  }
}

it.each<[Parameters<GitHub['plant']>[0], string, boolean]>([
  [
    { route: /^GET/, status: 401, message: 'Bad credentials' },
    'GitHub does not know the token (HTTP 401)',
    true,
  ],
  [
    { route: /^GET/, status: 403, message: 'Resource not accessible by integration' },
    'the token may not do it (HTTP 403); the job needs the permission issues: write',
    true,
  ],
  [
    { route: /^GET/, status: 404, message: 'Not Found' },
    'it is not there, or the token may not see it (HTTP 404); the job needs the permission issues: write',
    true,
  ],
  [
    { route: /^GET/, status: 429, message: 'slow down' },
    "GitHub's rate limit is used up; it asks to wait 60 s",
    false,
  ],
  [
    { route: /^GET/, status: 403, headers: { 'retry-after': '7' }, message: 'secondary' },
    "GitHub's rate limit is used up; it asks to wait 7 s",
    false,
  ],
  [
    {
      route: /^GET/,
      status: 403,
      headers: { 'x-ratelimit-remaining': '0' },
      message: 'API rate limit exceeded',
    },
    "GitHub's rate limit is used up; it asks to wait 60 s",
    false,
  ],
  [{ route: /^GET/, status: 502, message: 'Bad Gateway' }, 'GitHub answered HTTP 502: Bad Gateway', false],
  [{ route: /^GET/, status: 'reset' }, 'GitHub cannot be reached: other side closed', false],
])('%j', async (planted, why, refused) => {
  await using github = await startGitHub();
  github.plant(planted);
  const cause = await thrown(github);
  expect([whyNot(cause, 'issues: write'), isRefused(cause)]).toEqual([why, refused]);
  expect(github.requests).toHaveLength(1);
});

it('does not wait for ever', async () => {
  await using github = await startGitHub();
  github.plant({ route: /^GET/, status: 'hang' });
  const cause = await thrown(github, 100);
  expect([whyNot(cause, 'x'), statusOf(cause)]).toEqual(['GitHub did not answer in time', null]);
});

it('is none without a token or a repository', async () => {
  expect(await openApi('', { GITHUB_REPOSITORY: 'a/b' })).toBeNull();
  expect(await openApi('x', {})).toBeNull();
});
