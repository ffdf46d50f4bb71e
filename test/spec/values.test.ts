import { describe, expect, it } from 'vitest';
import { complaints, sentences, smallest, specWith } from './specs.ts';

const hint =
  'docs/spec.md describes every key; the schema in the first line of the example lets an editor help.';
const target = 'spec.yaml:3:5 targets[0]';

describe('checks, health and notes-read', () => {
  it.each([
    ['health: [../x.sql]', 'health[0] is "../x.sql": write the path of an .sql file in the repository'],
    ['health: [/etc/x.sql]', 'health[0] is "/etc/x.sql": write the path of an .sql file in the repository'],
    ['health: [5]', 'health[0] is 5: write a path, or { file, database, read-only, timeout }'],
    [
      'checks: { disable: [nonsense] }',
      'checks.disable[0] is "nonsense": there is no check of this id; docs/checks.md lists all',
    ],
    ['checks: { disable: [identity] }', 'checks.disable[0] is "identity": this check cannot be switched off'],
    [
      'checks: { thresholds: { connections-warning: 5 } }',
      'checks.thresholds.connections-warning is 5: this is a share: write a number from 0 to 1, for example 0.9',
    ],
    [
      'checks: { thresholds: { long-transaction-block: -1 } }',
      'checks.thresholds.long-transaction-block is -1: write a number that is not negative',
    ],
    [
      'checks: { thresholds: { replay-lag-block: .nan } }',
      'checks.thresholds.replay-lag-block is null: write a number',
    ],
    [
      'notes-read: [16.16]',
      'notes-read[0] is 16.16: quote the version, for example "15.20": a number loses its last zero',
    ],
  ])('%s', (line, sentence) => {
    expect(complaints(`${smallest}    ${line}\n`).map(({ message }) => message)).toEqual([
      expect.stringContaining(`targets[0].${sentence}.`),
    ]);
  });

  it('a key of a file that is near to one', () => {
    expect(
      complaints(`${smallest}    health: [{ file: a.sql, tiemout: 3 }]\n`).map(({ hint: each }) => each),
    ).toEqual(['Did you mean "timeout"?']);
  });
});

describe('a value', () => {
  it.each([
    [
      '"15.20"',
      '15.20',
      '4:15 targets[0].postgres is 15.2: quote the version, for example "15.20": a number loses its last zero.',
    ],
    [
      '"15.20"',
      '"15"',
      '4:15 targets[0].postgres is "15": write major and minor in quotes, for example "15.20".',
    ],
    [
      '"15.20"',
      '"15.020"',
      '4:15 targets[0].postgres is "15.020": write major and minor in quotes, for example "15.20".',
    ],
    [
      '"15.20"',
      '15.20-alpine',
      '4:15 targets[0].postgres is "15.20-alpine": write major and minor in quotes, for example "15.20".',
    ],
    [
      'orders',
      'Orders',
      '3:11 targets[0].name is "Orders": use small letters, digits and dashes, a letter first, at most 63.',
    ],
    ...['0', '9db'].map((name): [string, string, string] => [
      'orders',
      JSON.stringify(name),
      `3:11 targets[0].name is "${name}": use small letters, digits and dashes, a letter first, at most 63.`,
    ]),
    ['version: 1', 'version: 2', '1:10 version is 2: write 1.'],
    [
      'embedded',
      'podman',
      '6:26 targets[0].environment.kind is "podman": must name a kind that this version has: embedded, debian.',
    ],
    [
      'kind: embedded, ',
      '',
      '6:18 targets[0].environment.kind is missing: must name a kind that this version has: embedded, debian.',
    ],
    ['/srv/orders', 'srv', '6:42 targets[0].environment.data is "srv": write an absolute path.'],
    ['5432', '99999', '6:61 targets[0].environment.port is 99999: write a number that is at most 65535.'],
    [', port: 5432', '', '6:18 targets[0].environment.port is missing.'],
  ])('%s written as "%s"', (right, wrong, sentence) => {
    expect(sentences(smallest.replace(right, wrong))).toEqual([`spec.yaml:${sentence}`]);
  });

  it.each([
    [
      'backup: { directory: backups }',
      '7:26 targets[0].backup.directory is "backups": write an absolute path.',
    ],
    ['backup: { clients: bin }', '7:24 targets[0].backup.clients is "bin": write an absolute path.'],
    [
      'backup: { keep-days: 0 }',
      '7:26 targets[0].backup.keep-days is 0: write a whole number from 1 to 3650.',
    ],
    [
      'applications: [{ name: a, stop: [b], start: [c] }, { name: a, stop: [d], start: [e] }]',
      '7:19 targets[0].applications is [{"name":"a","stop":["b"],"start":["c"]},{"name":"a","sto...: give each application a name of its own.',
    ],
  ])('in %s', (line, sentence) => {
    expect(sentences(`${smallest}    ${line}\n`)).toEqual([`spec.yaml:${sentence}`]);
  });

  it('has a code, a hint and a place', () => {
    expect(complaints(smallest.replace('"15.20"', '15.20'))).toEqual([
      {
        code: 'spec-value',
        message:
          'spec.yaml:4:15 targets[0].postgres is 15.2: quote the version, for example "15.20": a number loses its last zero.',
        hint,
        place: { file: 'spec.yaml', line: 4, column: 15 },
      },
    ]);
  });

  it('that is missing stands at its parent', () => {
    expect(complaints(smallest.replace(/ {4}connection.*\n/, ''))).toEqual([
      {
        code: 'spec-missing',
        message: `${target}.connection is missing.`,
        hint,
        place: { file: 'spec.yaml', line: 3, column: 5 },
      },
    ]);
  });

  it('that is long is cut', () => {
    const [sentence] = sentences(smallest.replace('orders', 'x'.repeat(200)));
    expect(sentence).toBe(
      `spec.yaml:3:11 targets[0].name is "${'x'.repeat(56)}...: use small letters, digits and dashes, a letter first, at most 63.`,
    );
  });
});

