/** Mode list on a pull request: what becomes of the comment of a target that no job comments any more. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readChanges } from '../../src/action/changes.ts';
import { listTargets } from '../../src/action/list.ts';
import { smallest } from '../spec/specs.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { bot, type User } from '../support/github-routes.ts';
import { baseSha, pullRequest, push, type SessionOptions, session, type TestSession } from './session.ts';

let github: GitHub;
beforeEach(async () => {
  github = await startGitHub();
  github.files.set(`${baseSha}:postgres-upgrade.yaml`, smallest);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await github[Symbol.asyncDispose]();
});

const mona: User = { login: 'mona', type: 'User' };
const marked = (target: string, spec = 'postgres-upgrade.yaml'): string =>
  `<!-- postgres-upgrade:comment spec=${spec} target=${target} -->`;
const plant = (user: User, body: string): void => {
  const id = 41 + github.comments.length;
  github.comments.push({ id, issue: 7, user, body, html_url: `https://github.com/c/${id}` });
};
const writes = (): string[] => github.requests.filter((request) => !request.startsWith('GET '));

async function list(options: Partial<SessionOptions> = {}): Promise<TestSession> {
  const run = session({
    spec: smallest,
    event: pullRequest(),
    github,
    ...options,
    inputs: { mode: 'list', ...options.inputs },
  });
  expect(await listTargets(run, await readChanges(run))).toBe(0);
  return run;
}

const left = (target: string, said: string): string =>
  `${marked(target)}
## ⏭️ ${target}: this pull request does not upgrade it

At this commit ${said} What stood here was of an earlier one.

<sub>Head \`${'a'.repeat(40)}\`, mode list.</sub>
`;

it('says that the version stays, or that the target is not there, once', async () => {
  for (const name of ['orders', 'gone']) plant(bot, `${marked(name)}\n## ✅ ${name}: 15.20 → 15.21`);
  using _ = await list();
  expect(github.comments.map(({ body }) => body)).toEqual([
    left('orders', 'its version stays.'),
    left('gone', 'it is not in the spec of this pull request. Nothing is done to it.'),
  ]);
  expect(writes()).toHaveLength(2);
  using __ = await list();
  expect(writes()).toHaveLength(2);
});

it('still warns of what else changes', async () => {
  plant(bot, `${marked('orders')}\nold`);
  using _ = await list({ spec: `${smallest}    pause: all\n` });
  expect(github.comments[0]?.body).toContain(
    '\n\n> [!WARNING]\n> It still changes `pause` of `orders`. Read these lines before you merge.\n\n',
  );
});

describe('leaves alone', () => {
  it('a target whose version changes, what others wrote, other specs and other markers', async () => {
    const bodies = [
      `${marked('orders')}\nnews`,
      `${marked('orders', 'other.yaml')}\nold`,
      `x\n${marked('gone')}`,
      '<!-- postgres-upgrade:comment spec=postgres-upgrade.yaml target=%E0%A4%A -->',
      marked('gone').replace('comment', 'issue'),
    ];
    for (const body of bodies) plant(bot, body);
    plant(mona, `${marked('gone')}\nmine`);
    github.files.set(`${baseSha}:postgres-upgrade.yaml`, smallest.replace('15.20', '15.19'));
    using _ = await list();
    expect(github.comments.map(({ body }) => body)).toEqual([...bodies, `${marked('gone')}\nmine`]);
    expect(writes()).toEqual([]);
  });

  it('everything where there is no comment, none is wanted, or nothing is proposed', async () => {
    using _ = await list();
    plant(bot, `${marked('gone')}\nold`);
    using __ = await list({ inputs: { comment: false } });
    using ___ = await list({ event: push() });
    expect(writes()).toEqual([]);
  });
});

it('is a line in the log where the token may not', async () => {
  plant(bot, `${marked('gone')}\nold`);
  for (const token of github.tokens.values()) token.permissions = ['contents: read'];
  using run = await list();
  expect(run.annotations).toEqual([]);
  expect(run.lines.at(-1)).toBe(
    'Comments of targets that the pull request leaves alone could not be updated: the token may not do it (HTTP 403); the job needs the permission pull-requests: write.',
  );
});
