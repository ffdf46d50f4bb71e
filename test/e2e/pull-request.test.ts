/** What GitHub's events get from the built action: a comment, a refusal, a list of targets, an issue. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
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

test('a pull request that changes more than the version runs nothing of it, and is told so, loudly', async () => {
  const ran = join(orders.workspace, 'ran');
  const clients = join(orders.workspace, 'bin');
  await mkdir(clients);
  for (const program of ['pg_dump', 'pg_restore', 'pg_dumpall'])
    await writeFile(
      join(clients, program),
      `#!/bin/sh\ntouch ${ran}\necho "${program} (PostgreSQL) 15.18"\n`,
      {
        mode: 0o755,
      },
    );
  await orders.spec({ more: `    backup: { clients: ${clients} }` });
  await base((spec) => spec.replace('15.18', '15.17').replace(/^.*clients.*$/m, ''));
  const request = pullRequest('octo-org/octo-repo', 'mona');
  for (const mode of ['plan', 'check', 'rehearse']) {
    await using refused = await orders.run(mode, on(request, { post: true }));
    expect([mode, refused.exitCode, refused.post?.exitCode, refused.outputs.result]).toEqual([
      mode,
      1,
      0,
      'refused',
    ]);
    expect(refused.annotations.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        title: 'orders: pull-request-change',
        message: expect.stringContaining(
          'This pull request changes more of orders than its version: backup.clients. The target was not opened.',
        ),
      }),
    ]);
  }
  expect(existsSync(ran)).toBe(false);
  expect(await orders.record()).toMatchObject({ result: 'refused', change: { others: ['backup.clients'] } });
  const [told] = github.comments;
  expect(told?.body).toContain(
    '**This is more than a version.** It also changes `backup.clients` of `orders`.',
  );
  expect(told?.body.split('\n')[1]).toMatch(
    /^## ⛔ orders: 15\.17 → 15\.18, minor version, and 1 other change: /,
  );

  // Only where the workflow says so: the programs of the pull request run then.
  await using allowed = await orders.run(
    'rehearse',
    on(request, { inputs: { 'pull-request-changes': 'allow' } }),
  );
  expect(allowed.annotations.map(({ title }) => title)).not.toContain('orders: pull-request-change');
  expect(existsSync(ran)).toBe(true);
});

test('SQL that a pull request brings is not asked, where the version stays too', async () => {
  await orders.spec({ version: '15.17', more: '    health: [ops/health.sql]' });
  await base((spec) => spec);
  await mkdir(join(orders.workspace, 'ops'));
  await writeFile(join(orders.workspace, 'ops/health.sql'), 'SELECT 2;\n');
  github.files.set(`${baseSha}:ops/health.sql`, 'SELECT 1;\n');
  await using result = await orders.run('check', on(pullRequest()));
  expect(result.outputs.result).toBe('refused');
  expect((await orders.record()).verdict).toBe(
    'This pull request changes more of orders than its version: ops/health.sql. The target was not opened. Nothing was changed.',
  );
  github.files.set(`${baseSha}:ops/health.sql`, 'SELECT 2;\n');
  await using same = await orders.run('check', on(pullRequest()));
  expect(same.annotations.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a rehearsal of a pull request that was killed is cleaned up by the post step', async () => {
  await base();
  await using running = orders.start('rehearse', on(pullRequest()));
  await running.line(/scratch server|copy/i);
  running.kill9();
  await using killed = await running.done;
  await using post = await runPost(killed);
  expect([post.exitCode, post.annotations.filter(({ level }) => level === 'error')]).toEqual([0, []]);
  expect(await orders.record()).toMatchObject({ result: 'cancelled', change: { kind: 'minor' } });
});

test('without a base, and on events that tell of none, no target is opened', async () => {
  github.plant({ route: /contents/, status: 500, message: 'Server Error' });
  await using unknown = await orders.run('plan', on(pullRequest()));
  expect((await orders.record()).verdict).toContain(
    'What this pull request changes at orders is not known (',
  );
  await using queue = await orders.run('plan', on({ name: 'merge_group', payload: {} }));
  expect((await orders.record()).verdict).toContain('What this event changes at orders is not known');
  expect([unknown.outputs.result, queue.outputs.result]).toEqual(['refused', 'refused']);
});

test('links of a pull request lead nowhere: neither the spec nor the reports', async () => {
  const outside = `${orders.workspace}-secret`;
  await writeFile(outside, 'aws_secret_access_key: wJalrXUtnFEMI\n');
  const spec = join(orders.workspace, 'linked.yaml');
  await symlink(outside, spec);
  await using read = await orders.run('list', on(pullRequest(), { inputs: { spec: 'linked.yaml' } }));
  expect(read.annotations.map(({ message }) => message.split('\n')[0])).toEqual([
    'The spec linked.yaml cannot be read: it leads out of the repository.',
  ]);
  expect(read.rawLog + read.summary).not.toContain('wJalr');

  await mkdir(join(orders.workspace, 'reports/orders'), { recursive: true });
  for (const name of ['spec.yaml', 'orders/report.json.tmp', 'orders/report.html'])
    await symlink(outside, join(orders.workspace, 'reports', name));
  const inputs = { 'output-directory': 'reports' };
  await using refused = await orders.run('plan', on(pullRequest(), { inputs }));
  expect(refused.annotations.map(({ title }) => title)).toEqual(['output-folder']);
  // Merged, they are the repository's own: but nobody's files are overwritten either.
  await using merged = await orders.run('plan', on(dispatch, { inputs }));
  expect(merged.exitCode).toBe(0);
  expect(await readFile(outside, 'utf8')).toBe('aws_secret_access_key: wJalrXUtnFEMI\n');
  for (const name of ['spec.yaml', 'orders/report.json', 'orders/report.html', 'orders/plan.json'])
    expect([name, (await lstat(join(orders.workspace, 'reports', name))).mode]).toEqual([name, 0o100600]);
  await rm(outside);
});

test('a key of the spec is no markdown in the summary', async () => {
  const spec = join(orders.workspace, 'hostile.yaml');
  await writeFile(
    spec,
    'version: 1\n"x\\n\\n## Approved\\n\\n[click](https://evil.example)\\n\\n": 1\ntargets: [{ name: a }]\n',
  );
  await using result = await orders.run('list', on(pullRequest(), { inputs: { spec: 'hostile.yaml' } }));
  const outsideOfBlocks = result.summary.replace(/^```\n[\s\S]*?^```$/gm, '');
  expect(outsideOfBlocks.trim()).toBe('## ❌ Nothing was started');
  expect(result.summary).toContain('"x\\n\\n## Approved');
});

test('a mask that is as short as a part of the digest is told', async () => {
  await using plain = await orders.run('plan', on(dispatch, { inputs: { variables: 'REPLICAS=1' } }));
  expect([plain.exitCode, plain.masks.includes('1')]).toEqual([0, false]);
  const digest = plain.outputs['plan-digest'] ?? '';
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  await using dropped = await orders.run(
    'plan',
    on(dispatch, { inputs: { variables: `PART=${digest.slice(10, 14)}` } }),
  );
  expect(dropped.annotations.map(({ level, title }) => [level, title])).toContainEqual(['error', 'outputs']);
});

test('a pull request that changes more, where the workflow allows it, is told so, loudly', async () => {
  await orders.spec({ more: '    backup: { prove: none }' });
  await base((spec) => spec.replace('15.18', '15.17').replace(/^.*prove.*$/m, ''));
  await using result = await orders.run(
    'plan',
    on(pullRequest('octo-org/octo-repo', 'mona'), {
      inputs: { 'at-merge': 'upgrade-minor', 'pull-request-changes': 'allow' },
    }),
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

test('a rehearsal that fails because a view breaks on the new version: the comment names the statement', async () => {
  const old = await target('14.23', '15.18', { sample: false });
  await using _ = old;
  await using connection = await old.server.connect();
  await connection.script('CREATE VIEW safe_to_stop AS SELECT NOT pg_is_in_backup() AS answer');
  const spec = await readFile(join(old.workspace, 'postgres-upgrade.yaml'), 'utf8');
  github.files.set(`${baseSha}:postgres-upgrade.yaml`, spec.replace('15.18', '14.23'));
  await using result = await old.run('rehearse', on(pullRequest()));
  expect([result.exitCode, result.outputs.result]).toEqual([1, 'failed']);
  const { body = '' } = github.comments[0] ?? {};
  expect(body.split('\n')[1]).toMatch(/^## ❌ orders: 14\.23 → 15\.18, major version: the rehearsal failed/);
  expect(body).toContain('function pg_is_in_backup() does not exist');
  expect(await old.version()).toBe('14.23');
});

test('the exact version cannot be had: it stops and says so; with nearest: allow it says what it ran on', async () => {
  const later = await target('15.17', '15.20', { sample: false });
  await using _ = later;
  const at = async (more = ''): Promise<void> => {
    await later.spec({ more });
    const spec = await readFile(join(later.workspace, 'postgres-upgrade.yaml'), 'utf8');
    github.files.set(`${baseSha}:postgres-upgrade.yaml`, spec.replace('15.20', '15.17'));
  };
  await at();
  await using refused = await later.run('rehearse', on(pullRequest()));
  expect([refused.exitCode, refused.outputs.result]).toEqual([1, 'failed']);
  expect(refused.summary).toContain('PostgreSQL 15.20 cannot be had for a scratch server.');

  await at('    rehearsal: { nearest: allow }');
  await using nearest = await later.run('rehearse', on(pullRequest()));
  expect([nearest.exitCode, nearest.outputs.result]).toEqual([0, 'success']);
  expect(github.comments).toHaveLength(1);
  // No program of the wanted version is here, so an upgrade would be refused, whatever the rehearsal says.
  expect(github.comments[0]?.body.split('\n')[1]).toMatch(
    /^## ⛔ orders: 15\.17 → 15\.20, minor version: rehearsed on 15\.18, not on 15\.20, but \d things? blocks? the upgrade$/,
  );
});