describe('a number of a target', () => {
  it.each([
    ['wave: 0', 'wave is 0: write a whole number from 1 to 100'],
    ['wave: 101', 'wave is 101: write a whole number from 1 to 100'],
    ['wave: 1.5', 'wave is 1.5: write a whole number from 1 to 100'],
    ['wave: first', 'wave is "first": write a whole number from 1 to 100'],
    ['backup: { compress: 10 }', 'backup.compress is 10: write a whole number from 0 to 9'],
  ])('%s', (line, sentence) => {
    expect(sentences(`${smallest}    ${line}\n`)).toEqual([
      expect.stringContaining(` targets[0].${sentence}.`),
    ]);
  });
});

describe('rehearsal', () => {
  const image = 'write the name of an image without tag and digest, for example postgres';
  it.each([
    ['from: latest', 'from is "latest": write fresh, latest-artifact, or the absolute path of a backup'],
    ['from: 5', 'from is 5: write fresh, latest-artifact, or the absolute path of a backup'],
    ['image: "postgres:15"', `image is "postgres:15": ${image}`],
    ['image: "host:5000/postgres:15"', `image is "host:5000/postgres:15": ${image}`],
    ['image: "postgres@sha256:abc"', `image is "postgres@sha256:abc": ${image}`],
    ['image: "--privileged"', `image is "--privileged": ${image}`],
    ['image: "host:5000/-v"', `image is "host:5000/-v": ${image}`],
    ['image: "a//b"', `image is "a//b": ${image}`],
  ])('%s', (line, sentence) => {
    expect(sentences(`${smallest}    rehearsal: { ${line} }\n`)).toEqual([
      expect.stringContaining(` targets[0].rehearsal.${sentence}.`),
    ]);
  });

  it.each([
    'postgres',
    'bitnami/postgresql',
    'host:5000/postgres',
    'registry.example.com/team/pg_15--slim',
    'localhost:5000/a/b.c',
  ])('takes the image %s', (name) => {
    expect(specWith(`rehearsal: { image: "${name}" }`).rehearsal.image).toBe(name);
  });
});

describe('the health of applications', () => {
  it('is an address without user and password, and says neither', () => {
    const [sentence = ''] = sentences(
      `${smallest}    applications: [{ name: shop, health: "https://app:s3cret@shop.example/health" }]\n`,
    );
    expect(sentence).toContain('write no user or password here: every report shows it');
    expect(sentence).not.toContain('s3cret');
  });
});

describe('several faults', () => {
  it('are all told, each at its place', () => {
    const text = `version: 2
targets:
  - name: Orders
    postgres: 15.20
    connection: ORDERS_URL
    environment: { kind: embedded, data: rel }
    pause: sometimes
    foo: 1
    applications: [{ name: a, stop: systemctl stop a, start: [], health: ftp://x }]
`;
    expect(sentences(text)).toEqual([
      'spec.yaml:1:10 version is 2: write 1.',
      'spec.yaml:3:11 targets[0].name is "Orders": use small letters, digits and dashes, a letter first, at most 63.',
      'spec.yaml:4:15 targets[0].postgres is 15.2: quote the version, for example "15.20": a number loses its last zero.',
      'spec.yaml:5:17 targets[0].connection is a text of 10 characters: write env:NAME: the name of an environment variable, never the secret itself.',
      'spec.yaml:6:42 targets[0].environment.data is "rel": write an absolute path.',
      'spec.yaml:6:18 targets[0].environment.port is missing.',
      'spec.yaml:9:37 targets[0].applications[0].stop is "systemctl stop a": write a list, for example [a, b].',
      'spec.yaml:9:62 targets[0].applications[0].start is []: write at least 1.',
      'spec.yaml:9:74 targets[0].applications[0].health is "ftp://x": write a URL that begins with http:// or https://.',
      'spec.yaml:7:12 targets[0].pause is "sometimes": write one of first, all, none.',
      'spec.yaml:8:5 "foo" in targets[0] is not a key of the spec.',
    ]);
  });
});
