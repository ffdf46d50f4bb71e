/** The issue of a target that fails, by the real client against the loopback API. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tellGitHub } from '../../src/action/tell-github.ts';
import type { Mode, Result, UpgradeRecord } from '../../src/report/record.ts';
import { rolledBackRecord } from '../report/fixture.ts';
import { smallest } from '../spec/specs.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { bot } from '../support/github-routes.ts';
import { type Event, pullRequest, readyRecord, session } from './session.ts';

let github: GitHub;
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await github[Symbol.asyncDispose]();
});

const line = '<!-- postgres-upgrade:issue spec=postgres-upgrade.yaml target=orders -->';
const nightly: Event = { name: 'schedule', payload: { schedule: '0 3 * * *' } };

async function tell(
  mode: Mode,
  result: Result,
  event: Event = nightly,
  changes: Partial<UpgradeRecord> = {},
): Promise<{ lines: string[]; warnings: string[] }> {
  using run = session({ spec: smallest, event, github, inputs: { issue: true } });
  await tellGitHub(run, [{ ...readyRecord(), mode, result, ...changes }]);
  return {
    lines: run.lines,
    warnings: run.annotations.map(({ level, title, message }) => `${level} ${title}: ${message}`),
  };
}

const states = (): string[] => github.issues.map(({ state }) => state);

describe('the issue', () => {
  it('is opened by a failure, updated by the next one, and closed when it is green', async () => {
    const { lines } = await tell('rehearse', 'failed', nightly, { verdict: 'The view broke.' });
    expect(lines).toEqual(['orders: an issue was opened: https://github.com/octo-org/octo-repo/issues/1']);
    expect(github.issues[0]).toMatchObject({
      title: 'orders: PostgreSQL 15.18, mode rehearse: failed',
      labels: ['postgres-upgrade'],
      state: 'open',
      body: expect.stringContaining('The view broke.'),
    });
    expect(github.issues[0]?.body.split('\n').slice(0, 2)).toEqual([line, '<!-- failed=rehearse -->']);

    await tell('rehearse', 'refused', nightly, { verdict: 'The disk is full.' });
    expect(github.issues).toHaveLength(1);
    expect(github.issues[0]?.body).toContain('The disk is full.');

    await tell('rehearse', 'success', nightly, { verdict: 'It passed.' });
    expect(github.issues[0]).toMatchObject({ state: 'closed', state_reason: 'completed' });
    expect(github.comments.map(({ body }) => body)).toEqual([
      '✅ Green again, by [run 1658821493](https://github.com/octo-org/octo-repo/actions/runs/1658821493): It passed.',
    ]);
  });

  it('that was closed stays closed: a new one is opened', async () => {
    await tell('rehearse', 'failed');
    if (github.issues[0]) github.issues[0].state = 'closed';
    await tell('rehearse', 'failed');
    expect(states()).toEqual(['closed', 'open']);
  });

  it.each<[Mode, Mode, Result, string]>([
    ['upgrade', 'plan', 'success', 'open'],
    ['upgrade', 'rehearse', 'success', 'open'],
    ['upgrade', 'resume', 'success', 'closed'],
    ['upgrade', 'upgrade', 'paused', 'open'],
    ['upgrade', 'plan', 'skipped', 'closed'],
    ['upgrade', 'rollback', 'rolled-back', 'open'],
    ['plan', 'rehearse', 'success', 'closed'],
    ['rehearse', 'check', 'success', 'open'],
  ])('of a failed %s, after a %s that ended as %s, is %s', async (failed, mode, result, state) => {
    await tell(failed, 'failed');
    await tell(mode, result);
    expect(states()).toEqual([state]);
  });

  it('remembers the deepest mode that failed', async () => {
    await tell('upgrade', 'rolled-back');
    await tell('plan', 'refused');
    await tell('plan', 'success');
    expect(states()).toEqual(['open']);
  });

  it('is found among many, and neither that of a person nor a pull request is touched', async () => {
    const issue = {
      user: bot,
      title: 't',
      state: 'open',
      state_reason: null,
      labels: ['postgres-upgrade'],
    } as const;
    for (let number = 1; number <= 120; number += 1)
      github.issues.push({
        ...issue,
        number,
        body: `<!-- other ${number} -->`,
        labels: ['postgres-upgrade'],
      });
    github.issues.push({
      ...issue,
      number: 121,
      body: line,
      user: { login: 'mona', type: 'User' },
      labels: ['postgres-upgrade'],
    });
    github.issues.push({ ...issue, number: 122, body: line, pull_request: {}, labels: ['postgres-upgrade'] });
    github.issues.push({ ...issue, number: 123, body: `${line}\nold`, labels: ['postgres-upgrade'] });
    await tell('check', 'failed');
    expect(github.issues).toHaveLength(123);
    expect(github.issues.slice(120).map(({ body }) => body.includes('failed=check'))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('is not asked for where nothing failed and none is open', async () => {
    expect(await tell('plan', 'success')).toEqual({ lines: [], warnings: [] });
    expect(github.issues).toEqual([]);
  });

  it('is none of a pull request', async () => {
    vi.stubEnv('INPUT_COMMENT', 'false');
    await tell('plan', 'failed', pullRequest());
    expect(github.requests).toEqual([]);
  });

  it('without the permission is a warning, and the run goes on', async () => {
    for (const token of github.tokens.values()) token.permissions = ['contents: read'];
    expect((await tell('rehearse', 'failed')).warnings).toEqual([
      'warning orders: issue: The issue could not be kept up to date: the token may not do it (HTTP 403); the job needs the permission issues: write.',
    ]);
  });

  it('has the way back and what to do in it', async () => {
    const { mode: _, result: __, ...record } = rolledBackRecord();
    await tell('upgrade', 'rolled-back', { name: 'push', payload: {} }, record);
    expect(github.issues[0]?.body).toBe(
      [
        line,
        '<!-- failed=upgrade -->',
        '## ↩️ orders is back on PostgreSQL 15.17: the server did not start with 15.18.',
        '',
        '| | |',
        '| - | - |',
      ].join('\n') + github.issues[0]?.body.slice(github.issues[0].body.indexOf('\n| **Target**')),
    );
    expect(github.issues[0]?.body).toContain('```sh\nsystemctl start storefront\n```');
  });
});
