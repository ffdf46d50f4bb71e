/** What each check of packages makes of the facts, by exact value. */
import { describe, expect, test } from 'vitest';
import { belongs } from '../../src/checks/conclude.ts';
import {
  packageAutomation,
  packageHolds,
  packageLocks,
  packageNeighbours,
  packageRestarts,
  packageState,
} from '../../src/checks/package-machine.ts';
import { packageCandidate, packageChanges, packageWayBack } from '../../src/checks/package-set.ts';
import type { PackageFacts } from '../../src/checks/packages.ts';
import { context, judge, passed } from './judging.ts';

const facts: PackageFacts = {
  wanted: '15.20',
  server: 'postgresql-15',
  installed: '15.18-0+deb12u1',
  candidate: '15.20-0+deb12u1',
  offered: ['15.20-0+deb12u1', '15.18-0+deb12u1'],
  changes: [
    { name: 'libpq5', from: '15.18-0+deb12u1', to: '15.20-0+deb12u1', expected: true },
    { name: 'postgresql-15', from: '15.18-0+deb12u1', to: '15.20-0+deb12u1', expected: true },
  ],
  simulation: null,
  wayBack: [
    { name: 'libpq5', version: '15.18-0+deb12u1', from: 'archive' },
    { name: 'postgresql-15', version: '15.18-0+deb12u1', from: 'cache' },
  ],
  holds: [],
  liftHolds: false,
  locks: [],
  broken: [],
  unattended: { enabled: false, takes: false },
  needrestart: false,
  others: [],
  policy: false,
};

const of = (check: typeof packageCandidate, changes: Partial<PackageFacts> = {}): [string, string[]] =>
  judge(check, [], { packages: { ...facts, ...changes } });

test('they are asked only where there are packages, and only before', () => {
  expect(belongs(packageCandidate, context)).toBe(false);
  expect(belongs(packageCandidate, { ...context, packages: facts })).toBe(true);
  expect(belongs(packageCandidate, { ...context, packages: facts, when: 'after' })).toBe(false);
});

describe('package-candidate', () => {
  test('passes where the candidate is the approved version, whatever its packaging', () => {
    const named = (candidate: string): string =>
      `postgresql-15: candidate ${candidate}, approved 15.20, installed 15.18-0+deb12u1`;
    for (const candidate of ['15.20-0+deb12u1', '1:15.20-1.pgdg12+1', '15.20-0ubuntu0.22.04.1'])
      expect(of(packageCandidate, { candidate })).toEqual(['passed', [named(candidate)]]);
  });
  test('blocks any other one, also 15.2 and 15.201, and none at all', () => {
    for (const candidate of ['15.18-0+deb12u1', '15.2-1', '15.201-1', '16.20-1'])
      expect(of(packageCandidate, { candidate })).toEqual([
        'blocked',
        [
          `postgresql-15: candidate ${candidate}, approved 15.20, installed 15.18-0+deb12u1`,
          'on offer: 15.20-0+deb12u1, 15.18-0+deb12u1',
        ],
      ]);
    expect(of(packageCandidate, { candidate: null, offered: [] })).toEqual([
      'blocked',
      ['postgresql-15: candidate none, approved 15.20, installed 15.18-0+deb12u1', 'on offer: nothing'],
    ]);
  });
});

test('package-changes', () => {
  expect(of(packageChanges)).toEqual([
    'passed',
    ['libpq5 15.18-0+deb12u1 → 15.20-0+deb12u1', 'postgresql-15 15.18-0+deb12u1 → 15.20-0+deb12u1'],
  ]);
  expect(
    of(packageChanges, {
      changes: [
        ...(facts.changes ?? []),
        { name: 'libssl3', from: '3.0.1', to: '3.0.2', expected: false },
        { name: 'postgresql-15-cron', from: '1.6', to: null, expected: false },
        { name: 'llvm-99', from: null, to: '99', expected: false },
      ],
    }),
  ).toEqual([
    'blocked',
    ['libssl3 3.0.1 → 3.0.2', 'postgresql-15-cron 1.6 would be removed', 'llvm-99 99 would be new'],
  ]);
  expect(of(packageChanges, { changes: null, simulation: 'E: Unable to correct problems' })).toEqual([
    'blocked',
    ['apt would refuse: E: Unable to correct problems'],
  ]);
});

test('package-way-back', () => {
  expect(of(packageWayBack)).toEqual([
    'passed',
    ['libpq5 15.18-0+deb12u1: in the archive', "postgresql-15 15.18-0+deb12u1: in apt's cache"],
  ]);
  const lost = { name: 'libpq5', version: '15.18-0+deb12u1', from: null };
  expect(of(packageWayBack, { wayBack: [lost, ...facts.wayBack] })).toEqual([
    'blocked',
    ['libpq5 15.18-0+deb12u1: nowhere'],
  ]);
});

test('package-holds', () => {
  expect(of(packageHolds)).toEqual(passed);
  expect(of(packageHolds, { holds: ['postgresql-15'] })).toEqual(['blocked', ['postgresql-15 is on hold']]);
  expect(of(packageHolds, { holds: ['postgresql-15'], liftHolds: true })).toEqual([
    'info',
    ['postgresql-15: the hold is lifted and put back (holds: lift)'],
  ]);
});

test('package-locks, package-state', () => {
  expect(of(packageLocks)).toEqual(passed);
  expect(of(packageLocks, { locks: [{ file: '/var/lib/dpkg/lock', holder: 'apt-get (812)' }] })).toEqual([
    'blocked',
    ['/var/lib/dpkg/lock is held by apt-get (812)'],
  ]);
  expect(of(packageState)).toEqual(passed);
  expect(of(packageState, { broken: [' postgresql-15 half'] })).toEqual(['blocked', [' postgresql-15 half']]);
});

test('package-restarts, package-automation, package-neighbours', () => {
  expect(of(packageRestarts)).toEqual([
    'passed',
    ['policy-rc.d refuses it during the installation, and is removed again'],
  ]);
  expect(of(packageRestarts, { policy: true })[0]).toBe('info');
  expect(of(packageAutomation)).toEqual(passed);
  expect(of(packageAutomation, { unattended: { enabled: true, takes: false } })).toEqual(passed);
  expect(of(packageAutomation, { unattended: { enabled: true, takes: true }, needrestart: true })).toEqual([
    'warning',
    [
      'unattended-upgrades is on, and may upgrade postgresql-15 at any time',
      'needrestart is installed: it is suspended during the installation',
    ],
  ]);
  expect(of(packageNeighbours)).toEqual(passed);
  const other = { version: 15, cluster: 'reports', port: 5433, running: true };
  expect(of(packageNeighbours, { others: [other, { ...other, cluster: 'old', running: false }] })).toEqual([
    'warning',
    ['15/reports on port 5433 is not restarted: it goes on with its version beside the files of 15.20'],
  ]);
});
