/** The plan of a cluster of packages, by exact value. */
import { describe, expect, it } from 'vitest';
import { debianSchema } from '../../../src/environments/debian/config.ts';
import type { DebianFacts } from '../../../src/environments/debian/look.ts';
import { planDebian } from '../../../src/environments/debian/plan.ts';
import type { EnvironmentFacts, Route } from '../../../src/environments/environment.ts';
import type { PlannedStep } from '../../../src/report/record.ts';

const old = '15.18-0+deb12u1';
const fresh = '15.20-0+deb12u1';
const from = { major: 15, minor: 18 };
const to = { major: 15, minor: 20 };
const config = debianSchema.parse({
  kind: 'debian',
  version: 15,
  packages: { 'postgresql-15-cron': '1.6-1' },
});
const facts: EnvironmentFacts = { running: from, serving: true, details: [] };
const cluster = {
  version: 15,
  cluster: 'main',
  port: 5432,
  running: true,
  data: '/d',
  configuration: '/c',
  log: null,
  supervisor: null,
  start: 'auto',
};
const installed = ['postgresql-15', 'libpq5'].map((name) => ({
  name,
  version: old,
  source: 'postgresql-15',
}));
const seen: DebianFacts = {
  cluster,
  others: [],
  supervisor: 'systemd',
  installed,
  offers: new Map(['postgresql-15', 'libpq5'].map((name) => [name, [fresh, old]])),
  candidates: new Map([['postgresql-15', fresh]]),
  saved: null,
  system: 'debian 12',
};

const step = ({ steps }: Route, id: string): PlannedStep => {
  const found = steps.find((each) => typeof each !== 'string' && each.id === id);
  if (!found || typeof found === 'string') throw new Error(`no step ${id}`);
  return found;
};

describe('planDebian', () => {
  it('has every step of the procedure, in its order', () => {
    expect(
      planDebian(config, seen, facts, to).steps.map((each) => (typeof each === 'string' ? each : each.id)),
    ).toEqual([
      'backup',
      'packages',
      'stop-applications',
      'read-only',
      'drain',
      'checkpoint',
      'install',
      'restart',
      'configure',
      'collations',
      'extensions',
      'validate',
      'read-write',
      'start-applications',
      'watch',
      'advice',
    ]);
  });

  it('names exact versions, those of the spec too, and what it goes back to', () => {
    const route = planDebian(config, seen, facts, to);
    expect(step(route, 'install').does[1]).toBe(
      `apt-get install --no-remove --allow-downgrades of exactly these files: postgresql-15=${fresh} libpq5=${fresh} postgresql-15-cron=1.6-1`,
    );
    expect(step(route, 'install').undo).toBe(
      `install the saved files again: postgresql-15=${old} libpq5=${old}`,
    );
    expect(step(route, 'restart').does[1]).toBe('systemctl restart postgresql@15-main.service');
  });

  it('is the same after the installation: what was before is known from what was saved', () => {
    const saved = {
      version: 1 as const,
      at: '2026-11-20T03:00:00.000Z',
      from: '15.18',
      to: '15.20',
      before: installed,
      old: [],
      new: [],
      files: {},
    };
    const after = { ...seen, installed: installed.map((each) => ({ ...each, version: fresh })), saved };
    expect(planDebian(config, after, facts, to).steps).toEqual(planDebian(config, seen, facts, to).steps);
    const other = { ...after, saved: { ...saved, to: '15.21' } };
    expect(step(planDebian(config, other, facts, to), 'install').undo).toContain(`postgresql-15=${fresh}`);
  });

  it('says of a version that is not on offer that it is not', () => {
    const route = planDebian(config, { ...seen, offers: new Map(), candidates: new Map() }, facts, to);
    expect(step(route, 'packages').does[0]).toContain('postgresql-15=15.20, which is not offered');
  });

  it('uses pg_ctlcluster where that is what manages it, and names its neighbours', () => {
    const route = planDebian(
      config,
      {
        ...seen,
        supervisor: 'pg_ctlcluster',
        others: [
          { ...cluster, cluster: 'reports' },
          { ...cluster, cluster: 'off', running: false },
        ],
      },
      facts,
      to,
    );
    expect(step(route, 'restart').does[1]).toBe(
      'pg_ctlcluster --skip-systemctl-redirect --mode fast 15 main restart -- -t 600',
    );
    expect(route.notes[1]).toBe(
      'Other clusters use the same packages: 15/reports. They go on with 15.18 until somebody restarts them.',
    );
    expect(route.notes[2]).toBe(
      'A proof of the backup restores into a server of 15.20, or of the nearest minor version that the machine of the job has. Where the databases use extensions of other packages, it restores into a throw-away server on the machine of the cluster, which has their files.',
    );
  });

  it('refuses another major', () => {
    expect(() => planDebian(config, seen, facts, { major: 17, minor: 1 })).toThrow(
      expect.objectContaining({ code: 'route-major', docs: 'debian.md#limits' }),
    );
  });
});
