/** The Renovate preset: what Renovate finds by it, and what it then writes. */
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { files, read } from './files.ts';

interface Manager {
  customType: string;
  fileFormat: string;
  managerFilePatterns: string[];
  matchStrings: string[];
  datasourceTemplate: string;
  versioningTemplate: string;
}
interface Preset {
  customManagers: [Manager];
  kubernetes: { managerFilePatterns: string[] };
  packageRules: Record<string, unknown>[];
}

const preset = JSON.parse(read('workflows/renovate-preset.json')) as Preset;
const [manager] = preset.customManagers;

interface Found {
  depName?: string;
  currentValue?: string;
  depType?: string;
}

/** As Renovate extracts: all documents of the file, each query, one result or a list of them. */
async function extract(text: string): Promise<Found[]> {
  const documents = parseAllDocuments(text).map((each) => each.toJS() as unknown);
  const results = await Promise.all(manager.matchStrings.map((query) => jsonata(query).evaluate(documents)));
  // Plain objects and arrays: jsonata marks its own.
  return JSON.parse(JSON.stringify(results.flat().filter((each) => each !== undefined))) as Found[];
}

/**
 * As Renovate writes: one occurrence of the old value after the other is replaced, until the file read anew has the
 * new value at this dependency and all others as they were.
 */
async function bump(text: string, index: number, to: string): Promise<string> {
  const before = await extract(text);
  const from = before[index]?.currentValue ?? '';
  const wanted = before.map((each, at) => (at === index ? { ...each, currentValue: to } : each));
  for (let at = text.indexOf(from); at !== -1; at = text.indexOf(from, at + 1)) {
    const tried = text.slice(0, at) + to + text.slice(at + from.length);
    if (JSON.stringify(await extract(tried)) === JSON.stringify(wanted)) return tried;
  }
  throw new Error(`${from} could not be replaced`);
}

/** A pattern as Renovate reads it: between slashes a regular expression, with ! in front its contrary. */
function matches(pattern: string, text: string): boolean {
  const [, not, body] = /^(!?)\/(.*)\/$/.exec(pattern) ?? [];
  if (body === undefined) throw new Error(`${pattern} is a glob`);
  return new RegExp(body).test(text) === (not === '');
}

const fleet = `version: 1
targets:
  # orders ran 15.18 before
  - name: orders
    postgres: "15.18"
    connection: env:ORDERS_DATABASE_URL
  - name: users
    postgres: '15.18' # like orders
    connection: env:USERS_DATABASE_URL
  - name: mail
    connection: env:MAIL_DATABASE_URL
    postgres: { from: deploy/mail/statefulset.yaml, image: postgres }
  - name: shop
    postgres: "16.14"
    connection: env:SHOP_DATABASE_URL
`;

describe('the manager of the spec', () => {
  it('has what Renovate requires', () => {
    expect(manager).toMatchObject({
      customType: 'jsonata',
      fileFormat: 'yaml',
      datasourceTemplate: 'docker',
      versioningTemplate: 'docker',
    });
  });

  it.each([
    ['postgres-upgrade.yaml', true],
    ['postgres-upgrade.yml', true],
    ['ops/postgres-upgrade.yaml', true],
    ['my-postgres-upgrade.yaml', false],
    ['postgres-upgrade.yaml.bak', false],
    ['postgres-upgradeXyaml', false],
    ['.github/workflows/postgres-upgrade.yml', true],
  ])('looks at %s: %s', (path, expected) => {
    expect(manager.managerFilePatterns.some((pattern) => matches(pattern, path))).toBe(expected);
  });

  it('finds every version that the spec itself holds, with the name of its target', async () => {
    expect(await extract(fleet)).toEqual([
      { depName: 'postgres', currentValue: '15.18', depType: 'orders' },
      { depName: 'postgres', currentValue: '15.18', depType: 'users' },
      { depName: 'postgres', currentValue: '16.14', depType: 'shop' },
    ]);
  });

  it.each(files('examples/*.yaml'))('finds what %s says, and nothing else', async (file) => {
    const text = read(file);
    const { targets } = parse(text) as { targets: { name: string; postgres: unknown }[] };
    const own = targets.filter(({ postgres }) => typeof postgres === 'string');
    expect(await extract(text)).toEqual(
      own.map(({ name, postgres }) => ({ depName: 'postgres', currentValue: postgres, depType: name })),
    );
  });

  it.each([
    ['a version from a manifest', 'targets:\n  - name: a\n    postgres: { from: x.yaml, image: postgres }\n'],
    ['a number, which the action refuses', 'targets:\n  - name: a\n    postgres: 15.18\n'],
    ['no version', 'targets:\n  - name: a\n'],
    ['a workflow of the same name', 'on: push\njobs:\n  a:\n    runs-on: x\n'],
    ['an empty file', ''],
  ])('finds nothing in %s', async (_what, text) => {
    expect(await extract(text)).toEqual([]);
  });

  it.each([
    [0, 5, '    postgres: "15.20"'],
    [1, 8, "    postgres: '15.20' # like orders"],
    [2, 14, '    postgres: "15.20"'],
  ])('writes dependency %i into line %i and nowhere else', async (index, line, expected) => {
    const lines = fleet.split('\n');
    lines[line - 1] = expected;
    expect(await bump(fleet, index, '15.20')).toBe(lines.join('\n'));
  });
});

