import { appendFile, mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileStore } from '../../src/environments/file-store.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { openJournal } from '../../src/upgrade/journal.ts';

const snapshot = { at: '2026-11-20T18:00:00.000Z', versionNum: 150_017 } as Snapshot;

const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'pgu-store-'));
const now = (): Date => new Date('2026-11-20T18:00:00.123Z');

describe('fileStore', () => {
  it('reads nothing where nothing was written', async () => {
    await using home = await folder();
    const store = fileStore(join(home.path, 'a/b'));
    expect(await store.read()).toEqual([]);
    expect(await store.readArchives()).toEqual([]);
    await store.archive('x');
    await store.discard();
    expect(await readdir(home.path)).toEqual([]);
    expect(store.where).toBe(join(home.path, 'a/b/journal.jsonl'));
  });

  it('appends lines to a file that only its owner reads', async () => {
    await using home = await folder();
    const store = fileStore(join(home.path, 'state'));
    await store.append('{"a":1}');
    await store.append('{"b":2}');
    expect(await store.read()).toEqual(['{"a":1}', '{"b":2}']);
    expect((await stat(store.where)).mode & 0o777).toBe(0o600);
  });

  it('forgets a line that a crash cut, and does not write onto it', async () => {
    await using home = await folder();
    const store = fileStore(home.path);
    await store.append('{"a":"ü"}');
    await appendFile(store.where, '{"b":');
    expect(await store.read()).toEqual(['{"a":"ü"}']);
    await store.append('{"c":3}');
    expect(await store.read()).toEqual(['{"a":"ü"}', '{"c":3}']);
    await writeFile(store.where, '{"first line":');
    await store.append('{"d":4}');
    expect(await readFile(store.where, 'utf8')).toBe('{"d":4}\n');
  });

  it('keeps archives, and reads them newest first', async () => {
    await using home = await folder();
    const store = fileStore(home.path);
    await writeFile(join(home.path, 'journal-notes.txt'), 'not ours');
    for (const name of ['2026-11-20', '2026-09-01', '2026-10-01']) {
      await store.append(name);
      await store.archive(name);
    }
    expect(await store.read()).toEqual([]);
    expect(await store.readArchives()).toEqual([['2026-11-20'], ['2026-10-01'], ['2026-09-01']]);
    expect((await readdir(home.path)).length).toBe(4);
  });

  it('says that it cannot be written, and what that means', async () => {
    await using home = await folder();
    const file = join(home.path, 'file');
    await writeFile(file, '');
    await expect(fileStore(join(file, 'state')).append('x')).rejects.toMatchObject({
      code: 'journal-write',
      message: expect.stringMatching(
        /^The journal .*\/file\/state\/journal\.jsonl cannot be written: ENOTDIR: .*\.$/,
      ),
      hint: 'Without it a killed run could not be put right again. Make the folder writable, or name another in environment.state.',
    });
    await mkdir(join(home.path, 'taken/journal.jsonl'), { recursive: true });
    await expect(fileStore(join(home.path, 'taken')).append('x')).rejects.toMatchObject({
      code: 'journal-write',
    });
  });
});

describe('openJournal', () => {
  const start = { run: 'run 1.1 by octocat', mode: 'upgrade', from: '15.17', wanted: '15.20' } as const;

  it('shows at once what it wrote, and again when it is opened anew', async () => {
    await using home = await folder();
    const journal = await openJournal(fileStore(home.path), now);
    expect(journal.isOurs()).toBe(false);
    await journal.begin(start);
    await journal.snapshot(snapshot);
    await journal.step('restart', 'started');
    await journal.switchedOff({ id: 'server', what: 'the server is stopped', detail: { bin: '/usr' } });
    expect(journal.isOurs()).toBe(true);
    expect(journal.state()).toMatchObject({
      begin: { ...start, at: '2026-11-20T18:00:00.123Z', pid: process.pid },
      snapshot,
      steps: new Map([['restart', 'started']]),
      outstanding: [{ id: 'server' }],
    });
    const again = await openJournal(fileStore(home.path), now);
    expect(again.state()).toEqual(journal.state());
    expect(again.isOurs()).toBe(false);
  });

  it('keeps an unfinished run, and moves a finished one away under its time', async () => {
    await using home = await folder();
    const journal = await openJournal(fileStore(home.path), now);
    await journal.begin(start);
    await journal.end('paused', 'keep');
    expect(await readdir(home.path)).toEqual(['journal.jsonl']);
    await journal.end('success', 'archive');
    expect(await readdir(home.path)).toEqual(['journal-2026-11-20T18-00-00-123Z.jsonl']);
    expect(journal.state().ended).toBe('success');
  });

  it('forgets a run that changed nothing', async () => {
    await using home = await folder();
    const journal = await openJournal(fileStore(home.path), now);
    await journal.begin(start);
    await journal.end('refused', 'discard');
    expect(await readdir(home.path)).toEqual([]);
    expect(journal.state().ended).toBe('refused');
  });

  it('does not end the run of somebody else, unless it took it over', async () => {
    await using home = await folder();
    await (await openJournal(fileStore(home.path), now)).begin(start);
    const other = await openJournal(fileStore(home.path), now);
    await other.end('failed', 'archive');
    expect(other.state().ended).toBe(null);
    other.adopt();
    await other.end('failed', 'keep');
    expect(other.state().ended).toBe('failed');
    expect(await readdir(home.path)).toEqual(['journal.jsonl']);
  });

  it('writes no end where there was no beginning', async () => {
    await using home = await folder();
    const journal = await openJournal(fileStore(home.path), now);
    journal.adopt();
    await journal.end('skipped', 'archive');
    expect(await readdir(home.path)).toEqual([]);
  });
});
