/** All workflows by our own rules; that the rules see faults; and that copies and reusable workflows say the same. */
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  all,
  callers,
  copies,
  files,
  load,
  placeholder,
  read,
  reusable,
  self,
  type Workflow,
} from './files.ts';
import { findings } from './language.ts';
import { faults, targetFaults } from './rules.ts';

const renovate = 'workflows/renovate-minor.yml';
const manual = 'workflows/manual-upgrade.yml';

function planted(file: string, from: string | RegExp, to: string): string {
  const text = read(file);
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${file} has no ${from}`);
  return changed;
}

describe('our rules', () => {
  it.each(all)('find nothing in %s', (file) => {
    expect(faults(read(file))).toEqual([]);
  });

  it.each([...copies, ...reusable])('find one run a target, and changes in environments, in %s', (file) => {
    expect(targetFaults(read(file))).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string[]]>([
    [
      renovate,
      'outputs.minor-targets }}',
      'outputs.minors }}',
      ['merged: steps.list.outputs.minors is no output of the action'],
    ],
    [renovate, 'at-merge:', 'on-merge:', ['rehearse: no input on-merge']],
    [renovate, '    timeout-minutes: 10\n', '', ['proposed: no timeout-minutes']],
    [
      renovate,
      /@3d3c42e5\w+ # v7.0.1/,
      '@v7',
      ['proposed: actions/checkout@v7 is not pinned by a full commit'],
    ],
    [renovate, ' # v7.0.1', '', ['a pin without its version']],
    [
      renovate,
      'persist-credentials: false',
      'persist-credentials: true',
      ['proposed: checkout leaves its token on the disk'],
    ],
    [renovate, '  pull_request:', '  pull_request_target:', ['pull_request_target']],
    [
      '.github/workflows/ci.yml',
      /^on:\n(?: .*\n)+/m,
      'on: [push, pull_request_target]\n',
      ['pull_request_target'],
    ],
    [renovate, ' # the comment\n', '\n', ['a permission without its reason']],
    [
      renovate,
      "    # An empty matrix is an error, so: only where a target's version changes.\n",
      '',
      ['a condition without its reason'],
    ],
    [renovate, 'permissions: {}', 'permissions: read-all', ['permissions at the top are not {}']],
    [
      renovate,
      'mode: list',
      `mode: list\n      - run: echo \${{ github.head_ref }}`,
      ['proposed: an expression in run'],
    ],
    [
      'workflows/short/manual-upgrade.yml',
      /secrets:\n.*/,
      'secrets: inherit',
      ['postgres: all secrets go to another file'],
    ],
  ])('see the fault in %s: %s', (file, from, to, expected) => {
    expect(faults(planted(file, from, to)).map((fault) => fault.replace(/^line \d+: /, ''))).toEqual(
      expected,
    );
  });

  it.each<[string, string | RegExp, string, string[]]>([
    [renovate, 'queue: max', 'queue: single', ['rehearse: not one run a target']],
    [
      renovate,
      `group: postgres-upgrade-\${{ matrix.target }}`,
      'group: rehearse',
      ['rehearse: not one run a target'],
    ],
    [renovate, '    environment: postgres-minor\n', '', ['upgrade: not the environment of upgrade']],
    [renovate, 'mode: rehearse\n', 'mode: upgrade\n', ['rehearse: not the environment of upgrade']],
    [
      renovate,
      'permissions: {}',
      'permissions: {}\nconcurrency: postgres',
      ['a group for the whole workflow'],
    ],
    [
      renovate,
      'mode: list',
      `mode: list\n          variables: \${{ secrets.X }}`,
      ['proposed: list needs no secret'],
    ],
    [
      manual,
      / {4}environment: postgres # approval.*\n/,
      '',
      [`resume-or-rollback: not the environment of \${{ inputs.mode }}`],
    ],
  ])('see the target at risk in %s: %s', (file, from, to, expected) => {
    expect(targetFaults(planted(file, from, to))).toEqual(expected);
  });
});

type CallInputs = Record<string, { default?: unknown }>;

/** The jobs of a reusable workflow with the defaults of its inputs in place of them, and our action as copies name it. */
function settled(file: string): Workflow['jobs'] {
  const text = read(file);
  const inputs = (load(text).on.workflow_call as { inputs: CallInputs }).inputs;
  const dispatched = ['target', 'mode', 'digest', 'override'];
  let plain = text.replaceAll(self, placeholder);
  for (const [name, { default: value }] of Object.entries(inputs)) {
    if (dispatched.includes(name)) continue;
    plain = plain
      .replaceAll(`\${{ inputs.${name} }}`, JSON.stringify(value))
      .replaceAll(new RegExp(`\\binputs\\.${name}(?![\\w-])`, 'g'), `'${value}'`);
  }
  return load(plain).jobs;
}

describe('copy and reusable workflow', () => {
  it.each(copies.map((file) => [file, `.github/workflows/reusable-${file.slice('workflows/'.length)}`]))(
    '%s and %s say the same',
    (copy, shared) => {
      const strip = (jobs: Workflow['jobs'], withSpec: boolean) =>
        Object.entries(jobs).map(([name, { 'runs-on': _where, ...job }]) => ({
          name,
          ...job,
          steps: job.steps?.map((step) => {
            const { spec, ...rest } = step.with ?? {};
            // The copy relies on the action's default; the reusable workflow hands its own on, which is the same.
            expect(spec).toBe(withSpec && step.uses === placeholder ? 'postgres-upgrade.yaml' : undefined);
            return { ...step, with: rest };
          }),
        }));
      expect(strip(settled(shared), true)).toEqual(strip(load(read(copy)).jobs, false));
    },
  );

  it.each(callers)('%s is short, and starts when its copy does', (file) => {
    const text = read(file);
    const copy = load(read(file.replace('short/', '')));
    expect(text.split('\n').length).toBeLessThan(30);
    expect(Object.keys(load(text).on)).toEqual(Object.keys(copy.on));
    expect(load(text).on.schedule).toEqual(copy.on.schedule);
  });

  it.each(callers)('%s gives the called jobs what they ask for, and no more', (file) => {
    const { uses = '', permissions = {} } = load(read(file)).jobs.postgres ?? {};
    const called = load(read(`.github/workflows/${/reusable-[\w-]+\.yml/.exec(uses)?.[0]}`));
    const wanted = Object.assign({}, ...Object.values(called.jobs).map((job) => job.permissions));
    expect(permissions).toEqual(wanted);
  });
});

describe('what only reads', () => {
  it('has no permission but to comment or to open an issue; what changes has none at all', () => {
    const jobs = [...copies, ...reusable].flatMap((file) => Object.values(load(read(file)).jobs));
    const written = (change: boolean): string[] =>
      jobs
        .filter(
          ({ environment = '' }) =>
            change === /^(postgres|postgres-minor)$|inputs\.environment/.test(environment),
        )
        .flatMap(({ permissions = {} }) => Object.entries(permissions))
        .filter(([, level]) => level === 'write')
        .map(([name]) => name)
        .sort();
    expect(written(true)).toEqual([]);
    expect([...new Set(written(false))]).toEqual(['issues', 'pull-requests']);
  });

  it('lists with outputs that the matrix then takes', () => {
    for (const file of [renovate, '.github/workflows/reusable-renovate-minor.yml']) {
      const { rehearse, upgrade } = load(read(file)).jobs;
      expect(rehearse?.strategy?.matrix).toEqual({
        target: `\${{ fromJSON(needs.proposed.outputs.changed-targets) }}`,
      });
      expect(upgrade?.strategy).toEqual({
        'fail-fast': true,
        'max-parallel': 1,
        matrix: { target: `\${{ fromJSON(needs.merged.outputs.minor-targets) }}` },
      });
    }
  });
});

describe('pins', () => {
  const pages = [...files('*.md'), ...files('docs/*.md')];

  it('of an action are the same everywhere', () => {
    const pins = [...all, ...pages].flatMap((file) =>
      [...read(file).matchAll(/uses: *((?!OWNER)[\w.-]+\/[\w.-]+)@(\S+(?: # \S+)?)/g)].map(
        ([, name = '', pin = '']) => `${name} ${pin}`,
      ),
    );
    expect(pins.length).toBeGreaterThan(15);
    expect([...new Set(pins)]).toEqual([
      'actions/checkout 3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
    ]);
  });
});

describe('the comments of a pull request', () => {
  it.each([renovate, '.github/workflows/reusable-renovate-minor.yml'])(
    'may be written by both of its jobs, and by none after the merge: %s',
    (file) => {
      const { jobs } = load(read(file));
      const may = Object.keys(jobs).filter((name) => jobs[name]?.permissions?.['pull-requests'] === 'write');
      expect(may).toEqual(['proposed', 'rehearse']);
    },
  );
});

describe('workflows in the documentation', () => {
  const blocks = [...files('*.md'), ...files('docs/*.md')].flatMap((page) =>
    [...read(page).matchAll(/^```ya?ml\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
      /^jobs:/m.test(block) ? [[page, block] as const] : [],
    ),
  );

  it('are found', () => expect(blocks.map(([page]) => page)).toContain('README.md'));

  it.each(blocks)('of %s are as good as those to copy', async (_page, block) => {
    expect([await findings(block), faults(block)]).toEqual([[], []]);
  });

  it('shows lines of the manual workflow as they are', () => {
    const [, section = ''] = /^## Approving\n(.*?)^## /ms.exec(read('docs/plans.md')) ?? [];
    const lines = [...section.matchAll(/^ {4}(.+)$/gm)].map(([, line = '']) => line.trim());
    expect(lines.length).toBeGreaterThan(2);
    const there = read(manual)
      .split('\n')
      .map((line) => line.trim());
    expect(lines.filter((line) => !there.includes(line))).toEqual([]);
  });
});

