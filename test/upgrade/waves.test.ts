/** Which target waits for which: real journals in files, and records as GitHub would give them. */
import { appendFile, mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileStore } from '../../src/environments/file-store.ts';
import type { Result, UpgradeRecord } from '../../src/report/record.ts';
import type { RunContext } from '../../src/upgrade/context.ts';
import { journalOutcome, recordOutcome } from '../../src/upgrade/evidence.ts';
import { openJournal } from '../../src/upgrade/journal.ts';
import { emptyRecord } from '../../src/upgrade/recorder.ts';
import { waitingFor, whyNotGreen } from '../../src/upgrade/waves.ts';
import { load } from '../spec/specs.ts';
import { world } from './world.ts';

const ended = new Date('2026-11-20T12:00:00.000Z');
const at = ended.getTime();
const later = (hours: number): Date => new Date(at + hours * 3_600_000);

describe('whyNotGreen', () => {
  const why = (
    outcomes: Parameters<typeof whyNotGreen>[0]['outcomes'],
    soak = '0m',
    now = later(1),
    unreadable: string[] = [],
  ): string | null => whyNotGreen({ outcomes, unreadable }, '15.20', soak, now);
  const success = { at, result: 'success', version: '15.20' } as const;

  it('without evidence nothing is green', () => {
    expect(why([])).toBe('no upgrade to 15.20 by this action is known here');
    expect(why([success], '0m', later(1), ['its journal cannot be read: no'])).toBe(
      'its journal cannot be read: no',
    );
  });

  it('soaks to the millisecond', () => {
    expect(why([success])).toBeNull();
    expect(why([success], '12h', later(12))).toBeNull();
    expect(why([success], '12h', new Date(later(12).getTime() - 1))).toBe(
      'green since 2026-11-20 12:00:00 UTC, and must be for 12 hours: 1 minute to go',
    );
    expect(why([success], '2d', later(1))).toBe(
      'green since 2026-11-20 12:00:00 UTC, and must be for 2 days: 1 day 23 hours to go',
    );
  });

  it('the newest outcome counts, wherever it stands', () => {
    const bad = { at: at + 1, result: 'rolled-back', version: null } as const;
    expect(why([bad, success])).toBe('its last run ended rolled-back at 2026-11-20 12:00:00 UTC');
    expect(why([success, bad])).toBe('its last run ended rolled-back at 2026-11-20 12:00:00 UTC');
    expect(why([{ ...bad, at: at - 1 }, success])).toBeNull();
  });

  it.each<[Result | null, string]>([
    ['paused', 'its upgrade is paused'],
    [null, 'its last run has not ended'],
  ])('%s is not green', (result, words) =>
    expect(why([success, { at: Number.POSITIVE_INFINITY, result, version: null }])).toBe(words),
  );

  it.each<[Result]>([['failed'], ['cancelled'], ['rolled-back']])('%s is not green', (result) =>
    expect(why([{ at, result, version: null }])).toBe(
      `its last run ended ${result} at 2026-11-20 12:00:00 UTC`,
    ),
  );

  it('another version is not the one', () =>
    expect(why([{ ...success, version: '15.18' }])).toBe(
      'its last upgrade led to 15.18, and the spec asks for 15.20',
    ));
});

describe('what a journal tells', () => {
  const begin = {
    kind: 'begin',
    run: 'r',
    host: 'h',
    pid: 1,
    mode: 'upgrade',
    from: '15.17',
    wanted: '15.20',
  };
  const outcome = (...entries: object[]) =>
    journalOutcome(
      entries.map((entry) => JSON.stringify({ at: ended.toISOString(), ...entry })),
      'stock',
    );
  const stock = { ...begin, target: 'stock' };

  it('is nothing where it is empty, or of another target under the same path', () => {
    expect(outcome()).toBeNull();
    expect(outcome({ ...begin, target: 'orders' }, { kind: 'end', result: 'success' })).toBeNull();
    expect(outcome(begin, { kind: 'end', result: 'success' })).toBeNull();
  });

  it.each<[Result, string | null]>([
    ['success', '15.20'],
    ['failed', null],
    ['rolled-back', null],
    ['cancelled', null],
  ])('%s, and when', (result, version) =>
    expect(outcome(stock, { kind: 'end', result })).toEqual({ at, result, version }),
  );

  it('a run that has not ended is newer than all', () => {
    expect(outcome(stock)).toEqual({ at: Number.POSITIVE_INFINITY, result: null, version: null });
    expect(outcome(stock, { kind: 'end', result: 'paused' })).toMatchObject({ result: 'paused' });
    expect(outcome(stock, { kind: 'end', result: 'failed' }, { ...stock, run: 'again' })).toMatchObject({
      result: null,
    });
  });

  it.each<[Result]>([['skipped'], ['refused']])('%s says nothing', (result) =>
    expect(outcome(stock, { kind: 'end', result })).toBeNull(),
  );
});

function recordOf(changes: Partial<UpgradeRecord>): UpgradeRecord {
  const record = emptyRecord({
    name: 'stock',
    environment: 'embedded',
    place: 'spec.yaml:3',
    wanted: '15.20',
    mode: 'upgrade',
    identity: null,
    version: '0.0.0',
    now: () => new Date(at - 1000),
  });
  return { ...record, finished: ended.toISOString(), ...changes };
}