describe('the rules', () => {
  const rules = preset.packageRules;

  it('are about PostgreSQL from images only', () => {
    for (const { matchDatasources, matchPackageNames } of rules) {
      expect(matchDatasources).toEqual(['docker']);
      const names = matchPackageNames as string[];
      const hit = (name: string): boolean => names.some((pattern) => matches(pattern, name));
      expect(['postgres', 'library/postgres', 'docker.io/library/postgres'].every(hit)).toBe(true);
      expect(['postgresql', 'bitnami/postgresql', 'postgres-exporter', 'my-postgres'].some(hit)).toBe(false);
    }
  });

  it('wait a week, merge nothing, and leave majors to a person', () => {
    expect(rules[0]).toMatchObject({ minimumReleaseAge: '7 days', automerge: false });
    expect(rules[1]).toMatchObject({ matchUpdateTypes: ['major'], dependencyDashboardApproval: true });
  });

  it('leave out exactly the releases that the action refuses', () => {
    const { releases } = JSON.parse(read('src/releases/releases.json')) as {
      releases: { version: string; avoid?: object }[];
    };
    const pattern = String(rules[2]?.allowedVersions);
    const allowed = (version: string): boolean => matches(pattern, version);
    for (const { version, avoid } of releases) {
      expect([version, allowed(version)]).toEqual([version, !avoid]);
      expect([version, allowed(`${version}-bookworm`)]).toEqual([version, !avoid]);
    }
    // 13.17 is left out, 13.170 would be another release.
    expect(allowed('13.170')).toBe(true);
  });

  // Renovate refuses a rule with both, and ignores options that it does not know.
  it('do not mix allowedVersions with matchUpdateTypes', () => {
    for (const rule of rules) expect('allowedVersions' in rule && 'matchUpdateTypes' in rule).toBe(false);
  });

  it('use only options of this list, each documented by Renovate', () => {
    const documented = [
      'addLabels',
      'allowedVersions',
      'automerge',
      'dependencyDashboardApproval',
      'description',
      'matchDatasources',
      'matchManagers',
      'matchPackageNames',
      'matchUpdateTypes',
      'minimumReleaseAge',
      'rebaseWhen',
      'separateMajorMinor',
      'separateMultipleMajor',
    ];
    expect(Object.keys(Object.assign({}, ...rules)).sort()).toEqual(documented);
    expect(Object.keys(preset).sort()).toEqual([
      '$schema',
      'customManagers',
      'description',
      'kubernetes',
      'packageRules',
    ]);
  });
});

describe('manifests of Kubernetes', () => {
  it.each([
    ['deploy/orders/statefulset.yaml', true],
    ['apps/k8s/db.yml', true],
    ['kubernetes/db.yaml', true],
    ['src/index.yaml', false],
    ['deploy.yaml', false],
  ])('%s: %s', (path, expected) => {
    expect(preset.kubernetes.managerFilePatterns.some((pattern) => matches(pattern, path))).toBe(expected);
  });
});
