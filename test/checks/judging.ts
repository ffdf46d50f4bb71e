/** What the tests of the judge functions share. */
import { type Check, type CheckContext, defaultThresholds, type Row } from '../../src/checks/check.ts';

export const context: CheckContext = {
  when: 'before',
  running: { major: 15, minor: 17 },
  wanted: { major: 15, minor: 20 },
  thresholds: defaultThresholds,
  disks: [],
  wantedExtensions: null,
  configErrors: null,
  release: { today: '2026-11-20', endOfLife: null, mustRead: [] },
};

export function judge(
  check: Check,
  rows: readonly Row[],
  changes: Partial<CheckContext> = {},
): [string, string[]] {
  const { status, seen } = check.judge(rows, { ...context, ...changes });
  return [status, seen];
}

export const passed = ['passed', []];

/** An upgrade to another major. */
export const major: Partial<CheckContext> = { wanted: { major: 18, minor: 4 } };

/** One to this major, from another one. */
export function between(from: number, to: number): Partial<CheckContext> {
  return { running: { major: from, minor: 1 }, wanted: { major: to, minor: 0 } };
}
