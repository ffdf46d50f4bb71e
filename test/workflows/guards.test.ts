/** Which job runs when: the conditions of the workflows, evaluated on what GitHub says of an event. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { evaluate, truthy } from './evaluate.ts';
import { events } from './events.ts';
import { load, read } from './files.ts';

const condition = (file: string, job: string): string => load(read(file)).jobs[job]?.if ?? 'true';

const inputs = { authors: '["renovate[bot]"]', 'branch-prefix': 'renovate/' };
const forms = ['workflows/renovate-minor.yml', '.github/workflows/reusable-renovate-minor.yml'];

describe.each(forms)('%s', (file) => {
  const started = (job: string, more: object = {}): string[] =>
    Object.keys(events).filter((name) =>
      truthy(evaluate(condition(file, job), { github: events[name] ?? {}, inputs: { ...inputs, ...more } })),
    );

  it("rehearses Renovate's pull requests into the default branch, and nothing else", () => {
    expect(started('proposed')).toEqual(["Renovate's pull request", "Renovate's, and a person pushed to it"]);
  });

  it('upgrades on a push to the default branch, and nothing else', () => {
    expect(started('merged')).toEqual(['a push to the default branch']);
  });

  it.each([
    ['[]', false],
    ['["orders"]', true],
  ])('has a matrix only where a target changes: %s', (list, expected) => {
    const needs = {
      proposed: { outputs: { 'changed-targets': list } },
      merged: { outputs: { 'minor-targets': list } },
    };
    expect(truthy(evaluate(condition(file, 'rehearse'), { needs }))).toBe(expected);
    expect(truthy(evaluate(condition(file, 'upgrade'), { needs }))).toBe(expected);
  });

  it('lets neither rehearse nor upgrade start where the list was left out', () => {
    // No status function in the condition: GitHub puts success() in front, which is false behind a skipped job.
    for (const job of ['rehearse', 'upgrade'])
      expect(condition(file, job)).not.toMatch(/\b(always|failure|cancelled|success)\(\)/);
  });
});

describe('the inputs of the reusable workflow', () => {
  const [, file = ''] = forms;
  const start = (more: object): boolean =>
    truthy(
      evaluate(condition(file, 'proposed'), {
        github: events["Renovate's pull request"] ?? {},
        inputs: { ...inputs, ...more },
      }),
    );

  it.each([
    ['["shop-renovate[bot]", "renovate[bot]"]', true],
    ['["shop-renovate[bot]"]', false],
    // A string would be searched for a part of it; a list is compared member by member.
    ['["renovate[bot] and others"]', false],
    ['[]', false],
  ])('authors %s: %s', (authors, expected) => {
    expect(start({ authors })).toBe(expected);
  });

  it.each([
    ['renovate/', true],
    ['bot/', false],
  ])('branch-prefix %s: %s', (prefix, expected) => {
    expect(start({ 'branch-prefix': prefix })).toBe(expected);
  });

  it('refuses authors that are no JSON, with an error rather than a run', () => {
    expect(() => start({ authors: 'renovate[bot]' })).toThrow();
  });
});

describe.each(['workflows/manual-upgrade.yml', '.github/workflows/reusable-manual-upgrade.yml'])(
  '%s',
  (file) => {
    const jobs = ['plan', 'rehearse', 'upgrade', 'resume-or-rollback'];
    const started = (
      mode: string,
      more: {
        digest?: string;
        branch?: string;
        plan?: string;
        planned?: string;
        target?: string;
        cancelled?: boolean;
      },
    ) => {
      const github = events[`a person, on ${more.branch ?? 'the default'} branch`] ?? {};
      const result = more.plan ?? 'success';
      const target = more.target ?? 'success';
      const contexts = {
        github,
        inputs: { mode, digest: more.digest ?? '' },
        needs: {
          target: { result: target },
          plan: { outputs: { result, 'plan-digest': more.planned ?? 'b'.repeat(64) } },
        },
      };
      return jobs.filter((job) => {
        const text = condition(file, job);
        // Without a status function GitHub puts success() in front: behind a job that failed nothing starts.
        if (!/\b(always|failure|cancelled|success)\(\)/.test(text) && target !== 'success') return false;
        return truthy(evaluate(text, contexts, more.cancelled));
      });
    };

    it.each<[string, Parameters<typeof started>[1], string[]]>([
      ['plan', {}, ['plan']],
      ['plan', { branch: 'another' }, ['plan']],
      ['rehearse', {}, ['rehearse']],
      ['upgrade', {}, ['plan', 'upgrade']],
      ['upgrade', { plan: 'refused' }, ['plan']],
      ['upgrade', { plan: 'skipped' }, ['plan']],
      ['upgrade', { plan: '' }, ['plan']],
      // Several targets have no digest: nothing was approved that could be enforced.
      ['upgrade', { planned: '' }, ['plan']],
      ['plan', { target: 'failure' }, []],
      ['rehearse', { target: 'failure' }, []],
      ['upgrade', { target: 'failure' }, []],
      ['upgrade', { target: 'failure', digest: 'a'.repeat(64) }, []],
      ['upgrade', { target: 'cancelled', digest: 'a'.repeat(64) }, []],
      ['resume', { target: 'failure' }, []],
      ['rollback', { target: 'failure' }, []],
      ['upgrade', { digest: 'a'.repeat(64), plan: '' }, ['upgrade']],
      ['upgrade', { digest: 'a'.repeat(64), branch: 'another' }, []],
      ['upgrade', { branch: 'another' }, ['plan']],
      ['upgrade', { cancelled: true }, ['plan']],
      ['resume', {}, ['resume-or-rollback']],
      ['resume', { branch: 'another' }, []],
      ['rollback', {}, ['resume-or-rollback']],
      ['rollback', { branch: 'another' }, []],
      ['anything', {}, []],
    ])('mode %s, %j: %j', (mode, more, expected) => {
      expect(started(mode, more)).toEqual(expected);
    });

    it('lets every job wait for the look at the target', () => {
      const { target, ...others } = load(read(file)).jobs;
      expect(target?.if).toBeUndefined();
      expect(Object.entries(others).map(([name, { needs }]) => [name, needs])).toEqual([
        ['plan', 'target'],
        ['rehearse', 'target'],
        ['upgrade', ['target', 'plan']],
        ['resume-or-rollback', 'target'],
      ]);
    });

    it.each([
      ['orders', 0],
      ['a', 0],
      ['orders-2', 0],
      ['orders stock', 1],
      ['orders,stock', 1],
      ['orders\tstock', 1],
      ['orders\nstock', 1],
      ['orders\n', 1],
      [' orders', 1],
      ['', 1],
      ['Orders', 1],
      ['örders', 1],
      ['-orders', 1],
      ['orders-', 1],
      ['$(exit 0)', 1],
    ])('looks at the target %j: exit code %i, and says why', (target, code) => {
      const [step] = load(read(file)).jobs.target?.steps ?? [];
      expect(step?.env).toMatchObject({ TARGET: `\${{ inputs.target }}`, LC_ALL: 'C' });
      const { status, stdout, stderr } = spawnSync(
        'bash',
        ['-e', '-o', 'pipefail', '-c', step?.run ?? 'exit 9'],
        {
          env: { ...process.env, TARGET: target, LC_ALL: 'C' },
          encoding: 'utf8',
        },
      );
      expect([status, stderr]).toEqual([code, '']);
      expect(stdout).toMatch(code === 0 ? /^$/ : /^::error title=Not one target::.*one target.*\n$/);
    });

    it('upgrades with the digest that was given, else with that of the plan', () => {
      const step = load(read(file)).jobs.upgrade?.steps?.at(-1)?.with ?? {};
      const expression = step['plan-digest']?.replace(/^\$\{\{(.*)\}\}$/, '$1').trim() ?? '';
      const needs = { plan: { outputs: { 'plan-digest': 'planned' } } };
      expect(evaluate(expression, { inputs: { digest: '' }, needs })).toBe('planned');
      expect(evaluate(expression, { inputs: { digest: 'given' }, needs })).toBe('given');
    });

    it.each([
      ['none', ''],
      ['window', 'window'],
      ['window wave rehearsal', 'window wave rehearsal'],
    ])('override %s becomes "%s"', (override, expected) => {
      const step = load(read(file)).jobs.upgrade?.steps?.at(-1)?.with ?? {};
      const expression = step.override?.replace(/^\$\{\{(.*)\}\}$/, '$1').trim() ?? '';
      expect(evaluate(expression, { inputs: { override } })).toBe(expected);
    });
  },
);

describe('input runs-on', () => {
  const text = String(load(read('.github/workflows/reusable-renovate-minor.yml')).jobs.upgrade?.['runs-on']);
  const expression = text.replace(/^\$\{\{(.*)\}\}$/, '$1').trim();

  it.each<[string, unknown]>([
    ['"linux"', 'linux'],
    ['["self-hosted", "postgres"]', ['self-hosted', 'postgres']],
    ['{"orders": ["self-hosted", "orders-db"], "users": "users-db"}', ['self-hosted', 'orders-db']],
    ['{"group": "databases"}', { group: 'databases' }],
  ])('%s', (runsOn, expected) => {
    expect(evaluate(expression, { inputs: { 'runs-on': runsOn }, matrix: { target: 'orders' } })).toEqual(
      expected,
    );
  });
});