describe('what a record tells', () => {
  const now = { from: '15.17', wanted: '15.20', now: '15.20' };

  it('is its result, the version that serves, and when', () => {
    expect(recordOutcome(recordOf({ result: 'success', versions: now }))).toEqual({
      at,
      result: 'success',
      version: '15.20',
    });
    expect(recordOutcome(recordOf({ result: 'failed', versions: now }))).toMatchObject({ version: null });
    expect(recordOutcome(recordOf({}))).toMatchObject({ at: Number.POSITIVE_INFINITY, result: null });
  });

  it('is nothing of a run that changed nothing by design', () => {
    expect(recordOutcome(recordOf({ result: 'skipped', versions: now }))).toBeNull();
    expect(recordOutcome(recordOf({ result: 'refused' }))).toBeNull();
    expect(recordOutcome(recordOf({ result: 'success', mode: 'rehearse', versions: now }))).toBeNull();
  });
});

describe('waitingFor', () => {
  const fleetIn = (folder: string, soak = '0m') =>
    load(
      `version: 1\nsoak: ${soak}\ntargets:\n${['orders 2', 'stock 1', 'shop 1', 'billing 2']
        .map((line) => line.split(' '))
        .map(
          ([name, wave]) =>
            `  - name: ${name}\n    wave: ${wave}\n    postgres: "15.20"\n    connection: env:NOWHERE\n    environment: { kind: embedded, data: ${folder}/${name}, port: 5432 }\n`,
        )
        .join('')}`,
    );

  async function upgraded(folder: string, name: string, result: Result, now = ended): Promise<void> {
    const journal = await openJournal(fileStore(join(folder, `${name}.upgrade`)), () => now);
    await journal.begin({ run: 'r', mode: 'upgrade', from: '15.17', wanted: '15.20', target: name });
    await journal.end(result, result === 'failed' ? 'keep' : 'archive');
  }

  async function asked(
    folder: string,
    lastRecord?: (name: string) => Promise<UpgradeRecord | null>,
    soak?: string,
  ): Promise<Record<string, string[]>> {
    using here = await world();
    const all = fleetIn(folder, soak);
    const outside = lastRecord ? ({ lastRecord } as unknown as RunContext['outside']) : null;
    const context = { ...here.run.context, outside, now: () => later(1) };
    const names = await Promise.all(
      all.map(async (target) => [target.spec.name, await waitingFor(target, all, context)] as const),
    );
    return Object.fromEntries(names);
  }

  const none = 'no upgrade to 15.20 by this action is known here';

  it('the first wave waits for nobody, a later one for each target of the earlier ones', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-waves-'));
    const both = [`stock (wave 1): ${none}`, `shop (wave 1): ${none}`];
    expect(await asked(folder.path)).toEqual({ orders: both, stock: [], shop: [], billing: both });
    await upgraded(folder.path, 'stock', 'success');
    expect((await asked(folder.path)).orders).toEqual([`shop (wave 1): ${none}`]);
    await upgraded(folder.path, 'shop', 'success', later(0.5));
    expect((await asked(folder.path)).orders).toEqual([]);
    expect((await asked(folder.path, undefined, '45m')).billing).toEqual([
      'shop (wave 1): green since 2026-11-20 12:30:00 UTC, and must be for 45 minutes: 15 minutes to go',
    ]);
    // A later run that failed keeps its journal open.
    await upgraded(folder.path, 'shop', 'failed', later(0.6));
    expect((await asked(folder.path)).orders).toEqual([
      'shop (wave 1): its last run ended failed at 2026-11-20 12:36:00 UTC',
    ]);
  });

  it('the last record counts where there is no journal, and where it is newer', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-waves-'));
    const versions = { from: '15.17', wanted: '15.20', now: '15.20' };
    const green = recordOf({ result: 'success', versions });
    expect((await asked(folder.path, async () => green)).orders).toEqual([]);
    expect((await asked(folder.path, async (name) => (name === 'shop' ? green : null))).orders).toEqual([
      `stock (wave 1): ${none}`,
    ]);
    await upgraded(folder.path, 'stock', 'success');
    await upgraded(folder.path, 'shop', 'success');
    const failed = recordOf({ result: 'failed', finished: later(0.1).toISOString() });
    expect((await asked(folder.path, async (name) => (name === 'shop' ? failed : null))).orders).toEqual([
      'shop (wave 1): its last run ended failed at 2026-11-20 12:06:00 UTC',
    ]);
    // A run that found nothing to do does not begin the soak anew.
    const skipped = recordOf({ result: 'skipped', versions, finished: later(0.9).toISOString() });
    expect((await asked(folder.path, async () => skipped, '50m')).orders).toEqual([]);
  });

  it('asks for the record of a target once, however many wait for it', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-waves-'));
    const names: string[] = [];
    const answer = await asked(folder.path, async (name) => {
      names.push(name);
      return null;
    });
    expect(names.toSorted()).toEqual(['shop', 'stock']);
    expect(answer.billing).toEqual(answer.orders);
  });

  it('what cannot be read is not green, unless a journal tells', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-waves-'));
    const refused = async (): Promise<never> => {
      throw new Error('HTTP 403');
    };
    await upgraded(folder.path, 'stock', 'success');
    expect((await asked(folder.path, refused)).orders).toEqual([
      'shop (wave 1): its last record cannot be read: HTTP 403',
    ]);
    const broken = join(folder.path, 'shop.upgrade');
    await mkdir(broken, { recursive: true });
    await appendFile(join(broken, 'journal-x.jsonl'), 'no json\n');
    expect((await asked(folder.path)).orders).toEqual([
      expect.stringMatching(/^shop \(wave 1\): its journal \S+journal\.jsonl cannot be read: /),
    ]);
  });
});
