import { describe, expect, it } from 'vitest';
import { byUrgency } from '../../src/report/check-words.ts';
import { downtimeOf, nextLines, outcomeOf, proofOf, versionsOf } from '../../src/report/overview.ts';
import { refusedRecord, successRecord } from './fixture.ts';

const record = successRecord();

it.each([
  [{ from: '15.17', wanted: '15.18', now: '15.18' }, '15.17 → 15.18'],
  [{ from: '15.18', wanted: '15.18', now: '15.18' }, '15.18'],
  [{ from: '15.17', wanted: '15.18', now: '15.17' }, '15.17, wanted 15.18'],
  [{ from: '15.17', wanted: '15.18', now: null }, '15.17 before, not known now, wanted 15.18'],
  [{ from: null, wanted: '15.18', now: null }, 'not known, wanted 15.18'],
])('versions %j', (versions, text) => expect(versionsOf({ ...record, versions })).toBe(text));

describe('downtime', () => {
  const { downtime } = record;
  if (!downtime) throw new Error('the fixture has one');

  it('says what was measured, and how', () => {
    expect(downtimeOf(record)).toBe('0.36 s (3 of 1,210 attempts failed, one every 20 ms)');
    const quiet = { ...downtime, failures: 0, firstFailure: null, firstSuccess: null, longestGapMs: 45 };
    expect(downtimeOf({ ...record, downtime: quiet })).toBe(
      'none seen: 45 ms between two commits at most (0 of 1,210 attempts failed, one every 20 ms)',
    );
    expect(downtimeOf({ ...record, downtime: { ...downtime, firstSuccess: null } })).toContain(
      'and no commit since',
    );
  });

  it('claims none only where nothing was changed', () => {
    expect(downtimeOf({ ...record, downtime: null })).toBe('not measured');
    expect(downtimeOf({ ...record, downtime: null, changed: false })).toBe('none: nothing was changed');
  });
});

it('claims no more than the proof compared', () => {
  const { backup } = record;
  if (!backup) throw new Error('the fixture has one');
  const words = (['proved', 'files-intact', 'not-proved', 'failed'] as const).map((verdict) =>
    proofOf({ ...backup, proof: { ...backup.proof, verdict, differences: ['x'] } }),
  );
  expect(words).toEqual([
    'proved by a restore into 15.18, 42 tables and 1,234,567 rows compared, 2 things not compared',
    'files intact by checksum, not restored',
    'not proved',
    'proof failed, 1 difference',
  ]);
});

it('sorts checks by urgency and has a word for a run without an end', () => {
  expect(byUrgency(refusedRecord().checks).map((check) => check.status)).toEqual([
    'blocked',
    'error',
    'warning',
    'passed',
  ]);
  expect(outcomeOf({ ...record, result: null }).word).toBe('running');
});

it('tells commands from words', () => {
  expect(nextLines('Do this:\n  psql -c "x"\n$ ls\r\n\nThen that.')).toEqual([
    { kind: 'words', text: 'Do this:' },
    { kind: 'command', text: 'psql -c "x"' },
    { kind: 'command', text: 'ls' },
    { kind: 'words', text: 'Then that.' },
  ]);
  expect(nextLines(null)).toEqual([]);
});

it('tells what a program printed from commands', () => {
  const kinds = (next: string): string[] => nextLines(next).map(({ kind, text }) => `${kind}|${text}`);
  expect(
    kinds(
      'It failed:\npg_restore: error: x\n  detail of it\nERROR:  y\nLINE 1: SELECT\n  ^\n      ^\nCommand was: CREATE VIEW v AS\nSELECT 1;\n\nThen:\n  ls -l\n  /usr/bin/true\n$ pwd',
    ),
  ).toEqual([
    'words|It failed:',
    'output|pg_restore: error: x',
    'output|  detail of it',
    'output|ERROR:  y',
    'output|LINE 1: SELECT',
    'output|  ^',
    'output|      ^',
    'output|Command was: CREATE VIEW v AS',
    'output|SELECT 1;',
    'words|Then:',
    'command|ls -l',
    'command|/usr/bin/true',
    'command|pwd',
  ]);
});
