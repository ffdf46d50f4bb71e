import { describe, expect, it } from 'vitest';
import { artifactName } from '../../src/action/artifacts.ts';
import { assertDumpAllowed } from '../../src/action/dump-consent.ts';
import { unencryptedConsent } from '../../src/spec/schema.ts';
import { successRecord } from '../report/fixture.ts';
import { targetWith } from '../spec/specs.ts';

const clear = targetWith('');
const encrypted = targetWith(`backup: { encrypt-to: [age1${'q'.repeat(58)}] }`);
const consented = targetWith(`backup: { publish-unencrypted: ${unencryptedConsent} }`);

describe('assertDumpAllowed', () => {
  it('asks nothing where no dump is uploaded', () => {
    for (const artifacts of ['reports', 'none'] as const)
      expect(() => assertDumpAllowed([clear], artifacts, 'public')).not.toThrow();
  });

  it('lets an encrypted dump, or one with the full sentence, leave a private repository', () => {
    expect(() => assertDumpAllowed([encrypted, consented], 'all', 'private')).not.toThrow();
  });

  it.each([
    [
      'public',
      'A dump is not uploaded from a public repository: everybody could download it.',
      'Use artifacts: reports; the backup itself stays at backup.directory.',
    ],
    [
      'unknown',
      'Nothing tells whether this repository is public, so no dump is uploaded from it.',
      'Pass github-token with contents: read, so that the action can ask; or use artifacts: reports.',
    ],
  ] as const)('refuses every dump of a repository that is %s', (visibility, message, hint) => {
    for (const target of [clear, encrypted, consented]) {
      expect(() => assertDumpAllowed([target], 'all', visibility)).toThrow(
        expect.objectContaining({
          code: 'dump-public',
          phase: 'inputs',
          message,
          hint,
          docs: 'artifacts.md#dumps',
        }),
      );
    }
  });

  it('refuses a dump in clear, at the place of its target', () => {
    expect(() => assertDumpAllowed([encrypted, clear], 'all', 'private')).toThrow(
      expect.objectContaining({
        code: 'dump-in-clear',
        message: 'The dump of orders would be uploaded in clear.',
        hint: 'Name age recipients in backup.encrypt-to (age-keygen makes a pair), or use artifacts: reports.',
        place: { file: 'spec.yaml', line: 3, column: 5 },
      }),
    );
  });
});

describe('artifactName', () => {
  it('is unique for target, mode and attempt', () => {
    const record = successRecord();
    expect(artifactName(record, 'report.json')).toBe('postgres-upgrade-orders-upgrade.report.json');
    expect(artifactName({ ...record, run: null }, 'dump.tar')).toBe(
      'postgres-upgrade-orders-upgrade.dump.tar',
    );
    if (record.run) record.run.attempt = 3;
    expect(artifactName({ ...record, mode: 'plan' }, 'report.html')).toBe(
      'postgres-upgrade-orders-plan-3.report.html',
    );
  });
});
