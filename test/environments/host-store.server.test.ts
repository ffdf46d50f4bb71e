/** The journal on a host; what it does is compared with the one in files. */
import { appendFile, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileStore } from '../../src/environments/file-store.ts';
import { hostStore } from '../../src/environments/host-store.ts';
import type { Host } from '../../src/process/host.ts';
import { localHost } from '../../src/process/local-host.ts';
import { openJournal } from '../../src/upgrade/journal.ts';
import { failureOf } from '../support/targets.ts';

const host = localHost(null);
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'pgu-store-'));

describe.each([
  ['hostStore', (path: string) => hostStore(host, path)],
  ['fileStore', fileStore],
] as const)('%s', (_, open) => {
  it('reads nothing where nothing was written', async () => {
    await using home = await folder();
    const store = open(join(home.path, 'a/b'));
    expect(await store.read()).toEqual([]);
    expect(await store.readArchives()).toEqual([]);
    await store.archive('x');
    await store.discard();
    await store.prune(1);
    expect(await readdir(home.path)).toEqual([]);
    expect(store.where).toBe(join(home.path, 'a/b/journal.jsonl'));
  });

  it('forgets a line that a crash cut, and does not write onto it', async () => {
    await using home = await folder();
    const store = open(home.path);
    await store.append('{"a":"ü\'$(id)\\\\n"}');
    await appendFile(store.where, '{"bü":');
    expect(await store.read()).toEqual(['{"a":"ü\'$(id)\\\\n"}']);
    await store.append('{"c":3}');
    await store.append('{"c":3}');
    expect(await store.read()).toEqual(['{"a":"ü\'$(id)\\\\n"}', '{"c":3}', '{"c":3}']);
    await writeFile(store.where, '{"first line":');
    await store.append('{"d":4}');
    expect(await readFile(store.where, 'utf8')).toBe('{"d":4}\n');
  });

  it('keeps archives, reads them newest first, and removes old ones', async () => {
    await using home = await folder();
    const store = open(home.path);
    await writeFile(join(home.path, 'journal-notes.txt'), 'not ours');
    for (const name of ['2026-11-20', '2026-09-01', '2026-10-01']) {
      await store.append(name);
      await store.append('"end"');
      await store.archive(name);
    }
    await appendFile(join(home.path, 'journal-2026-10-01.jsonl'), 'cut');
    expect(await store.read()).toEqual([]);
    expect(await store.readArchives()).toEqual(
      ['2026-11-20', '2026-10-01', '2026-09-01'].map((name) => [name, '"end"']),
    );
    await store.prune(2);
    expect((await store.readArchives()).map(([name]) => name)).toEqual(['2026-11-20', '2026-10-01']);
    expect(await readFile(join(home.path, 'journal-notes.txt'), 'utf8')).toBe('not ours');
  });

  it('discards', async () => {
    await using home = await folder();
    const store = open(home.path);
    await store.append('x');
    await store.discard();
    expect(await store.read()).toEqual([]);
  });

  it('says that it cannot be written', async () => {
    await using home = await folder();
    await writeFile(join(home.path, 'file'), '');
    expect(await failureOf(open(join(home.path, 'file/state')).append('x'))).toMatchObject({
      code: 'journal-write',
    });
  });
});

describe('hostStore', () => {
  it('writes what the file store reads, for this user alone', async () => {
    await using home = await folder();
    const path = join(home.path, 'state');
    const journal = await openJournal(hostStore(host, path), () => new Date('2026-11-20T18:00:00.123Z'));
    await journal.begin({ run: 'run 1.1', mode: 'upgrade', from: '15.18', wanted: '15.20' });
    expect(await fileStore(path).read()).toHaveLength(1);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'journal.jsonl'))).mode & 0o777).toBe(0o600);
    await journal.end('success', 'archive');
    expect(await fileStore(path).readArchives()).toHaveLength(1);
  });

  it('takes a line of any length', async () => {
    await using home = await folder();
    const store = hostStore(host, home.path);
    const line = JSON.stringify({ long: 'x'.repeat(400_000) });
    await store.append(line);
    expect(await store.read()).toEqual([line]);
  });

  it('writes a line once that arrived twice', async () => {
    await using home = await folder();
    const twice: Host = {
      ...host,
      async script(...call) {
        await host.script(...call);
        return host.script(...call);
      },
    };
    const store = hostStore(twice, home.path);
    await store.append('a');
    await store.append('b');
    await store.append('b');
    expect(await store.read()).toEqual(['a', 'b', 'b']);
    await store.archive('2026-11-20');
    await store.append('c');
    expect(await store.readArchives()).toEqual([['a', 'b', 'b']]);
    expect(await store.read()).toEqual(['c']);
  });

  it.each(['../x', '-x', 'a b', ''])('refuses the archive %j', async (name) => {
    await using home = await folder();
    await expect(hostStore(host, home.path).archive(name)).rejects.toThrow('is no name of an archive');
  });
});
