import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  assertMerged,
  eventOf,
  identityOf,
  isUnmerged,
  onGitHub,
  visibility,
} from '../../src/action/github.ts';
import { modeSchema } from '../../src/report/record.ts';
import { answerJson, listen } from '../support/receiver.ts';

const variables = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.example.com',
  GITHUB_REPOSITORY: 'octo-org/octo-repo',
  GITHUB_ACTOR: 'octocat',
  GITHUB_TRIGGERING_ACTOR: 'mona',
  GITHUB_EVENT_NAME: 'workflow_dispatch',
  GITHUB_WORKFLOW: 'Upgrade PostgreSQL',
  GITHUB_JOB: 'upgrade',
  GITHUB_RUN_ID: '1658821493',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_SHA: '9fceb02d0ae598e95dc970b74767f19372d61af8',
  RUNNER_NAME: 'db1-runner',
};

describe('identityOf', () => {
  it('is nobody outside GitHub', () => {
    expect([
      identityOf({}),
      identityOf({ ...variables, GITHUB_ACTIONS: '' }),
      onGitHub({ GITHUB_ACTIONS: '1' }),
    ]).toEqual([null, null, false]);
  });

  it('is the run, with who really started it', () => {
    expect(identityOf(variables)).toEqual({
      repository: 'octo-org/octo-repo',
      actor: 'mona',
      event: 'workflow_dispatch',
      workflow: 'Upgrade PostgreSQL',
      job: 'upgrade',
      runId: '1658821493',
      attempt: 2,
      ref: 'refs/heads/main',
      commit: '9fceb02d0ae598e95dc970b74767f19372d61af8',
      url: 'https://github.example.com/octo-org/octo-repo/actions/runs/1658821493',
      runner: 'db1-runner',
    });
  });

  it('makes do with little', () => {
    expect(identityOf({ GITHUB_ACTIONS: 'true', GITHUB_ACTOR: 'octocat' })).toMatchObject({
      repository: '',
      actor: 'octocat',
      attempt: 1,
      url: 'https://github.com//actions/runs/',
      runner: hostname(),
    });
  });
});

describe('visibility from the event', () => {
  it.each([
    [{ repository: { visibility: 'public', private: false } }, 'public'],
    [{ repository: { visibility: 'private', private: true } }, 'private'],
    [{ repository: { visibility: 'internal', private: true } }, 'private'],
    [{ repository: { private: true } }, 'private'],
    [{ repository: { private: false } }, 'public'],
    [{ repository: {} }, 'unknown'],
    [{ schedule: '0 3 * * 0' }, 'unknown'],
  ])('%j', async (event, expected) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-event-'));
    const file = join(folder.path, 'event.json');
    await writeFile(file, JSON.stringify(event));
    expect(await visibility({ ...variables, GITHUB_EVENT_PATH: file }, '')).toBe(expected);
  });

  it('is unknown without one', async () => {
    expect(await visibility({}, '')).toBe('unknown');
    expect(await visibility({ GITHUB_EVENT_PATH: '/dev/null' }, '')).toBe('unknown');
  });
});

describe('visibility from the API', () => {
  it.each([
    [200, { private: true }, 'private'],
    [200, { private: false }, 'public'],
    [404, { message: 'Not Found' }, 'unknown'],
  ])('%d %j', async (status, body, expected) => {
    const asked: unknown[] = [];
    await using server = await listen(async ({ headers }, response, url) => {
      asked.push([url.pathname, headers.authorization, headers.accept, headers['user-agent']]);
      answerJson(response, status, body);
    });
    expect(await visibility({ ...variables, GITHUB_API_URL: server.origin }, 'ghs_token')).toBe(expected);
    expect(asked).toEqual([
      [
        '/repos/octo-org/octo-repo',
        'Bearer ghs_token',
        'application/vnd.github+json',
        'postgres-upgrade-action',
      ],
    ]);
  });

  it('is unknown where the answer is no JSON, or nobody answers', async () => {
    await using server = await listen(async (_request, response) => void response.end('<html>'));
    expect(await visibility({ ...variables, GITHUB_API_URL: server.origin }, 'ghs_token')).toBe('unknown');
    await server[Symbol.asyncDispose]();
    expect(await visibility({ ...variables, GITHUB_API_URL: server.origin }, 'ghs_token')).toBe('unknown');
  });
});

describe('what nobody merged yet', () => {
  it.each([
    ['pull_request', true],
    ['pull_request_target', true],
    ['pull_request_review', true],
    ['merge_group', true],
    ['issue_comment', true],
    ['discussion_comment', true],
    ['workflow_run', true],
    ['repository_dispatch', false],
    ['workflow_call', false],
    ['push', false],
    ['schedule', false],
    ['workflow_dispatch', false],
    ['', false],
  ])('%s: %s', (event, expected) => expect(isUnmerged(event)).toBe(expected));

  it('may be looked at, and nothing else', () => {
    const refused = [...modeSchema.options, 'list'].filter((mode) => {
      try {
        assertMerged(mode, 'pull_request');
        return false;
      } catch {
        return true;
      }
    });
    expect(refused).toEqual(['upgrade', 'resume', 'rollback']);
    expect(() => assertMerged('upgrade', 'merge_group')).toThrow(
      expect.objectContaining({ code: 'pull-request', phase: 'inputs' }),
    );
    expect(() => assertMerged('rollback', 'issue_comment')).toThrow(
      expect.objectContaining({
        code: 'pull-request',
        message:
          'Mode rollback does not run on the event issue_comment: its workflow may have checked out what nobody merged.',
      }),
    );
    expect(() => assertMerged('upgrade', 'push')).not.toThrow();
  });
});

describe('eventOf', () => {
  const sha = 'a'.repeat(40);
  it.each<[object, object]>([
    [
      { before: sha, after: sha },
      { before: sha, after: sha },
    ],
    [{ before: 'main', pull_request: { number: '7' }, repository: 5 }, {}],
    [
      { pull_request: { number: 7, base: { sha }, head: { sha, repo: null } } },
      { pull_request: { number: 7, base: { sha }, head: { sha, repo: null } } },
    ],
    [{ pull_request: { number: 7, base: { sha: '../x' }, head: { sha, repo: null } } }, {}],
  ])('%j', async (payload, expected) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-event-'));
    const file = join(folder.path, 'event.json');
    await writeFile(file, JSON.stringify(payload));
    expect(eventOf({ GITHUB_EVENT_PATH: file })).toEqual(expected);
  });
});
