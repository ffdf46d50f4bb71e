import { describe, expect, it } from 'vitest';
import { errorsOf } from '../../src/errors.ts';
import { loadSpec } from '../../src/spec/load.ts';
import { findImage, largestManifest } from '../../src/spec/manifest.ts';
import { schema, smallest } from './specs.ts';

const statefulSet = `apiVersion: v1
kind: Service
metadata: { name: orders }
---
apiVersion: apps/v1
kind: StatefulSet
spec:
  template:
    spec:
      initContainers:
        - name: init
          image: busybox:1.36
      containers:
        - name: postgres
          image: postgres:15.20-bookworm # the database
        - name: exporter
          image: quay.io/prometheuscommunity/postgres-exporter:v0.15.0
`;

function found(text: string, name = 'postgres'): unknown[] {
  const { image, place } = findImage(text, 'db.yaml', name);
  return [image.version, image.suffix, place.line, place.column];
}

function fault(text: string, name = 'postgres'): unknown[] {
  try {
    return ['nothing', findImage(text, 'db.yaml', name).image.text];
  } catch (cause) {
    const [error] = errorsOf(cause);
    return [error?.code, error?.message, error?.place?.line, error?.phase];
  }
}

describe('findImage', () => {
  it.each<[string, string, unknown[]]>([
    ['the second document of a StatefulSet', statefulSet, ['15.20', 'bookworm', 15, 18]],
    [
      'a compose file',
      'services:\n  db:\n    image: "docker.io/library/postgres:15.20"\n',
      ['15.20', '', 3, 12],
    ],
    [
      'the same image twice',
      'a: { image: "postgres:15.20" }\nb: { image: "docker.io/library/postgres:15.20" }\n',
      ['15.20', '', 1, 13],
    ],
    [
      'values of a chart',
      'primary:\n  image:\n    registry: docker.io\n    repository: library/postgres\n    tag: "15.20-alpine3.21"\n',
      ['15.20', 'alpine3.21', 5, 10],
    ],
    [
      'values of a chart without a registry',
      'image: { repository: postgres, tag: "15.20" }\n',
      ['15.20', '', 1, 37],
    ],
    [
      'a number that is written in full',
      'image:\n  repository: postgres\n  tag: 15.19\n',
      ['15.19', '', 3, 8],
    ],
    ['an alias', 'x: &db postgres:15.20\ny:\n  image: *db\n', ['15.20', '', 3, 10]],
    ['a tag with a digest', `image: postgres:15.20@sha256:${'0'.repeat(64)}\n`, ['15.20', '', 1, 8]],
    ['JSON', '{"spec":{"containers":[{"image":"postgres:15.20"}]}}', ['15.20', '', 1, 33]],
    ['a label that is a template engine’s', 'note: "{{ x }}"\nimage: postgres:15.20\n', ['15.20', '', 2, 8]],
  ])('in %s', (_, text, expected) => expect(found(text)).toEqual(expected));

  it.each<[string, string, unknown[]]>([
    ['no image', 'kind: Service\n', ['manifest-image', 'db.yaml:1:1 has no image postgres.', 1, 'spec']],
    ['an empty file', '', ['manifest-image', 'db.yaml:1:1 has no image postgres.', 1, 'spec']],
    [
      'another one only',
      'image: evil.example/library/postgres:15.20\n',
      ['manifest-image', 'db.yaml:1:1 has no image postgres.', 1, 'spec'],
    ],
    [
      'two versions',
      'a:\n  image: postgres:15.20\nb:\n  image: postgres:16.3\n',
      ['manifest-image', 'db.yaml:4:10 has postgres:16.3, and line 2 has postgres:15.20.', 4, 'spec'],
    ],
    [
      'a major version',
      'image: postgres:15\n',
      ['manifest-image', 'db.yaml:1:8 has postgres:15, which names no minor version.', 1, 'spec'],
    ],
    [
      'no tag',
      'image: postgres\n',
      ['manifest-image', 'db.yaml:1:8 has postgres, which names no minor version.', 1, 'spec'],
    ],
    [
      'a number that loses its zero',
      'image:\n  repository: postgres\n  tag: 15.20\n',
      ['manifest-image', 'db.yaml:1:1 has the tag 15.20, a number that loses its last zero.', 1, 'spec'],
    ],
    [
      'a template',
      'a: 1\n{{- if .Values.enabled }}\nimage: postgres:15.20\n{{- end }}\n',
      [
        'manifest-unreadable',
        expect.stringMatching(/^db\.yaml:\d+:\d+ cannot be read: /),
        expect.any(Number),
        'spec',
      ],
    ],
    [
      'what is too large',
      `a: "${'x'.repeat(largestManifest)}"`,
      ['manifest-unreadable', 'db.yaml:1:1 cannot be read: it is larger than 1 MiB.', 1, 'spec'],
    ],
  ])('refuses %s', (_, text, expected) => expect(fault(text)).toEqual(expected));

  it('reads thousands of aliases in one pass', { timeout: 5_000 }, () => {
    const many = Array.from({ length: 9_000 }, (_, index) => `c${index}: { image: *p }`);
    const text = `x: &p postgres:15.20\n${many.join('\n')}\n`;
    expect(found(text)).toEqual(['15.20', '', 2, 14]);
  });

  it('takes the last anchor before an alias, also in the values of a chart', () => {
    expect(found('x: &p postgres:15.19\ny: &p postgres:15.20\nimage: *p\nz: &p postgres:15.21\n')[0]).toBe(
      '15.20',
    );
    expect(found('tag: &t "15.20"\nimage: { repository: &r postgres, tag: *t }\n')[0]).toBe('15.20');
  });

  it('does not expand an alias bomb', () => {
    const lines = ['a0: &a0 [x]'];
    for (let level = 1; level < 30; level += 1)
      lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}*a${level - 1}]`);
    expect(found(`${lines.join('\n')}\nimage: postgres:15.20\n`)).toEqual(['15.20', '', 31, 8]);
  });

  it('refuses a name with a tag', () => {
    expect(fault('image: postgres:15.20\n', 'postgres:15.20')[1]).toBe(
      'db.yaml:1:1 is looked at for "postgres:15.20", which is no name of an image.',
    );
  });
});

describe('a spec that names a manifest', () => {
  const spec = smallest.replace('"15.20"', '{ from: deploy/db.yaml, image: postgres }');
  const files: Record<string, string> = { 'deploy/db.yaml': statefulSet };
  const load = (text: string) => loadSpec(text, 'spec.yaml', schema, (file) => files[file] ?? '');

  it('has the version as if it stood there, and tells where it stands', () => {
    const [target] = load(spec);
    expect([target?.spec.postgres, target?.image?.suffix, target?.versionPlace]).toEqual([
      '15.20',
      'bookworm',
      { file: 'deploy/db.yaml', line: 15, column: 18 },
    ]);
    expect(load(smallest)[0]).toMatchObject({ image: null, versionPlace: { file: 'spec.yaml', line: 4 } });
  });

  it.each([
    [
      '{ from: /etc/passwd.yaml, image: postgres }',
      'targets[0].postgres.from is "/etc/passwd.yaml": write the path of a YAML file in the repository',
    ],
    [
      '{ from: ../x.yaml, image: postgres }',
      'targets[0].postgres.from is "../x.yaml": write the path of a YAML file in the repository',
    ],
    [
      '{ from: a/../../x.yaml, image: postgres }',
      'targets[0].postgres.from is "a/../../x.yaml": write the path of a YAML file in the repository',
    ],
    [
      '{ from: a.yaml, image: "postgres:15.20" }',
      'targets[0].postgres.image is "postgres:15.20": write the name of an image without tag and digest, for example postgres.',
    ],
    ['{ from: a.yaml }', 'targets[0].postgres.image is missing.'],
    ['{ form: a.yaml, image: postgres }', ''],
    [
      '[15]',
      'write the version in quotes, for example "15.20", or { from: deploy/postgres.yaml, image: postgres }',
    ],
  ])('refuses %s', (postgres, sentence) => {
    let messages: string[] = [];
    try {
      load(smallest.replace('"15.20"', postgres));
    } catch (cause) {
      messages = errorsOf(cause).map(({ message }) => message);
    }
    expect(messages.join('\n')).toContain(sentence);
    expect(messages.length).toBeGreaterThan(0);
  });

  it('tells all manifests that are wrong, and cannot be read where nothing reads', () => {
    const two = `${spec}${spec.split('targets:\n')[1]?.replace('orders', 'stock').replace('deploy/db', 'deploy/none')}`;
    expect(() => load(two)).toThrow('deploy/none.yaml:1:1 has no image postgres.');
    expect(() => loadSpec(spec, 'spec.yaml', schema)).toThrow('nothing reads files here');
  });
});
