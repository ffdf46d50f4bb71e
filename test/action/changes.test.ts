/** What a pull request or a push changes: from a real client's answers of the loopback API. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readChanges } from '../../src/action/changes.ts';
import { listOutputs, listSummary, listTargets } from '../../src/action/list.ts';
import { smallest } from '../spec/specs.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { baseSha, type Event, headSha, pullRequest, push, type SessionOptions, session } from './session.ts';

let github: GitHub;
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await github[Symbol.asyncDispose]();
});

const bumped = smallest.replace('15.20', '15.21');
const second = (text: string): string => text.split('targets:\n')[1]?.replace('orders', 'stock') ?? '';

async function changesOf(
  base: Record<string, string> | null,
  options: Partial<SessionOptions> = {},
): Promise<Record<string, unknown[]>> {
  for (const [name, text] of Object.entries(base ?? {})) github.files.set(`${baseSha}:${name}`, text);
  using open = session({ spec: bumped, event: pullRequest(), github, ...options });
  const changes = await readChanges(open);
  return Object.fromEntries(
    [...changes].map(([name, { kind, from, to, others, why }]) => [name, [kind, from, to, others, why]]),
  );
}

const spec = (text: string): Record<string, string> => ({ 'postgres-upgrade.yaml': text, 'README.md': '' });

describe('a pull request', () => {
  it('is compared with its base, at the SHA that the event names', async () => {
    for (const [name, text] of Object.entries(spec(smallest))) github.files.set(`${baseSha}:${name}`, text);
    using open = session({ spec: bumped, event: pullRequest(), github });
    expect([...(await readChanges(open)).values()]).toEqual([
      {
        event: 'pull_request',
        number: 7,
        base: baseSha,
        head: headSha,
        kind: 'minor',
        from: '15.20',
        to: '15.21',
        others: [],
        why: null,
      },
    ]);
    expect(github.requests).toEqual([
      `GET /repos/octo-org/octo-repo/contents/postgres-upgrade.yaml?ref=${baseSha}`,
    ]);
  });

  it('tells what else it changes, comments and order aside', async () => {
    const head = `# a comment\n${bumped}    backup: { prove: none }\nsoak: 1h\n`;
    expect(
      await changesOf(spec(`${smallest.replace('version: 1\n', '')}version: 1\n`), { spec: head }),
    ).toEqual({
      orders: ['minor', '15.20', '15.21', ['backup.prove', 'soak'], null],
    });
  });

  it('may change one of two, add one and remove one', async () => {
    expect(
      await changesOf(spec(`${smallest}${second(smallest)}${second(smallest).replace('stock', 'gone')}`), {
        spec: `${smallest}${second(bumped)}${second(smallest).replace('stock', 'fresh')}`,
      }),
    ).toEqual({
      orders: ['none', '15.20', '15.20', [], null],
      stock: ['minor', '15.20', '15.21', [], null],
      fresh: ['new', null, '15.20', [], null],
      gone: ['removed', '15.20', null, [], null],
    });
  });

  it('is read where the base has a spec that this version refuses', async () => {
    expect(await changesOf(spec(`${smallest}    watch: 1h\n`))).toEqual({
      orders: ['minor', '15.20', '15.21', ['watch'], null],
    });
  });

  it('tells the SQL files that it changes, adds, or that the base does not show', async () => {
    const health = '    health: [a.sql, b.sql, c.sql]\n    rehearsal: { smoke: [a.sql, d.sql] }\n';
    const files = { 'a.sql': 'SELECT 1', 'b.sql': 'SELECT 2', 'c.sql': 'SELECT 3', 'd.sql': 'SELECT 4' };
    const there = { ...files, 'b.sql': 'DROP TABLE x', 'c.sql': '' } as Record<string, string>;
    delete there['d.sql'];
    github.plant({ route: /c\.sql/, status: 500 });
    expect(
      await changesOf({ ...spec(smallest + health), ...there }, { spec: bumped + health, files }),
    ).toEqual({ orders: ['minor', '15.20', '15.21', ['b.sql', 'c.sql', 'd.sql'], null] });
  });

  it('tells changed files of a target whose version stays too; a push is not asked for them', async () => {
    const health = '    health: [a.sql, b.sql]\n';
    const head = { spec: smallest + health, files: { 'a.sql': 'SELECT 1', 'b.sql': 'COPY x TO PROGRAM' } };
    const base = { ...spec(smallest + health), 'a.sql': 'SELECT 1', 'b.sql': 'SELECT 2' };
    expect(await changesOf(base, head)).toEqual({ orders: ['none', '15.20', '15.20', ['b.sql'], null] });
    const before = github.requests.length;
    expect(await changesOf(base, { ...head, event: push() })).toEqual({
      orders: ['none', '15.20', '15.20', [], null],
    });
    expect(github.requests.length - before).toBe(1);
  });

  it('brings new targets where the base has no spec', async () => {
    expect(await changesOf({ 'README.md': '' })).toEqual({ orders: ['new', null, '15.21', [], null] });
  });

  it('is not taken at its word about the base', async () => {
    const event = pullRequest();
    const { pull_request: request } = event.payload as { pull_request: object };
    Object.assign(request, { body: 'postgres 15.20 to 15.21', title: 'minor' });
    expect(await changesOf(spec(smallest.replace('15.20', '14.9')), { event })).toEqual({
      orders: ['major', '14.9', '15.21', [], null],
    });
  });
});

describe('a manifest', () => {
  const named = smallest.replace('"15.20"', '{ from: deploy/db.yaml, image: postgres }');
  const manifest = (tag: string): string => `spec:\n  image: postgres:${tag}\n`;

  it.each([
    ['15.20-bookworm', '15.21-bookworm', ['minor', '15.20', '15.21', [], null]],
    ['15.20-bookworm', '15.21-trixie', ['distribution', '15.20-bookworm', '15.21-trixie', [], null]],
    ['15.20', '16.1', ['major', '15.20', '16.1', [], null]],
    ['15.20', '15.20', ['none', '15.20', '15.20', [], null]],
    [
      '15',
      '15.21',
      ['unknown', null, '15.21', [], 'deploy/db.yaml:2:10 has postgres:15, which names no minor version.'],
    ],
  ])('from %s to %s', async (from, to, expected) => {
    expect(
      await changesOf(
        { ...spec(named), 'deploy/db.yaml': manifest(from) },
        { spec: named, files: { 'deploy/db.yaml': manifest(to) } },
      ),
    ).toEqual({ orders: expected });
  });

  it('that takes over from a version in the spec is more than a version', async () => {
    expect(
      await changesOf(spec(smallest), { spec: named, files: { 'deploy/db.yaml': manifest('15.21') } }),
    ).toEqual({ orders: ['minor', '15.20', '15.21', ['postgres.from', 'postgres.image'], null] });
  });

  it('that the base does not have is unknown', async () => {
    expect(
      await changesOf(spec(named), { spec: named, files: { 'deploy/db.yaml': manifest('15.21') } }),
    ).toEqual({
      orders: ['unknown', null, '15.21', [], 'deploy/db.yaml does not exist at bbbbbbbbbbbb'],
    });
  });

  it('outside of the repository is not asked for', async () => {
    const evil = smallest.replace('"15.20"', '{ from: ../../../user, image: postgres }');
    expect(await changesOf(spec(evil))).toEqual({
      orders: ['unknown', null, '15.21', [], 'its manifest ../../../user lies outside of the repository'],
    });
    expect(github.requests).toHaveLength(1);
  });
});

describe('a base that cannot be read', () => {
  const permissions = (list: string[]) => {
    for (const token of github.tokens.values()) token.permissions = list as never;
  };

  it.each<[string, () => void, string]>([
    [
      'without the permission',
      () => permissions(['pull-requests: write']),
      'postgres-upgrade.yaml could not be read at bbbbbbbbbbbb: the token may not do it (HTTP 403); the job needs the permission contents: read',
    ],
    [
      'without the commit',
      () => {},
      'postgres-upgrade.yaml could not be read at bbbbbbbbbbbb: it is not there, or the token may not see it (HTTP 404); the job needs the permission contents: read',
    ],
    [
      'with a server that fails',
      () => github.plant({ route: /contents/, status: 502, message: 'Bad Gateway' }),
      'postgres-upgrade.yaml could not be read at bbbbbbbbbbbb: GitHub answered HTTP 502: Bad Gateway',
    ],
    [
      'at the rate limit',
      () =>
        github.plant({
          route: /contents/,
          status: 403,
          headers: { 'retry-after': '30' },
          message: 'You have exceeded a secondary rate limit',
        }),
      "postgres-upgrade.yaml could not be read at bbbbbbbbbbbb: GitHub's rate limit is used up; it asks to wait 30 s",
    ],
    [
      'with a connection that breaks',
      () => github.plant({ route: /contents/, status: 'reset' }),
      'postgres-upgrade.yaml could not be read at bbbbbbbbbbbb: GitHub cannot be reached: other side closed',
    ],
  ])('%s is unknown, and no minor version', async (_, plant, why) => {
    plant();
    expect(await changesOf(null)).toEqual({ orders: ['unknown', null, '15.21', [], why] });
  });

  it('is unknown where it is too large or no YAML', async () => {
    expect(await changesOf(spec(`a: "${'x'.repeat(1024 * 1024)}"`))).toEqual({
      orders: ['unknown', null, '15.21', [], 'postgres-upgrade.yaml is larger than 1 MiB'],
    });
    expect(await changesOf(spec('targets: ['))).toEqual({
      orders: ['unknown', null, '15.21', [], expect.stringContaining('is not valid YAML')],
    });
  });
});

describe('other events', () => {
  it('push: compared with what was there before', async () => {
    expect(await changesOf(spec(smallest), { event: push() })).toEqual({
      orders: ['minor', '15.20', '15.21', [], null],
    });
  });

  it('push of a new branch: all is new, nobody is asked', async () => {
    expect(await changesOf(null, { event: push('0'.repeat(40)) })).toEqual({
      orders: ['new', null, '15.21', [], null],
    });
    expect(github.requests).toEqual([]);
  });

  it.each<[string, Event]>([
    ['schedule', { name: 'schedule', payload: { schedule: '0 3 * * *' } }],
    ['workflow_dispatch', { name: 'workflow_dispatch', payload: { inputs: {} } }],
    ['a pull request without a number', { name: 'pull_request', payload: { pull_request: {} } }],
  ])('%s: nothing', async (_, event) => {
    expect(await changesOf(spec(smallest), { event })).toEqual({});
    expect(github.requests).toEqual([]);
  });
});

describe('mode list', () => {
  it('gives a matrix in the order of waves, without a secret', async () => {
    const text = `${bumped}    wave: 2\n${second(bumped)}`;
    for (const [name, each] of Object.entries(
      spec(`${smallest}    wave: 2\n${second(smallest)}    pause: all\n`),
    ))
      github.files.set(`${baseSha}:${name}`, each);
    using open = session({ spec: text, event: push(), github, inputs: { mode: 'list' } });
    const changes = await readChanges(open);
    expect(await listTargets(open, changes)).toBe(0);
    expect(open.annotations).toEqual([]);
    const [first, last] = open.lines;
    expect(first).toBe('stock: PostgreSQL 15.21, wave 1, minor version, ready');
    expect(last).toMatch(/^orders: PostgreSQL 15\.21, wave 2, minor version, waits: stock \(wave 1\): /);
    expect(open.summary()).toMatch(
      /^## Targets \(2\)\n\n\| Target \| Wave \| PostgreSQL \| Change \| Ready \|\n/,
    );
  });

  const listed = (name: string, wave: number, ready: boolean, change: 'minor' | 'major' | 'none' | null) => ({
    name,
    wave,
    postgres: '15.21',
    environment: 'embedded',
    change,
    from: change === null ? null : '15.20',
    to: change === null ? null : '15.21',
    ready,
    'waits-for': ready ? [] : ['stock (wave 1): its upgrade is paused'],
  });
  const change = (kind: 'minor' | 'major' | 'none', others: string[] = []) => ({
    event: 'push' as const,
    number: null,
    base: baseSha,
    head: headSha,
    kind,
    from: '15.20',
    to: '15.21',
    others,
    why: null,
  });

  it('puts into waves what is ready, and into minor-targets what is a minor version alone', () => {
    const all = [
      listed('a', 1, true, 'minor'),
      listed('b', 1, true, 'major'),
      listed('c', 2, false, 'minor'),
      listed('d', 3, true, 'none'),
    ];
    const changes = new Map([
      ['a', change('minor')],
      ['b', change('major')],
      ['c', change('minor', ['backup.prove'])],
      ['d', change('none')],
    ]);
    expect(listOutputs(all, changes)).toEqual({
      result: 'success',
      changed: 'false',
      targets: JSON.stringify(all),
      waves: '[{"wave":1,"targets":["a","b"]},{"wave":3,"targets":["d"]}]',
      'changed-targets': '["a","b","c"]',
      'minor-targets': '["a"]',
    });
    expect(listSummary(all, changes)).toBe(
      [
        '## Targets (4)',
        '',
        '| Target | Wave | PostgreSQL | Change | Ready |',
        '| - | - | - | - | - |',
        '| `a` | 1 | 15.20 → 15.21 | minor version | yes |',
        '| `b` | 1 | 15.20 → 15.21 | major version | yes |',
        '| `c` | 2 | 15.20 → 15.21 | minor version, and 1 more: `backup.prove` | stock (wave 1): its upgrade is paused |',
        '| `d` | 3 | 15.20 → 15.21 | the version stays | yes |',
      ].join('\n'),
    );
  });

  it('stays below what GitHub takes, with 256 targets of which half wait for the other half', () => {
    const why = (index: number): string => `target-${index} (wave 1): ${'its upgrade is paused '.repeat(20)}`;
    const waits = Array.from({ length: 128 }, (_, index) => why(index));
    const all = Array.from({ length: 256 }, (_, index) => ({
      ...listed(`target-${index}`, index < 128 ? 1 : 2, index < 128, 'minor' as const),
      'waits-for': index < 128 ? [] : waits,
    }));
    const changes = new Map(all.map(({ name }) => [name, change('minor')]));
    const outputs = listOutputs(all, changes);
    const bytes = Object.values(outputs).reduce((total, value) => total + Buffer.byteLength(value), 0);
    expect(bytes).toBeLessThan(500_000);
    const last = (JSON.parse(outputs.targets ?? '') as { 'waits-for': string[] }[]).at(-1)?.['waits-for'];
    expect([last?.length, last?.at(-1)]).toEqual([4, 'and 125 more']);
    expect(last?.[0]).toMatch(/^target-0 \(wave 1\): its upgrade is paused .*… \(\d+ more characters\)$/);
    expect(Buffer.byteLength(listSummary(all, changes))).toBeLessThan(1_048_576);
  });

  it('says little without a change', () => {
    expect(listOutputs([listed('a', 1, true, null)], new Map())).toMatchObject({
      'changed-targets': '[]',
      'minor-targets': '[]',
    });
  });
});
