/** What GitHub's events get from the built action: a comment, a refusal, a list of targets, an issue. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { baseSha, headSha, pullRequest, push } from '../action/session.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { type ActionOptions, runPost } from '../support/runner.ts';
import { secretsIn, type Target, target } from './support.ts';

let orders: Target;
let github: GitHub;

beforeAll(async () => {
  orders = await target('15.17', '15.18');
});
afterAll(() => orders?.[Symbol.asyncDispose]());

beforeEach(async () => {
  github = await startGitHub();
  await orders.spec();
});
afterEach(() => github[Symbol.asyncDispose]());

/** Puts the spec of the workspace, changed, at the base. */
async function base(
  change: (spec: string) => string = (spec) => spec.replace('15.18', '15.17'),
): Promise<void> {
  const spec = await readFile(join(orders.workspace, 'postgres-upgrade.yaml'), 'utf8');
  github.files.set(`${baseSha}:postgres-upgrade.yaml`, change(spec));
}

const on = (event: ActionOptions['event'], more: Partial<ActionOptions> = {}): Partial<ActionOptions> => ({
  ...more,
  ...(event ? { event } : {}),
  env: { ...github.environment, ...more.env },
});

const schedule = { name: 'schedule', payload: { schedule: '0 3 * * *' } };
const dispatch = { name: 'workflow_dispatch', payload: { inputs: {} } };

test('a pull request by Renovate gets one comment, and the next run leaves it alone', async () => {
  await base();
  await using first = await orders.run(
    'plan',
    on(pullRequest(), { inputs: { 'at-merge': 'upgrade-minor' } }),
  );
  expect([first.exitCode, first.annotations.filter(({ level }) => level === 'error')]).toEqual([0, []]);
  const [comment] = github.comments;
  expect(comment?.body.split('\n').slice(0, 2)).toEqual([
    '<!-- postgres-upgrade:comment spec=postgres-upgrade.yaml target=orders -->',
    expect.stringMatching(
      /^## (✅|⚠️) orders: 15\.17 → 15\.18, minor version: nothing blocks it, not rehearsed yet$/,
    ),
  ]);
  expect(comment?.body).toContain('| **At merge** | The target is upgraded to PostgreSQL 15.18. |');
  expect(comment?.body).toContain(`\`${headSha}\``);
  expect(secretsIn(comment?.body ?? 'nothing')).toEqual([]);
  expect((await orders.record()).change).toMatchObject({
    kind: 'minor',
    from: '15.17',
    to: '15.18',
    others: [],
  });
  expect(await orders.version()).toBe('15.17');

  await using second = await orders.run(
    'plan',
    on(pullRequest(), { inputs: { 'at-merge': 'upgrade-minor' } }),
  );
  expect(second.log).toContain('orders: the comment says all of it already.');
  expect(github.comments).toHaveLength(1);
});

test('a pull request by a person that changes more is told so, loudly', async () => {
  await orders.spec({ more: '    backup: { prove: none }' });
  await base((spec) => spec.replace('15.18', '15.17').replace(/^.*prove.*$/m, ''));
  await using result = await orders.run(
    'plan',
    on(pullRequest('octo-org/octo-repo', 'mona'), { inputs: { 'at-merge': 'upgrade-minor' } }),
  );
  expect(result.exitCode).toBe(0);
  const { body = '' } = github.comments[0] ?? {};
  expect(body).toContain('**This is more than a version.** It also changes `backup.prove` of `orders`.');
  expect(body).toContain(
    '| **At merge** | Nothing happens by itself: more of the target changes than its version (1 key).',
  );
});

test('a fork has neither secret nor permission: the summary says what the comment would', async () => {
  await base();
  for (const token of github.tokens.values()) token.permissions = ['contents: read', 'metadata: read'];
  await using result = await orders.run(
    'plan',
    on(pullRequest('mallory/octo-repo', 'mallory'), { env: { ORDERS_DATABASE_URL: '' } }),
  );
  expect(result.exitCode).toBe(1);
  expect(result.annotations.map(({ title }) => title)).toEqual(['orders: secret-missing', 'orders: comment']);
  expect(result.summary).toContain('a pull request from a fork gets a token that may only read');
  expect(result.summary).toContain('## ❌ orders: 15.17 → 15.18, minor version: no plan could be made');
  expect(github.comments).toEqual([]);
});

test.each(['upgrade', 'resume', 'rollback'])('mode %s is refused on a pull request', async (mode) => {
  await using result = await orders.run(mode, { ...on(pullRequest()), post: true });
  expect([result.exitCode, result.post?.exitCode]).toEqual([1, 0]);
  expect(result.annotations).toEqual([
    expect.objectContaining({
      level: 'error',
      title: 'pull-request',
      message: expect.stringContaining(`Mode ${mode} does not run on a pull request: nobody merged it yet.`),
    }),
  ]);
  expect(await orders.version()).toBe('15.17');
  expect(github.requests).toEqual([]);
});

