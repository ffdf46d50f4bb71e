import { describe, expect, it } from 'vitest';
import type { ChangeRecord } from '../../src/report/record-change.ts';
import { assertOnlyVersion } from '../../src/upgrade/pull-request-gate.ts';

const minor: ChangeRecord = {
  event: 'pull_request',
  number: 7,
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  kind: 'minor',
  from: '15.17',
  to: '15.18',
  others: [],
  why: null,
};

function refusal(
  change: ChangeRecord | null,
  context: Partial<Parameters<typeof assertOnlyVersion>[2]> = {},
) {
  try {
    assertOnlyVersion('orders', change, {
      onPullRequest: true,
      pullRequestChanges: 'version-only',
      ...context,
    });
    return null;
  } catch (cause) {
    const { code, message } = cause as { code: string; message: string };
    return `${code}: ${message}`;
  }
}

describe('before it is merged', () => {
  it.each(['none', 'minor', 'major', 'distribution', 'downgrade', 'removed'] as const)(
    '%s alone may be looked at',
    (kind) => expect(refusal({ ...minor, kind })).toBeNull(),
  );

  it.each<[string, ChangeRecord | null, string]>([
    ['nothing known', null, 'What this event changes at orders is not known, and nobody merged it yet'],
    [
      'no base',
      { ...minor, kind: 'unknown', why: 'HTTP 403' },
      'What this pull request changes at orders is not known (HTTP 403)',
    ],
    ['a new target', { ...minor, kind: 'new' }, 'This pull request adds the target orders'],
    [
      'a folder of programs, the version as it was',
      { ...minor, kind: 'none', others: ['backup.clients', 'connection'] },
      'This pull request changes more of orders than its version: backup.clients, connection',
    ],
    [
      'many keys',
      { ...minor, others: Array.from({ length: 12 }, (_, index) => `k${index}`) },
      'This pull request changes more of orders than its version: k0, k1, k2, k3, k4, k5, k6, k7, k8, k9 and 2 more',
    ],
  ])('%s is refused', (_, change, message) => {
    expect(refusal(change)).toBe(`pull-request-change: ${message}. The target was not opened.`);
    expect(refusal(change, { pullRequestChanges: 'allow' })).toBeNull();
    expect(refusal(change, { onPullRequest: false })).toBeNull();
  });
});
