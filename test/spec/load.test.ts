import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadSpec, resolveReference, selectTargets } from '../../src/spec/load.ts';
import { load, schema, smallest, specWith } from './specs.ts';

const two = `${smallest}${smallest.split('targets:\n')[1]?.replace('orders', 'stock')}`;

describe('a good spec', () => {
  it('is completed by the defaults', () => {
    expect(specWith()).toEqual({
      name: 'orders',
      postgres: '15.20',
      connection: 'env:ORDERS_DATABASE_URL',
      environment: { kind: 'embedded', data: '/srv/orders', port: 5432 },
      backup: {
        format: 'directory',
        jobs: 2,
        compress: 1,
        prove: 'restore',
        'keep-days': 14,
        'encrypt-to': [],
      },
      applications: [],
      extensions: {},
      pause: 'none',
      'on-failure': 'rollback',
      advice: 'report',
      'notes-read': [],
      checks: { disable: [], thresholds: {} },
      rehearsal: { from: 'fresh', scratch: 'auto', image: 'postgres', nearest: 'refuse', smoke: [] },
      wave: 1,
      windows: [],
      notify: [],
      health: [],
    });
  });

  it('knows where each target and its version stand', () => {
    expect(load(two).map(({ spec, place, versionPlace }) => [spec.name, place, versionPlace])).toEqual([
      ['orders', { file: 'spec.yaml', line: 3, column: 5 }, { file: 'spec.yaml', line: 4, column: 15 }],
      ['stock', { file: 'spec.yaml', line: 7, column: 5 }, { file: 'spec.yaml', line: 8, column: 15 }],
    ]);
  });

  it('may use an alias, comments, Windows line ends and a byte order mark', () => {
    const text = `\ufeff${two}`
      .replace('orders\n', 'orders # the shop\n')
      .replace('environment: {', 'environment: &here {')
      .replace(/environment: \{.*\}\n$/, 'environment: *here\n')
      .replaceAll('\n', '\r\n');
    expect(load(text).map(({ spec }) => 'data' in spec.environment && spec.environment.data)).toEqual([
      '/srv/orders',
      '/srv/orders',
    ]);
  });

  it('keeps an application as it is written', () => {
    const { applications } = specWith(
      'applications:\n  - name: shop\n    stop: [systemctl, stop, shop]\n    start: [sh, -c, "a; b"]\n    health: http://127.0.0.1:8080/health',
    );
    expect(applications).toEqual([
      {
        name: 'shop',
        stop: ['systemctl', 'stop', 'shop'],
        start: ['sh', '-c', 'a; b'],
        'runs-on': 'target',
        health: 'http://127.0.0.1:8080/health',
        'start-timeout': 600,
      },
    ]);
  });
});

describe('the examples', () => {
  const examples = readdirSync('examples').filter((file) => /\.ya?ml$/.test(file));

  it('are where the hint for an empty spec says', () => expect(examples).toContain('embedded.yaml'));

  it.each(examples)('%s loads', (file) => {
    expect(loadSpec(readFileSync(`examples/${file}`, 'utf8'), file, schema)).not.toEqual([]);
  });

  it.each(examples)('%s tells an editor its schema', (file) => {
    const [, path = ''] =
      /^# yaml-language-server: \$schema=(\S+)$/m.exec(readFileSync(`examples/${file}`, 'utf8')) ?? [];
    expect(path).toMatch(/upgrade-spec\.schema\.json$/);
  });
});

describe('selectTargets', () => {
  const targets = load(two);
  const names = (wanted: string[]): string[] => selectTargets(targets, wanted).map(({ spec }) => spec.name);

  it('takes all without names, and keeps the order of the spec', () => {
    expect([names([]), names(['stock', 'orders']), names(['stock']), names(['stock', 'stock'])]).toEqual([
      ['orders', 'stock'],
      ['orders', 'stock'],
      ['stock'],
      ['stock'],
    ]);
  });

  it('refuses a name that the spec does not have', () => {
    expect(() => names(['orders', 'Stock'])).toThrow(
      expect.objectContaining({
        code: 'target-unknown',
        phase: 'inputs',
        message: 'The spec has no target "Stock".',
        hint: 'It has: orders, stock.',
      }),
    );
  });
});

describe('resolveReference', () => {
  it('gives the value of the variable', () => {
    expect(resolveReference('env:URL', { URL: 'postgresql://h/d' })).toBe('postgresql://h/d');
  });

  it.each([[{}], [{ URL: '' }], [{ url: 'postgresql://h/d' }]])('refuses %j', (environment) => {
    expect(() => resolveReference('env:URL', environment)).toThrow(
      expect.objectContaining({
        code: 'secret-missing',
        message: 'The environment variable URL is not set.',
        hint: `Give it to the step: env: { URL: $\{{ secrets.URL }} }. Secrets do not reach pull requests from forks.`,
      }),
    );
  });
});
