import { describe, expect, it } from 'vitest';
import { planEmbedded } from '../../src/environments/embedded/plan.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { makePlan } from '../../src/upgrade/plan.ts';
import { load, smallest } from '../spec/specs.ts';

interface Circumstances {
  spec?: string;
  from?: string;
  wanted?: string;
  system?: string | null;
  details?: [string, string][];
  serving?: boolean;
}

function digest({
  spec = smallest,
  from = '15.17',
  wanted = '15.20',
  system = '7',
  ...found
}: Circumstances = {}): string {
  const [target] = load(spec);
  if (!target) throw new Error('the spec has no target');
  const facts = { running: parseVersion(from), serving: found.serving ?? true, details: found.details ?? [] };
  return makePlan(target.spec, facts, parseVersion(wanted), system, planEmbedded).digest;
}

const application = '    applications: [{ name: shop, stop: [a], start: [b] }]\n';
const plain = digest();

describe('the digest of a plan', () => {
  it('is the same in every run', () => {
    expect(digest()).toBe(plain);
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, Circumstances]>([
    ['where the target stands in the file', { spec: `# a comment\n\n${smallest}` }],
    ['how the file is written', { spec: smallest.replace('"15.20"', "'15.20'") }],
    [
      'the order of keys',
      { spec: smallest.replace('data: /srv/orders, port: 5432', 'port: 5432, data: /srv/orders') },
    ],
    [
      'defaults that are written out',
      { spec: `${smallest}    pause: none\n    backup: { prove: restore }\n` },
    ],
    ['the name of the secret', { spec: smallest.replace('env:ORDERS', 'env:OTHER') }],
    ['when it may run', { spec: `${smallest}    wave: 2\n    windows: [{ hours: "22:00-04:00" }]\n` }],
    ['a rehearsal that is asked for', { spec: `${smallest}    require-rehearsal: 7d\n` }],
    ['how long backups are kept', { spec: `${smallest}    backup: { keep-days: 30, jobs: 4 }\n` }],
    ['whether the server was found stopped', { serving: false }],
  ])('does not depend on %s', (_what, circumstances) => expect(digest(circumstances)).toBe(plain));

  it.each<[string, Circumstances]>([
    ['the running version', { from: '15.18' }],
    ['the wanted version', { wanted: '15.19' }],
    ['what inspection shows', { details: [['server programs', '/elsewhere']] }],
    ['the cluster itself', { system: '8' }],
    ['a cluster that is not known', { system: null }],
    ['the name of the target', { spec: smallest.replace('orders', 'stock') }],
    ['the data directory', { spec: smallest.replace('/srv/orders', '/srv/other') }],
    ['the proof of the backup', { spec: `${smallest}    backup: { prove: checksum }\n` }],
    ['what happens after a failure', { spec: `${smallest}    on-failure: stop\n` }],
    ['a check that is not asked', { spec: `${smallest}    checks: { disable: [disk-space] }\n` }],
    ['where it pauses', { spec: `${smallest}    pause: first\n` }],
    ['an application', { spec: smallest + application }],
  ])('depends on %s', (_what, circumstances) => expect(digest(circumstances)).not.toBe(plain));

  it.each([
    ['how it is stopped', 'stop: [a]', 'stop: [a, --force]'],
    ['how it is started', 'start: [b]', 'start: [c]'],
    ['where its health is asked', 'start: [b]', 'start: [b], health: "http://127.0.0.1/"'],
    ['how long that may take', 'start: [b]', 'start: [b], start-timeout: 5'],
    ['its name', 'name: shop', 'name: jobs'],
  ])('depends on an application: %s', (_what, from, to) => {
    expect(digest({ spec: smallest + application.replace(from, to) })).not.toBe(
      digest({ spec: smallest + application }),
    );
  });

  it.each<[string, boolean]>([
    ['standby-before-primary-contrecord', true],
    ['standby-snapshot-parallel-dump', true],
    ['hash-float-nan', false],
  ])('does not depend on who is connected at the moment: %s', (id, same) => {
    const [target] = load(smallest);
    if (!target) throw new Error('the spec has no target');
    const advice: AdviceRecord = {
      ...{ id, title: 't', fixedIn: '15.18', why: 'w', todo: 'd', timing: 'order', certainty: 'exact' },
      ...{ link: '', state: 'applies', by: 'person', objects: [], total: 1, seen: [] },
    };
    const facts = { running: parseVersion('15.17'), serving: true, details: [] };
    const made = makePlan(target.spec, facts, parseVersion('15.20'), '7', planEmbedded, [advice]);
    expect(made.digest === plain).toBe(same);
  });
});
