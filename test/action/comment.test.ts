/** The sticky comment, written by the real client against the loopback API, and every rung below it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tellGitHub } from '../../src/action/tell-github.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { smallest } from '../spec/specs.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { bot, jobToken, type Permission, type User } from '../support/github-routes.ts';
import { pullRequest, readyRecord, type SessionOptions, session, type TestSession } from './session.ts';

let github: GitHub;
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await github[Symbol.asyncDispose]();
});

const line = '<!-- postgres-upgrade:comment spec=postgres-upgrade.yaml target=orders -->';
const mona: User = { login: 'mona', type: 'User' };
const mayOnly = (...permissions: Permission[]): void => {
  for (const token of github.tokens.values()) token.permissions = permissions;
};

function open(options: Partial<SessionOptions> = {}): TestSession {
  return session({ spec: smallest, event: pullRequest(), github, ...options });
}

async function tell(
  changes: Partial<UpgradeRecord> = {},
  options: Partial<SessionOptions> = {},
): Promise<{ lines: string[]; notices: string[]; summary: string }> {
  using run = open(options);
  await tellGitHub(run, [readyRecord(changes)]);
  return {
    lines: run.lines,
    notices: run.annotations.map(({ level, title, message }) => `${level} ${title}: ${message}`),
    summary: run.summary(),
  };
}

const plant = (user: User, body: string): void => {
  const id = 41 + github.comments.length;
  github.comments.push({ id, issue: 7, user, body, html_url: `https://github.com/c/${id}` });
};
const writes = (): string[] => github.requests.filter((request) => !request.startsWith('GET '));

describe('the comment', () => {
  it('is written once, with the marker first and the head named', async () => {
    const { lines, notices, summary } = await tell();
    expect(github.comments).toHaveLength(1);
    const [comment] = github.comments;
    expect(comment?.body.split('\n')[0]).toBe(line);
    expect(comment?.body).toContain('`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`');
    expect(comment?.body).toContain(
      '[run 1658821493](https://github.com/octo-org/octo-repo/actions/runs/1658821493)',
    );
    expect([lines, notices, summary]).toEqual([
      [`orders: the comment was written: ${comment?.html_url}`],
      [],
      '',
    ]);
  });

  it('is updated in place, also far behind, and not written again without news', async () => {
    for (let count = 0; count < 150; count += 1) plant(mona, `comment ${count}`);
    await tell();
    const id = github.comments.at(-1)?.id;
    expect((await tell()).lines).toEqual(['orders: the comment says all of it already.']);
    expect(writes()).toHaveLength(1);

    await tell({ result: 'refused', verdict: 'orders was not upgraded: 1 check blocks it.' });
    expect(github.comments).toHaveLength(151);
    expect(github.comments.at(-1)).toMatchObject({ id, body: expect.stringContaining('1 check blocks it') });
    expect(writes()[1]).toBe(`PATCH /repos/octo-org/octo-repo/issues/comments/${id}`);
  });

  it('of somebody else is left alone', async () => {
    plant(mona, `${line}\nMerge this at once.`);
    plant(bot, `He wrote:\n\n${line}\nquoted`);
    await tell();
    expect(github.comments.map(({ user }) => user.login)).toEqual([
      'mona',
      'github-actions[bot]',
      'github-actions[bot]',
    ]);
    expect(github.comments.slice(0, 2).map(({ body }) => body)).toEqual([
      `${line}\nMerge this at once.`,
      `He wrote:\n\n${line}\nquoted`,
    ]);
  });

  it('of another bot is left alone, and ours is written beside it', async () => {
    plant({ login: 'other[bot]', type: 'Bot' }, `${line}\nold`);
    await tell();
    expect(github.comments.map(({ user, body }) => [user.login, body.includes('\nold')])).toEqual([
      ['other[bot]', true],
      ['github-actions[bot]', false],
    ]);
  });

  it("with a person's token is that person's", async () => {
    github.tokens.set(jobToken, { user: mona, installation: false, permissions: ['pull-requests: write'] });
    plant(bot, `${line}\nof the bot`);
    plant(mona, `${line}\nof mona`);
    await tell();
    expect(github.comments.map(({ body }) => body.split('\n')[1])).toEqual([
      'of the bot',
      expect.stringMatching(/^## /),
    ]);
  });

  it('is one for each target, and says nothing of a target that the pull request leaves alone', async () => {
    const change = readyRecord().change;
    expect(change).toBeNull();
    using run = open();
    const none = readyRecord();
    none.change = {
      ...(none.change as NonNullable<typeof none.change>),
      kind: 'none',
      from: '15.17',
      to: '15.17',
    };
    await tellGitHub(run, [none]);
    expect(run.lines).toEqual(['orders: the pull request changes nothing here: no comment.']);
    await tellGitHub(run, [readyRecord({ change: { ...none.change, others: ['backup.prove'] } })]);
    expect(github.comments).toHaveLength(1);
    // What was commented once is kept up to date.
    await tellGitHub(run, [none]);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body).toContain('the version stays');
  });

  it('is written where no plan could be made', async () => {
    await tell({
      plan: null,
      result: 'failed',
      verdict: 'PostgreSQL 15.16 should not be used.',
      versions: { from: null, wanted: '15.16', now: null },
    });
    expect(github.comments[0]?.body).toContain(
      '## ❌ orders: 15.17 → 15.18, minor version: no plan could be made',
    );
    expect(github.comments[0]?.body).toContain('known-bad');
  });

  it('has the risk of another distribution also where no plan could be made', async () => {
    const change = { kind: 'distribution', from: '15.17-bookworm', to: '15.18-trixie' } as const;
    using run = open();
    const record = readyRecord();
    if (!record.change) throw new Error('the fixture has one');
    await tellGitHub(run, [{ ...record, plan: null, change: { ...record.change, ...change } }]);
    expect(github.comments[0]?.body).toContain('changes from bookworm to trixie');
  });

  it('holds no secret', async () => {
    using run = open();
    run.secrets.add('hunter2hunter2');
    await tellGitHub(run, [readyRecord({ verdict: 'The password hunter2hunter2 was wrong.' })]);
    expect(github.comments[0]?.body).toContain(
      'The password \\*\\*\\* was wrong.'.replaceAll('\\*', '&#42;'),
    );
  });
});

describe('no comment', () => {
  it.each<[string, Partial<SessionOptions>, Partial<UpgradeRecord>]>([
    ['where it is switched off', { inputs: { comment: false } }, {}],
    ['on a push', { event: { name: 'push', payload: {} } }, {}],
    ['on pull_request_target', { event: { ...pullRequest(), name: 'pull_request_target' } }, {}],
  ])('%s', async (_, options, changes) => {
    expect(await tell(changes, options)).toEqual({ lines: [], notices: [], summary: '' });
    expect(github.requests).toEqual([]);
  });
});

describe('the ladder', () => {
  it.each<[string, Partial<SessionOptions>, () => void, string]>([
    [
      'without the permission',
      {},
      () => mayOnly('contents: read'),
      'the token may not do it (HTTP 403); the job needs the permission pull-requests: write',
    ],
    [
      'without a token',
      { inputs: { githubToken: '' } },
      () => {},
      'there is no github-token with pull-requests: write',
    ],
    [
      'with a token that expired',
      {},
      () => github.tokens.clear(),
      'GitHub does not know the token (HTTP 401)',
    ],
    [
      'on a fork',
      { event: pullRequest('mallory/octo-repo', 'mallory') },
      () => mayOnly('contents: read'),
      'a pull request from a fork gets a token that may only read (the token may not do it (HTTP 403); the job needs the permission pull-requests: write)',
    ],
    [
      'on a fork that was deleted',
      { event: pullRequest(null) },
      () => mayOnly('contents: read'),
      'a pull request from a fork gets a token that may only read (the token may not do it (HTTP 403); the job needs the permission pull-requests: write)',
    ],
    [
      'at the secondary rate limit',
      {},
      () =>
        github.plant({
          route: /^POST/,
          status: 403,
          headers: { 'retry-after': '60' },
          message: 'You have exceeded a secondary rate limit',
        }),
      "GitHub's rate limit is used up; it asks to wait 60 s",
    ],
    [
      'with a server that fails',
      {},
      () => github.plant({ route: /^GET .*comments/, status: 500, message: 'Server Error' }),
      'GitHub answered HTTP 500: Server Error',
    ],
    [
      'with a connection that breaks',
      {},
      () => github.plant({ route: /^POST/, status: 'reset' }),
      'GitHub cannot be reached: other side closed',
    ],
    [
      'with a text that GitHub refuses',
      {},
      () => github.plant({ route: /^POST/, status: 422, message: 'Validation Failed' }),
      'GitHub answered HTTP 422: Validation Failed',
    ],
  ])('%s: the summary has it, and the run goes on', async (_, options, prepare, why) => {
    prepare();
    const { notices, summary } = await tell({}, options);
    expect(notices).toEqual([
      `notice orders: comment: The comment on the pull request could not be written: ${why}.`,
    ]);
    expect(summary).toMatch(/^> The comment on the pull request could not be written: /);
    expect(summary).toContain(
      '## ⚠️ orders: 15.17 → 15.18, minor version: nothing blocks it, not rehearsed yet',
    );
    expect(summary).not.toContain('<!--');
    expect(github.comments).toEqual([]);
  });

  it('ends in the log where there is no summary', async () => {
    mayOnly('contents: read');
    const { lines, summary } = await tell({}, { inputs: { summary: false } });
    expect(summary).toBe('');
    expect(lines.join('\n')).toContain(
      '## ⚠️ orders: 15.17 → 15.18, minor version: nothing blocks it, not rehearsed yet',
    );
  });
});
