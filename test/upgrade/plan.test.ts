import { describe, expect, it } from 'vitest';
import { planEmbedded } from '../../src/environments/embedded/plan.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { releaseRecord } from '../../src/releases/between.ts';
import type { PlanRecord } from '../../src/report/record.ts';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { digestOf } from '../../src/upgrade/digest.ts';
import { commonStep, makePlan } from '../../src/upgrade/plan.ts';
import { riskOf } from '../../src/upgrade/risk.ts';
import { specWith } from '../spec/specs.ts';
import { applying } from './advice.ts';

function plan(
  lines = '',
  from = '15.17',
  wanted = '15.20',
  advice: readonly AdviceRecord[] = [],
): PlanRecord {
  const facts = { running: parseVersion(from), serving: true, details: [] };
  const release = releaseRecord(facts.running, parseVersion(wanted), '2026-11-20');
  return makePlan(
    specWith(lines),
    facts,
    parseVersion(wanted),
    '7445678901234567890',
    planEmbedded,
    advice,
    release,
  );
}

const applications = `applications:
  - { name: shop, stop: [systemctl, stop, shop], start: [systemctl, start, shop], health: "http://127.0.0.1/health" }
  - { name: jobs, stop: [stop-jobs], start: [start-jobs] }`;

const stays = 'The data directory stays as it is: minor versions of one major read the same files.';

describe('commonStep', () => {
  const does = (prove: string): string[] | undefined =>
    commonStep('backup', specWith(`backup: { prove: ${prove} }`))?.does;
  const dump =
    'pg_dumpall --globals-only, pg_dump of every database under an exported snapshot, a list of files with their sha256';

  it.each([
    [
      'restore',
      'Back up and prove it',
      'pg_restore --exit-on-error into a scratch server of the wanted version, compared object by object and row by row',
    ],
    ['checksum', 'Back up', 'every file read again and compared with its sha256; not restored'],
    ['none', 'Back up', 'the backup is not looked at again'],
  ])('backup with prove: %s', (prove, title, second) => {
    expect(does(prove)).toEqual([dump, second]);
    expect(commonStep('backup', specWith(`backup: { prove: ${prove} }`))).toMatchObject({
      id: 'backup',
      title,
      undo: null,
      breaks: null,
      interruptible: true,
    });
  });

  it('stops and starts what the spec names', () => {
    const spec = specWith(applications);
    expect(commonStep('stop-applications', spec)).toEqual({
      id: 'stop-applications',
      title: 'Stop shop, jobs',
      does: ['systemctl stop shop', 'stop-jobs'],
      undo: 'start them again',
      breaks: 'shop, jobs serves nobody until the end',
      risks: [
        'A stop command may fail, or take more than 10 minutes: then the upgrade ends before the version is changed, and the applications are started again.',
        'The run may be killed meanwhile: then the post step, or the next run, starts the applications.',
      ],
      interruptible: true,
    });
    expect(commonStep('start-applications', spec)).toEqual({
      id: 'start-applications',
      title: 'Start shop, jobs',
      does: ['systemctl start shop', 'GET http://127.0.0.1/health until it answers', 'start-jobs'],
      undo: null,
      breaks: null,
      risks: [
        'An application may not start on the new version, or not answer in time: then the upgrade is taken back and the version before serves again (on-failure: rollback). Every other one is started all the same.',
        'One that did not answer before the upgrade is waited for 30 seconds at most, and keeps nobody from anything.',
      ],
      interruptible: false,
    });
  });

  it('has nothing to stop where the spec names nothing', () => {
    expect([
      commonStep('stop-applications', specWith()),
      commonStep('start-applications', specWith()),
    ]).toEqual([null, null]);
  });

  it('validates', () => {
    expect(commonStep('validate', specWith())).toEqual({
      id: 'validate',
      title: 'Validate',
      does: ['version by a real query', 'facts compared with those from before', 'every check again'],
      undo: null,
      breaks: null,
      risks: [
        'A fact may differ without a reason, a check or your own health SQL may block: then the upgrade is taken back and the version before serves again (on-failure: rollback).',
        'The way back breaks clients a second time.',
      ],
      interruptible: true,
    });
  });
});