describe('the action that reusable workflows use', () => {
  const below = `${self.slice('$/'.length)}/action.yml`;

  it('is action.yml, with the way to the same dist', () => {
    const { runs, ...words } = parse(read(below)) as { runs: { main: string; post: string } };
    const { runs: own, ...ownWords } = parse(read('action.yml')) as { runs: { main: string; post: string } };
    expect(words).toEqual(ownWords);
    expect(runs).toEqual({ ...own, main: runs.main, post: runs.post });
    for (const part of ['main', 'post'] as const)
      expect(posix.join(posix.dirname(below), runs[part])).toBe(own[part]);
  });
});

describe('the spec that the workflows ask for', () => {
  it('is examples/rehearsal.yaml, and the heads of the workflows point to it', () => {
    const { targets } = parse(read('examples/rehearsal.yaml')) as {
      targets: { backup: Record<string, unknown>; rehearsal: Record<string, unknown> }[];
    };
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) {
      expect(target.backup['encrypt-to']).toHaveLength(1);
      expect(target.rehearsal.identity).toBe('env:BACKUP_IDENTITY');
      expect(target).toHaveProperty('require-rehearsal');
    }
    const workflows = [...copies, ...reusable, ...callers].filter((file) => !file.includes('manual'));
    expect(workflows).toHaveLength(6);
    for (const file of workflows) {
      const head = read(file).split(/^name:/m)[0] ?? '';
      expect(head, file).toContain('backup.encrypt-to');
      expect(head, file).toContain('examples/rehearsal.yaml');
    }
    for (const page of ['README.md', 'docs/workflows.md'])
      expect(read(page)).toContain('examples/rehearsal.yaml');
  });
});
