import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { type Begin, isAlive, type JournalEntry, readJournal } from '../../src/upgrade/journal.ts';

const snapshot = { at: '2026-11-20T18:00:00.000Z', versionNum: 150_017 } as Snapshot;

const at = '2026-11-20T18:00:00.000Z';

function begin(changes: Partial<Begin> = {}): Begin {
  return {
    kind: 'begin',
    at,
    run: 'run 1.1 by octocat',
    host: 'runner-1',
    pid: 10,
    mode: 'upgrade',
    from: '15.17',
    wanted: '15.20',
    ...changes,
  };
}

function read(...entries: JournalEntry[]): ReturnType<typeof readJournal> {
  return readJournal(entries.map((entry) => JSON.stringify(entry)));
}

const off = (id: string, detail: unknown = null): JournalEntry => ({
  kind: 'switched-off',
  at,
  entry: { id, what: `${id} is off`, detail },
});

describe('readJournal', () => {
  it('says nothing for no lines', () => {
    expect(readJournal([])).toEqual({
      begin: null,
      holdsUpgrade: false,
      ended: null,
      snapshot: null,
      backup: null,
      steps: new Map(),
      outstanding: [],
      rebuilt: [],
      unwell: [],
      extensions: null,
      extensionUpdates: [],
      rehearsed: null,
    });
  });

  it('keeps the plan that was begun; while only a backup was, the newest one', () => {
    const of = (digest: string): Partial<Begin> => ({ digest, decision: { from: JSON.stringify(digest) } });
    const step = (id: string): JournalEntry => ({ kind: 'step', at, id, state: 'started' });
    const plan = (...entries: JournalEntry[]): unknown[] => {
      const { begin: found } = read(...entries);
      return [found?.digest, found?.decision];
    };
    const first = begin(of('a'));
    expect(plan(first, step('backup'), begin(of('b')))).toEqual(['b', { from: '"b"' }]);
    expect(plan(first, step('backup'), begin())).toEqual(['a', { from: '"a"' }]);
    expect(plan(first, step('preflight'), begin(of('b')))).toEqual(['a', { from: '"a"' }]);
    expect(plan(begin({ digest: 'a' }), step('restart'), begin(of('b')))).toEqual(['a', undefined]);
  });

  it('tells how far a run came', () => {
    expect(
      read(
        begin(),
        { kind: 'snapshot', at, snapshot },
        { kind: 'step', at, id: 'backup', state: 'started' },
        { kind: 'step', at, id: 'backup', state: 'done' },
        { kind: 'step', at, id: 'restart', state: 'started' },
        off('server', { bin: '/usr' }),
      ),
    ).toEqual({
      begin: begin(),
      holdsUpgrade: true,
      ended: null,
      snapshot,
      backup: null,
      steps: new Map([
        ['backup', 'done'],
        ['restart', 'started'],
      ]),
      outstanding: [{ id: 'server', what: 'server is off', detail: { bin: '/usr' } }],
      rebuilt: [],
      unwell: [],
      extensions: null,
      extensionUpdates: [],
      rehearsed: null,
    });
  });

  it('keeps from where an upgrade came and where it leads, and who is at it now', () => {
    const resumed = begin({
      run: 'run 2.1 by mona',
      host: 'runner-2',
      pid: 20,
      mode: 'resume',
      from: '15.20',
      at: '2026-11-21T18:00:00.000Z',
    });
    expect(read(begin(), { kind: 'end', at, result: 'failed' }, resumed)).toMatchObject({
      begin: {
        run: 'run 2.1 by mona',
        host: 'runner-2',
        pid: 20,
        at: '2026-11-21T18:00:00.000Z',
        mode: 'resume',
        from: '15.17',
        wanted: '15.20',
      },
      ended: null,
    });
  });

  it('keeps the snapshot that was taken last, right before the change', () => {
    const state = read(begin(), { kind: 'snapshot', at, snapshot }, begin({ pid: 11 }), {
      kind: 'snapshot',
      at,
      snapshot: { ...snapshot, versionNum: 150_018 },
    });
    expect(state.snapshot).toEqual({ ...snapshot, versionNum: 150_018 });
  });

  it('knows the extensions from before, and which were updated and not taken back', () => {
    const update = { extension: 'hstore', database: 'shop', from: '1.7', to: '1.8', schemas: ['public'] };
    const line = (state: 'started' | 'over'): JournalEntry => ({
      kind: 'extension-update',
      at,
      update,
      state,
    });
    expect(read(line('started')).extensionUpdates).toEqual([{ ...update, state: 'started' }]);
    expect(read(line('started'), line('started'), line('over')).extensionUpdates).toEqual([
      { ...update, state: 'over' },
    ]);
    expect(read({ kind: 'extensions', at, extensions: [] }).extensions).toEqual([]);
  });

  it('knows which indexes an interrupted run may have rebuilt', () => {
    const entry = (index: string, state: 'started' | 'failed') =>
      ({ kind: 'rebuild', at, database: 'shop', index, state }) as const;
    const lines = [
      begin(),
      off('collations', null),
      entry('a', 'started'),
      entry('b', 'started'),
      entry('b', 'failed'),
    ];
    expect(read(...lines).rebuilt).toEqual([{ database: 'shop', index: 'a' }]);
    expect(read(...lines, { kind: 'put-back', at, id: 'collations' }).rebuilt).toEqual([]);
  });

  it('knows the last state of a step', () => {
    const states = ['started', 'failed', 'undone', 'started', 'paused'] as const;
    const entries = states.map((state): JournalEntry => ({ kind: 'step', at, id: 'restart', state }));
    expect(entries.map((_entry, index) => read(...entries.slice(0, index + 1)).steps.get('restart'))).toEqual(
      [...states],
    );
  });

  it('knows what is still switched off, oldest first', () => {
    const ids = (...entries: JournalEntry[]): string[] => read(...entries).outstanding.map(({ id }) => id);
    const back = (id: string): JournalEntry => ({ kind: 'put-back', at, id });
    expect(ids(off('a'), off('b'), off('c'))).toEqual(['a', 'b', 'c']);
    expect(ids(off('a'), off('b'), off('c'), back('b'))).toEqual(['a', 'c']);
    expect(ids(off('a'), back('a'), back('b'))).toEqual([]);
    expect(ids(off('a'), off('b'), back('a'), off('a'))).toEqual(['b', 'a']);
  });

  it('remembers of two switches the one that found it on', () => {
    expect(read(off('a', 'first'), off('a', 'second')).outstanding.map(({ detail }) => detail)).toEqual([
      'first',
    ]);
  });

  it('knows how a run ended', () => {
    expect(read(begin(), { kind: 'end', at, result: 'paused' }).ended).toBe('paused');
  });
});

describe('isAlive', () => {
  it('is true for another process of this machine only', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(isAlive(begin({ host: hostname(), pid }))).toBe(true);
    expect(isAlive(begin({ host: `not-${hostname()}`, pid }))).toBe(false);
    expect(isAlive(begin({ host: hostname(), pid: process.pid }))).toBe(false);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(isAlive(begin({ host: hostname(), pid }))).toBe(false);
  });
});