describe('makePlan', () => {
  it('puts the common steps where the environment wants them', () => {
    const made = plan(applications);
    expect(made.steps.map(({ id }) => id)).toEqual([
      'backup',
      'preflight',
      'stop-applications',
      'checkpoint',
      'restart',
      'validate',
      'start-applications',
    ]);
    expect({ ...made, digest: made.digest.length, decision: digestOf(made.decision), steps: [] }).toEqual({
      digest: 64,
      decision: made.digest,
      risk: riskOf({ from: parseVersion('15.17'), wanted: parseVersion('15.20') }),
      downtime: {
        expectedMs: null,
        basis:
          'nobody measured it yet, mode rehearse does. The applications are off longer: from step 3 to step 7',
      },
      route: 'minor-in-place',
      from: '15.17',
      wanted: '15.20',
      steps: [],
      notes: [stays],
    });
  });

  it('has no steps for applications that are not there', () => {
    expect(plan().steps.map(({ id }) => id)).toEqual([
      'backup',
      'preflight',
      'checkpoint',
      'restart',
      'validate',
    ]);
  });

  it('tells what the reader should know before approving', () => {
    expect(plan('backup: { prove: none }', '15.17', '15.18').notes).toEqual([
      stays,
      'PostgreSQL 15.18: free-space-map persistence change of May 2026, reverted in Nov 2026 as harmful; a standby of 15.18 can hang behind an older primary, mended in 15.19.',
      'The backup will not be proved by a restore (backup.prove: none).',
    ]);
    expect(plan('pause: first').notes).toEqual([
      stays,
      'pause: first has no effect here: the target has one member, and nothing to pause between.',
    ]);
    expect(plan('', '16.13', '16.16').notes).toEqual([
      stays,
      expect.stringMatching(
        /^A person must read the notes of 16\.16: its notes were not seen.* https:\/\/www\.postgresql\.org\/docs\/release\/16\.16\/$/,
      ),
    ]);
  });

  it('carries out advice only where the spec says so, settings before the validation and the rest last', () => {
    const advice = [applying('output-plugin-allowlist'), applying('brin-null-handling')];
    const ids = (lines: string, list = advice) =>
      plan(lines, '15.17', '15.20', list).steps.map(({ id }) => id);
    expect(ids('')).toEqual(['backup', 'preflight', 'checkpoint', 'restart', 'validate']);
    const applied = ['backup', 'preflight', 'checkpoint', 'restart'];
    expect(ids('advice: apply')).toEqual([...applied, 'configure', 'collations', 'validate', 'advice']);
    expect(ids('advice: apply', [])).toEqual([...applied, 'collations', 'validate', 'advice']);
    const { steps } = plan('advice: apply', '15.17', '15.20', advice);
    expect(steps.find(({ id }) => id === 'configure')).toEqual({
      id: 'configure',
      title: 'Set output_plugin_libraries',
      does: [
        'ALTER SYSTEM SET output_plugin_libraries = "pgoutput", "test_decoding", "wal2json"',
        'pg_reload_conf(), and a look whether a new session sees it',
      ],
      undo: 'ALTER SYSTEM RESET output_plugin_libraries, before the older version is started: it would refuse to start',
      breaks: null,
      risks: [
        'The server may not know the setting, or something stronger may set it: then the upgrade is taken back and the version before serves again (on-failure: rollback).',
        'An older server does not start while the setting stands in its files: the way back takes it out first.',
      ],
      interruptible: false,
    });
    expect(steps.find(({ id }) => id === 'advice')?.does).toEqual([
      'brin-null-handling: mend brin-null-handling',
      'ALTER EXTENSION ... UPDATE where the files of the new server offer a newer version',
    ]);
  });

  it('says of every step what it can break', () => {
    const every = plan(`${applications}\nadvice: apply`, '15.17', '15.20', [
      applying('output-plugin-allowlist'),
    ]).steps;
    expect(every).toHaveLength(10);
    expect(every.filter(({ risks }) => risks.length === 0).map(({ id }) => id)).toEqual([]);
    const stop = plan(`${applications}\non-failure: stop`).steps;
    expect(stop.flatMap(({ risks }) => risks).join(' ')).not.toMatch(/on-failure: rollback|second time/);
    expect(stop.find(({ id }) => id === 'restart')?.risks).toContain(
      '15.20 may refuse to start: then 15.17 is started again on the same data.',
    );
  });

  it('warns of a backup that is not restored', () => {
    const risks = (prove: string) =>
      commonStep('backup', specWith(`backup: { prove: ${prove} }`))?.risks.slice(4);
    expect(risks('restore')).toEqual([
      'The proof starts a second server beside the target, which needs memory, CPU and disk until it is removed again.',
      'The restored copy may differ: then the upgrade ends before anything was changed.',
    ]);
    expect(risks('checksum')).toEqual(['A dump that cannot be restored would not be noticed.']);
    expect(risks('none')).toEqual(['A dump that is damaged or cannot be restored would not be noticed.']);
  });

  it('says what is left to a person, and what is to be done before', () => {
    const person = { by: 'person' } as const;
    expect(
      plan('', '15.17', '15.20', [
        applying('a', person),
        applying('b', { ...person, timing: 'before' }),
        applying('c', { ...person, state: 'judge' }),
      ]).notes,
    ).toEqual([stays, 'Title of b: mend b', 'What a person has to mend after the upgrade: Title of a.']);
  });

  it('is another plan where other advice applies, or somebody else carries it out', () => {
    const digest = (lines: string, list: AdviceRecord[]) => plan(lines, '15.17', '15.20', list).digest;
    const found = [applying('brin-null-handling')];
    const more = [applying('brin-null-handling', { objects: [], total: 7 })];
    expect(digest('', more)).toBe(digest('', found));
    expect(new Set([digest('', []), digest('', found), digest('advice: apply', found)]).size).toBe(3);
  });

  it('is made for the same version too', () => {
    expect(plan('', '15.20').from).toBe('15.20');
  });

  it.each([
    [
      '15.20',
      '15.18',
      'downgrade',
      'The target runs 15.20, and the spec asks for 15.18: that is a downgrade.',
    ],
    ['16.1', '15.20', 'downgrade', 'The target runs 16.1, and the spec asks for 15.20: that is a downgrade.'],
    ['15.17', '15.99', 'version-unknown', 'PostgreSQL 15.99 is not a release that this action knows.'],
    ['18.4', '18.5', 'version-unknown', 'PostgreSQL 18.5 is not a release that this action knows.'],
    [
      '15.10',
      '15.11',
      'version-avoid',
      'PostgreSQL 15.11 must not be a target: libpq quoting functions ignored the length argument; repaired a week later.',
    ],
    [
      '15.20',
      '16.15',
      'route-major',
      '15.20 to 16.15 is a major upgrade, and an embedded cluster can only change its minor version in place.',
    ],
  ])('refuses %s to %s', (from, wanted, code, message) => {
    expect(() => plan('', from, wanted)).toThrow(expect.objectContaining({ code, message, phase: 'plan' }));
  });

  it('says of a downgrade what brings the old version back', () => {
    expect(() => plan('', '15.20', '15.18')).toThrow(
      expect.objectContaining({
        hint: 'Correct the version in the spec. To go back after an upgrade by this action, use mode: rollback.',
      }),
    );
  });
});
