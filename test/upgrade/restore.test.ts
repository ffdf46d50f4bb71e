import { describe, expect, test } from 'vitest';
import type { DumpedDatabase } from '../../src/backup/dump.ts';
import { readJournal } from '../../src/upgrade/journal.ts';
import { consentFor, wasRestored } from '../../src/upgrade/restore-consent.ts';
import { commitsSince } from '../../src/upgrade/restore-lost.ts';
import { isCopyName, namesFor } from '../../src/upgrade/restore-names.ts';
import { leftAsTheyAre, neededBytes, restorable } from '../../src/upgrade/restore-obstacles.ts';
import { restoreNotes, restorePlan, restoreRisk, stopPlan } from '../../src/upgrade/restore-plan.ts';
import { copyEntry, isRestore, lastExchange } from '../../src/upgrade/restore-swap.ts';
import { sentences, smallest, specWith } from '../spec/specs.ts';

const at = new Date('2026-11-20T03:00:00.123Z');

describe('names', () => {
  test('say what they are, and when the restore began', () => {
    expect(namesFor(['orders', 'Ünï'], ['postgres'], at)).toEqual([
      {
        database: 'orders',
        copy: 'orders_restoring_20261120t030000z',
        kept: 'orders_before_restore_20261120t030000z',
      },
      {
        database: 'Ünï',
        copy: 'Ünï_restoring_20261120t030000z',
        kept: 'Ünï_before_restore_20261120t030000z',
      },
    ]);
  });

  test('fit into 63 bytes, whole characters only, and are nobody else’s', () => {
    const long = 'ü'.repeat(31);
    const names = namesFor([`${long}a`, `${long}b`], ['orders_restoring_20261120t030000z'], at);
    const all = names.flatMap(({ copy, kept }) => [copy, kept]);
    expect(new Set(all).size).toBe(4);
    for (const name of all) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(names[0]?.kept).toBe(`${'ü'.repeat(15)}_before_restore_20261120t030000z`);
    expect(names[1]?.kept).toBe(`${'ü'.repeat(14)}_before_restore_20261120t030000z_2`);
    expect(namesFor(['orders'], ['orders_restoring_20261120t030000z'], at)[0]?.copy).toBe(
      'orders_restoring_20261120t030000z_2',
    );
    expect(names.every(({ copy }) => isCopyName(copy))).toBe(true);
  });

  test.each([
    'orders',
    'orders_before_restore_20261120t030000z',
    'x_restoring_20261120t030000z; --',
    5,
    null,
  ])('a journal that says %s names no copy', (name) => expect(isCopyName(name)).toBe(false));
});

describe('the consent', () => {
  const line = (text: string): string => `${smallest}    rollback: { restore: ${JSON.stringify(text)} }\n`;

  test('is kept as it is written', () => {
    const text = consentFor({ started: '2026-11-20T03:00:00.123Z' });
    expect(specWith(`rollback: { restore: "${text}" }`).rollback).toEqual({ restore: text });
    expect(sentences(line('I accept losing writes since 2026-11-20T04:00:00+01:00'))).toEqual([]);
  });

  test.each([
    'yes',
    'I accept losing writes since ',
    'I accept losing writes since yesterday',
    'I accept losing writes since 2026-11-20T03:00:00',
    'i accept losing writes since 2026-11-20T03:00:00Z',
  ])('%s is none', (text) => expect(sentences(line(text))).toHaveLength(1));

  const backup = { started: at.toISOString() };
  const lines = (state: string, started = backup.started): string[] =>
    [
      { kind: 'begin', mode: 'rollback', from: '15.17', wanted: '15.18' },
      { kind: 'backup', backup: { started } },
      { kind: 'step', id: 'restore', state },
    ].map((entry) => JSON.stringify(entry));

  test('is good for one time, and for one backup', () => {
    expect(wasRestored(readJournal(lines('done')), backup)).toBe(true);
    expect(wasRestored(readJournal(lines('failed')), backup)).toBe(false);
    expect(wasRestored(readJournal(lines('done', '2026-11-19T03:00:00.000Z')), backup)).toBe(false);
  });
});

test('what was committed since; counters that were reset say nothing', () => {
  const activity = { commits: 100, rollbacks: 0, blocksHit: 0, blocksRead: 0, deadlocks: 0, since: 'a' };
  const before = ['orders', 'billing', 'crashed', 'one'].map((name) => ({ name, activity }));
  expect(
    commitsSince(
      before,
      [
        { name: 'orders', commits: 1334, since: 'a' },
        { name: 'billing', commits: 200, since: 'b' },
        { name: 'crashed', commits: 3, since: 'a' },
        { name: 'one', commits: 101, since: 'a' },
      ],
      ['orders', 'billing', 'crashed', 'one', 'dropped'],
    ),
  ).toEqual([
    'orders: 1,234 transactions were committed since (those that only read are counted too)',
    'one: 1 transaction was committed since (those that only read are counted too)',
  ]);
});

