/** How long clients will wait is said only where somebody measured it, and who that was. */
import { expect, it } from 'vitest';
import type { Rehearsed } from '../../src/report/record-rehearsal.ts';
import { expectedDowntime } from '../../src/upgrade/downtime.ts';
import { successRecord } from '../report/fixture.ts';
import { planned } from './world.ts';

const steps = [planned('backup'), planned('restart', { breaks: 'every session ends' })];
const plan = { from: '15.17', wanted: '15.20', steps };
const rehearsed: Rehearsed = {
  at: '2026-11-19T02:00:00.000Z',
  passed: true,
  from: '15.17',
  wanted: '15.20',
  exact: true,
  run: 'run 7.1 by octocat',
  expectedDowntimeMs: 420,
  restoreMs: 5000,
  failure: null,
  taken: null,
  basis: 'b',
};
const last = successRecord();
const nobody = 'nobody measured it yet, mode rehearse does';

it.each<[string, Parameters<typeof expectedDowntime>[1], number | null, string]>([
  ['nobody measured it', {}, null, nobody],
  ['a rehearsal did', { rehearsed, last }, 420, 'measured by the rehearsal of 2026-11-19 02:00:00 UTC'],
  [
    'a rehearsal did on another minor version',
    { rehearsed: { ...rehearsed, exact: false } },
    420,
    'measured by the rehearsal of 2026-11-19 02:00:00 UTC, which ran on the nearest version',
  ],
  [
    'only the last upgrade did',
    { last },
    360,
    'what clients saw of the upgrade 15.17 → 15.18 of 2026-11-20 18:01:30 UTC; this one was not rehearsed',
  ],
  [
    'the rehearsal failed',
    { rehearsed: { ...rehearsed, passed: false } },
    null,
    'the rehearsal of 2026-11-19 02:00:00 UTC did not pass, so its measure does not count',
  ],
  ['the rehearsal measured nothing', { rehearsed: { ...rehearsed, expectedDowntimeMs: null } }, null, nobody],
  ['the last upgrade went back', { last: { ...last, result: 'rolled-back' } }, null, nobody],
])('where %s', (_what, known, expectedMs, basis) => {
  expect(expectedDowntime(plan, known)).toEqual({ expectedMs, basis });
});

it('is none where nothing breaks, and where nothing is to be done', () => {
  expect(expectedDowntime({ ...plan, steps: [planned('backup')] }, { rehearsed })).toEqual({
    expectedMs: 0,
    basis: 'no step breaks anything for clients',
  });
  expect(expectedDowntime({ ...plan, from: '15.20' }, { rehearsed })).toEqual({
    expectedMs: 0,
    basis: 'the version runs already: nothing is stopped',
  });
});

it('says from when to when applications are off, which is longer', () => {
  const off = planned('stop-applications', { breaks: 'shop serves nobody until the end' });
  const with3 = {
    ...plan,
    steps: [planned('backup'), off, planned('restart'), planned('start-applications')],
  };
  expect(expectedDowntime(with3, { rehearsed }).basis).toBe(
    'measured by the rehearsal of 2026-11-19 02:00:00 UTC. The applications are off longer: from step 2 to step 4',
  );
});
