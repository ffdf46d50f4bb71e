import { describe, expect, it } from 'vitest';
import { planEmbedded } from '../../src/environments/embedded/plan.ts';
import type { EnvironmentFacts } from '../../src/environments/environment.ts';
import { environmentKinds, kindOf } from '../../src/environments/registry.ts';
import { packageOf } from '../../src/postgres/install.ts';

const facts: EnvironmentFacts = { running: { major: 15, minor: 17 }, serving: true, details: [] };

describe('planEmbedded', () => {
  it('restarts on the same data, with the common steps in their places', () => {
    expect(planEmbedded(facts, { major: 15, minor: 20 })).toEqual({
      name: 'minor-in-place',
      notes: ['The data directory stays as it is: minor versions of one major read the same files.'],
      steps: [
        'backup',
        {
          id: 'preflight',
          title: 'Read the configuration with 15.20',
          does: [
            'postgres -C shared_buffers with the programs of 15.20: parses the whole configuration, starts nothing',
          ],
          undo: null,
          breaks: null,
          risks: [
            '15.20 may refuse the configuration: then the upgrade ends here, and 15.17 was not stopped.',
            'The programs of 15.17, which are the way back, may be gone: then the upgrade ends here as well.',
          ],
          interruptible: true,
        },
        'stop-applications',
        'read-only',
        'drain',
        {
          id: 'checkpoint',
          title: 'Write a checkpoint',
          does: ['CHECKPOINT, so that the stop has little left to write'],
          undo: null,
          breaks: null,
          risks: ['It writes what is changed in memory: disks are busier for a while.'],
          interruptible: true,
        },
        {
          id: 'restart',
          title: 'Restart on 15.20',
          does: [
            'CHECKPOINT',
            'pg_ctl stop -m fast (15.17)',
            'pg_ctl start (15.20) on the same data directory',
            'wait for a real query',
          ],
          undo: 'stop, and start 15.17 again on the same data directory',
          breaks: 'every session ends; new ones are refused until the new server answers',
          risks: [
            'Transactions that are open at the stop are rolled back.',
            'The stop waits for a last checkpoint, and for archiver and standbys to take the last WAL, 10 minutes at most: clients wait as long.',
            '15.20 may refuse to start: then 15.17 is started again on the same data.',
            'If 15.17 does not start either, nothing serves: the run ends as failed and says what to do.',
            'The server begins with cold caches: queries are slower until they are warm.',
          ],
          interruptible: false,
        },
        'configure',
        'collations',
        'extensions',
        'validate',
        'read-write',
        'start-applications',
        'watch',
        'advice',
      ],
    });
  });

  it.each([16, 14])('refuses to go to %d', (major) => {
    expect(() => planEmbedded(facts, { major, minor: 1 })).toThrow(
      expect.objectContaining({
        code: 'route-major',
        phase: 'plan',
        message: `15.17 to ${major}.1 is a major upgrade, and an embedded cluster can only change its minor version in place.`,
        hint: `A data directory of PostgreSQL 15 is not readable by ${major}. Stay on a 15.x version here.`,
        docs: 'embedded.md#limits',
      }),
    );
  });
});

describe('the kinds of environment', () => {
  it('are found by their name, each once', () => {
    expect(environmentKinds.map(({ kind }) => kind)).toEqual(['embedded', 'debian']);
    expect(kindOf({ kind: 'embedded', data: '/d', port: 1 })).toBe(environmentKinds[0]);
  });

  it('promise only modes that they have', () => {
    expect(environmentKinds.map(({ modes }) => modes)).toEqual([
      ['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback'],
      ['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback'],
    ]);
  });
});

describe('packageOf', () => {
  it('knows no package for a version that nobody made', () => {
    expect(packageOf({ major: 15, minor: 99 })).toBe(null);
  });
});