describe('what is restored', () => {
  const dumped = (name: string, tables: number, template = false): DumpedDatabase =>
    ({
      name,
      template,
      sourceBytes: 1000,
      inventory: { tables: Object.fromEntries(Array.from({ length: tables }, (_, i) => [`t${i}`, {}])) },
    }) as unknown as DumpedDatabase;
  const databases = [
    dumped('orders', 2),
    dumped('postgres', 1),
    dumped('template1', 0, true),
    dumped('mould', 3, true),
  ];

  test('templates and postgres stay, and that is said where they hold something', () => {
    expect(restorable({ databases }).map(({ name }) => name)).toEqual(['orders']);
    expect(leftAsTheyAre({ databases })).toEqual([
      'postgres stays as it is, though the backup has 1 of its tables: the action works from it.',
      'mould stays as it is, though the backup has 3 of its tables: it is a template.',
    ]);
  });

  test('it needs room for everything once more, and for WAL', () =>
    expect(neededBytes(databases, 500)).toBe(4900));
});

describe('the plan', () => {
  const words = {
    backup: {
      started: at.toISOString(),
      location: '/srv/backups/orders-1',
      databases: [{ name: 'orders', bytes: 1, sourceBytes: 2048, durationMs: 1 }],
    },
    names: namesFor(['orders'], [], at),
    applications: ['shop'],
    lost: ['orders: 5 transactions were committed since'],
    left: ['postgres stays.'],
  };

  test('says what is done, what clients notice, and what is lost since when', () => {
    const [restore, validate, start] = restorePlan(words);
    expect([stopPlan(words).does, start?.does]).toEqual([
      ['run the stop command of shop'],
      ['run the start command of shop'],
    ]);
    expect(validate?.breaks).toBeNull();
    expect(restore?.does).toEqual([
      'pg_restore of orders (2.0 KiB at that time) from /srv/backups/orders-1 into the new database orders_restoring_20261120t030000z, ANALYZE, and a comparison with what the backup says',
      'only when all of them are equal: end every session in the present databases, and in one transaction',
      'ALTER DATABASE orders RENAME TO orders_before_restore_20261120t030000z; ALTER DATABASE orders_restoring_20261120t030000z RENAME TO orders',
    ]);
    expect(restore?.breaks).toBe(
      'every session in orders ends; then everything in them is as it was at 2026-11-20 03:00:00 UTC',
    );
    expect(restore?.risks[0]).toMatch(/written since 2026-11-20 03:00:00 UTC, and what is still written/);
    expect(restoreNotes(words)).toEqual([
      expect.stringMatching(
        /^The data does not stay as it is: orders will be as in the backup of 2026-11-20/,
      ),
      'orders: 5 transactions were committed since.',
      expect.stringMatching(/^Databases that were made since/),
      'postgres stays.',
    ]);
  });

  test('without applications nothing is stopped, and that is said', () => {
    const none = { ...words, applications: [] };
    expect(restorePlan(none).map(({ id }) => id)).toEqual(['restore', 'validate-restored']);
    expect(restoreNotes(none)).toContainEqual(expect.stringMatching(/^No application is stopped/));
  });

  test('its risk does not promise that nothing is lost', () => {
    const back = {
      class: 'minor' as const,
      reasons: ['15.18 goes back to 15.17: same files, and nothing that was written since is lost.'],
    };
    const risk = restoreRisk(back, '15.17', at.toISOString());
    expect(risk.reasons).toEqual([
      'What was written since 2026-11-20 03:00:00 UTC is lost to the restored databases; the old ones are kept.',
      '15.18 goes back to 15.17: same files.',
    ]);
    expect(restoreRisk(null, '15.17', at.toISOString()).reasons[1]).toBe('PostgreSQL 15.17 stays as it is.');
  });
});

test('the journal tells which databases were exchanged, also when that is put back', () => {
  const [names] = namesFor(['orders'], [], at);
  if (!names) throw new Error('no names');
  const detail = [{ ...names, present: true, connections: true }];
  const entry = { id: 'restore-swap', what: 'closed', detail };
  const lines = [
    { kind: 'switched-off', entry: copyEntry(names) },
    { kind: 'switched-off', entry },
    { kind: 'put-back', id: 'restore-swap' },
  ].map((each) => JSON.stringify(each));
  expect(lastExchange(lines)).toEqual(detail);
  expect(lastExchange([])).toEqual([]);
  expect([isRestore(entry), isRestore(copyEntry(names)), isRestore({ ...entry, id: 'woken' })]).toEqual([
    true,
    true,
    false,
  ]);
});