test('a push lists what it changes, without a secret, and the post step has nothing to do', async () => {
  await base();
  await using result = await orders.run('list', {
    ...on(push(), { env: { ORDERS_DATABASE_URL: '' }, inputs: { artifacts: 'all' } }),
    post: true,
  });
  expect([result.exitCode, result.annotations]).toEqual([0, []]);
  expect([result.post?.exitCode, result.post?.log]).toEqual([0, '']);
  expect(result.outputs).toMatchObject({
    result: 'success',
    waves: '[{"wave":1,"targets":["orders"]}]',
    'changed-targets': '["orders"]',
    'minor-targets': '["orders"]',
  });
  expect(JSON.parse(result.outputs.targets ?? '')).toEqual([
    {
      name: 'orders',
      wave: 1,
      postgres: '15.18',
      environment: 'embedded',
      change: 'minor',
      from: '15.17',
      to: '15.18',
      ready: true,
      'waits-for': [],
    },
  ]);
  expect(result.summary).toContain('| `orders` | 1 | 15.17 → 15.18 | minor version | yes |');
});

test('a push whose base cannot be read upgrades nothing by itself', async () => {
  github.plant({ route: /contents/, status: 500, message: 'Server Error' });
  await using result = await orders.run('list', on(push()));
  expect(result.outputs).toMatchObject({ 'changed-targets': '["orders"]', 'minor-targets': '[]' });
  expect(result.annotations.map(({ level, title }) => [level, title])).toEqual([['warning', 'change']]);
});

test('a schedule opens an issue for what fails, and closes it when it is green', async () => {
  await orders.spec({ version: '15.16' });
  await using bad = await orders.run('plan', on(schedule, { inputs: { issue: 'true' } }));
  expect(bad.exitCode).toBe(1);
  expect(github.issues).toEqual([
    expect.objectContaining({ state: 'open', title: 'orders: PostgreSQL 15.16, mode plan: failed' }),
  ]);
  await orders.spec();
  await using good = await orders.run('plan', on(schedule, { inputs: { issue: 'true' } }));
  expect(good.exitCode).toBe(0);
  expect(github.issues[0]).toMatchObject({ state: 'closed', state_reason: 'completed' });
  expect(github.comments).toEqual([
    expect.objectContaining({ body: expect.stringMatching(/^✅ Green again, by /) }),
  ]);
});

test('a run by hand writes no comment and reads no base', async () => {
  await using result = await orders.run('plan', on(dispatch));
  expect(result.exitCode).toBe(0);
  expect((await orders.record()).change).toBeNull();
  // Only whether an earlier run measured the downtime.
  expect(github.requests.filter((request) => !/^GET .*(octo-repo|artifacts\?.*)$/.test(request))).toEqual([]);
});

test('a wanted version in a manifest is planned, and told with its place', async () => {
  const text = 'spec:\n  containers:\n    - image: postgres:15.18-bookworm\n';
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(orders.workspace, 'deploy'), { recursive: true });
  await writeFile(join(orders.workspace, 'deploy/db.yaml'), text);
  const file = join(orders.workspace, 'postgres-upgrade.yaml');
  const spec = (await readFile(file, 'utf8')).replace('"15.18"', '{ from: deploy/db.yaml, image: postgres }');
  await writeFile(file, spec);
  await base((same) => same);
  github.files.set(`${baseSha}:deploy/db.yaml`, text.replace('15.18', '15.17'));
  await using result = await orders.run('plan', on(pullRequest()));
  expect(result.exitCode).toBe(0);
  expect((await orders.record()).change).toMatchObject({
    kind: 'minor',
    from: '15.17',
    to: '15.18',
    others: [],
  });

  await writeFile(join(orders.workspace, 'deploy/db.yaml'), text.replace('15.18', '15'));
  await using loose = await orders.run('plan', on(pullRequest()));
  expect(loose.annotations).toEqual([
    expect.objectContaining({ title: 'manifest-image', file: 'deploy/db.yaml', line: 3, col: 14 }),
  ]);
});

test('a run that was killed opens its issue from the post step', async () => {
  await using running = orders.start('upgrade', on(dispatch, { inputs: { issue: 'true' } }));
  await running.line('Upgrade from PostgreSQL 15.17 to 15.18 starts.');
  running.kill9();
  await using killed = await running.done;
  await using post = await runPost(killed);
  expect(post.exitCode).toBe(0);
  expect(github.issues).toEqual([
    expect.objectContaining({ state: 'open', title: 'orders: PostgreSQL 15.18, mode upgrade: cancelled' }),
  ]);
});

test('a rehearsal after the plan updates the same comment', async () => {
  await base();
  await using plan = await orders.run('plan', on(pullRequest()));
  await using rehearsal = await orders.run('rehearse', on(pullRequest()));
  expect([plan.exitCode, rehearsal.exitCode]).toEqual([0, 0]);
  expect(github.comments).toHaveLength(1);
  const { body = '' } = github.comments[0] ?? {};
  expect(body).toContain(': rehearsed, nothing blocks it\n');
  expect(body).toMatch(/\| \*\*Rehearsal\*\* \| passed on 15\.18 from a backup of 15\.17, restored in /);
  expect(body).toContain('<summary>Rehearsal: passed</summary>');
  expect(await orders.version()).toBe('15.17');

  await using again = await orders.run('plan', on(pullRequest()));
  expect(again.exitCode).toBe(0);
  expect(github.comments[0]?.body).toContain(': nothing blocks it, rehearsed\n');
});
