/** What the pages say must be there: error codes, links, specs, workflows. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkIds } from '../../src/checks/catalogue.ts';
import { environmentSchema } from '../../src/environments/registry.ts';
import { loadSpec } from '../../src/spec/load.ts';
import { specSchema } from '../../src/spec/schema.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const files = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();

const sources = files('src/**/*.ts').map((file) => ({ file, text: read(file) }));
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...files('docs/**/*.md')];

/** Lines of a page outside of fenced blocks; indented blocks hold no links and no headings. */
function prose(text: string): string[] {
  let fenced = false;
  return text.split('\n').filter((line) => {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      return false;
    }
    return !fenced && !/^ {4}\S/.test(line);
  });
}

/** Anchors of a page as GitHub makes them: small letters, no punctuation, dashes for spaces, numbers for repetitions. */
function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const line of prose(text)) {
    const title = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (title === undefined) continue;
    const slug = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return found;
}

/** Why a link of a page leads nowhere; null where it is good. */
function fault(page: string, target: string): string | null {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : relative(root, join(root, dirname(page), decodeURIComponent(path)));
  if (!existsSync(join(root, file))) return `${page}: ${target}: no such file`;
  if (anchor === undefined || anchors(read(file)).has(anchor)) return null;
  return `${page}: ${target}: no such heading`;
}

describe('the slug of a heading', () => {
  it.each([
    ['## validation-facts', 'validation-facts'],
    ['### Where the interface had to change', 'where-the-interface-had-to-change'],
    ['## `paused`, or: what?', 'paused-or-what'],
    ['## snake_case & more', 'snake_case--more'],
    ['# [A link](x.md) here', 'a-link-here'],
  ])('%s', (line, slug) => expect([...anchors(line)]).toEqual([slug]));

  it('counts repetitions', () =>
    expect([...anchors('# Same\n## Same\n```\n# Same\n```')]).toEqual(['same', 'same-1']));
});

/** Codes in the first argument of an error's constructor, also where the call goes over lines, and in subclasses. */
const thrown = /(?:\bnew (?:UpgradeError|Failure)|\bsuper)\(\s*([^,()]+?)\s*,/g;
const calls = sources.flatMap(({ file, text }) =>
  [...text.matchAll(thrown)].map((match) => ({
    file,
    codes: [...(match[1] ?? '').matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)].map(([, code]) => code ?? ''),
  })),
);
const codes = [...new Set(calls.flatMap((call) => call.codes))].sort();

describe('docs/troubleshooting.md', () => {
  const titles = prose(read('docs/troubleshooting.md'))
    .filter((line) => line.startsWith('## '))
    .map((line) => line.slice(3));

  it('is compared with codes that were really found', () => {
    for (const code of ['blocked', 'binaries-replaced', 'cancelled', 'spec-missing', 'spec-value'])
      expect(codes).toContain(code);
  });

  it('has a section for every code that is thrown', () =>
    expect(codes.filter((code) => !titles.includes(code))).toEqual([]));

  it('has no section for a code that is not thrown', () =>
    expect(titles.filter((title) => !codes.includes(title))).toEqual([]));

  it('has its sections in order, each once', () => expect(titles).toEqual([...new Set(titles)].sort()));
});

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const targets = prose(read(page)).flatMap((line) =>
      [...line.replace(/`[^`]*`/g, 'code').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? ''),
    );
    const own = targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
    expect(own.map((target) => fault(page, target)).filter((what) => what !== null)).toEqual([]);
  });

  it('of errors lead somewhere', () => {
    const targets = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\bdocs: '([^']+)'/g)].map(([, target]) => ({ file, target: target ?? '' })),
    );
    expect(targets.length).toBeGreaterThan(5);
    const faults = targets.map(({ file, target }) => {
      const what = fault('docs/', `docs/${target}`);
      return what && `${file}: ${what}`;
    });
    expect(faults.filter((what) => what !== null)).toEqual([]);
  });

  it('of checks lead somewhere', () => {
    const ids = sources
      .filter(({ file }) => file.startsWith('src/checks/'))
      .flatMap(({ text }) => [...text.matchAll(/^ {2}id: '([a-z-]+)',$/gm)].map(([, id]) => id ?? ''));
    expect(ids.length).toBeGreaterThan(20);
    const known = anchors(read('docs/checks.md'));
    expect(ids.filter((id) => !known.has(id))).toEqual([]);
  });
});

/** Whole specs of a page: fenced as yaml, or indented by four spaces as docs/spec.md has them. */
function specsOf(page: string): string[] {
  const text = read(page);
  const fenced = [...text.matchAll(/^```ya?ml\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
  const indented = [...text.matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm)].map(([block]) =>
    block.replace(/^ {4}/gm, ''),
  );
  return [...fenced, ...indented].filter((block) => /^targets:/m.test(block));
}

describe('specs', () => {
  it.each(['README.md', 'docs/spec.md'])('of %s load', (page) => {
    const specs = specsOf(page);
    expect(specs.length).toBeGreaterThan(0);
    for (const spec of specs)
      expect(loadSpec(spec, page, specSchema(environmentSchema, checkIds)).length).toBeGreaterThan(0);
  });
});

interface WorkflowStep {
  uses?: string;
  with?: Record<string, unknown>;
}
interface Workflow {
  permissions?: unknown;
  jobs: Record<string, { permissions?: unknown; steps?: WorkflowStep[] }>;
}

describe.each(files('workflows/*.yml'))('%s', (file) => {
  const workflow = parse(read(file)) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, { steps = [] }]) => steps);
  const ours = steps.filter(({ uses }) => /^OWNER\/postgres-upgrade-action@/.test(uses ?? ''));
  const declared = Object.keys((parse(read('action.yml')) as { inputs: object }).inputs);

  it('passes only inputs that the action has', () => {
    expect(ours.length).toBeGreaterThan(0);
    const passed = ours.flatMap((step) => Object.keys(step.with ?? {}));
    expect(passed.filter((input) => !declared.includes(input))).toEqual([]);
  });

  it('says what each job may do', () => {
    const silent = jobs.filter(
      ([, job]) => job.permissions === undefined && workflow.permissions === undefined,
    );
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it('pins what is not ours by a full commit', () => {
    const others = steps.filter((step) => step.uses !== undefined && !ours.includes(step));
    expect(others.map(({ uses }) => uses).filter((uses) => !/@[0-9a-f]{40}$/.test(uses ?? ''))).toEqual([]);
  });
});
