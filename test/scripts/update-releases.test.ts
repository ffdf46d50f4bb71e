import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatTable, type Table } from '../../scripts/releases/table.ts';
import { updateReleases } from '../../scripts/update-releases.ts';
import { cveText, notesFile, smallTable } from './samples.ts';

const real = new URL('../../src/releases/releases.json', import.meta.url);

describe('formatTable', () => {
  it('writes the table as it stands, byte for byte', () => {
    const text = readFileSync(real, 'utf8');
    expect(formatTable(JSON.parse(text) as Table)).toBe(text);
  });

  it('has a release a line', () => {
    const lines = formatTable(smallTable()).split('\n');
    expect(lines.filter((line) => line.startsWith('  {"version": '))).toHaveLength(3);
  });
});

describe('updateReleases', () => {
  let folder: string;
  let said: string[];
  const path = (name: string): string => join(folder, name);
  const run = (...args: string[]): Promise<number> =>
    updateReleases(args, path('releases.json'), '2031-03-03', (line) => said.push(line));
  const table = (): string => readFileSync(path('releases.json'), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'releases-'));
    said = [];
    mkdirSync(path('bare'));
    writeFileSync(path('releases.json'), formatTable(smallTable()));
    writeFileSync(
      path('release-17.sgml'),
      notesFile({ version: '17.4', entries: ['<para>Mend it. (CVE-2031-10001)</para>'] }),
    );
    writeFileSync(path('CVE-2031-10001.json'), cveText('CVE-2031-10001', ['17.4']));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads files and folders, and writes', async () => {
    expect(await run('--notes', path('release-17.sgml'), '--cves', folder)).toBe(0);
    expect(said).toEqual([
      '17.4: new',
      '17.4: fixes CVE-2031-10001',
      `2 changes written to ${path('releases.json')}.`,
    ]);
    expect(table().split('\n')).toContain(
      '  {"version": "17.4", "date": "2031-02-03", "advice": [], "cves": ["CVE-2031-10001"]}',
    );
    said = [];
    expect(await run('--notes', folder, '--cves', folder)).toBe(0);
    expect(said).toEqual(['Nothing changes.']);
  });

  it('changes nothing with --check', async () => {
    expect(await run('--notes', folder, '--check')).toBe(0);
    expect(said.at(-1)).toBe('2 changes; nothing was written.');
    expect(table()).toBe(formatTable(smallTable()));
  });

  it('ends with 2 where sources disagree', async () => {
    writeFileSync(path('CVE-2031-10002.json'), cveText('CVE-2031-10002', ['17.4']));
    expect(await run('--notes', folder, '--cves', folder)).toBe(2);
    expect(said).toContain('Sources disagree. CVE-2031-10002: fixed in 17.4 by its record, not by the notes');
  });

  it('prints its usage with --help, and says "1 change"', async () => {
    expect(await run('--help', '--check')).toBe(0);
    expect(said.join('\n')).toMatch(
      /^Usage: npm run releases:update[\s\S]*--cves FILE or FOLDER[\s\S]*Ends with 0/,
    );
    said = [];
    rmSync(path('CVE-2031-10001.json'));
    writeFileSync(
      path('release-17.sgml'),
      notesFile({ version: '17.4', entries: ['<para>Mend it.</para>'] }),
    );
    expect(await run('--notes', path('release-17.sgml'), '--check')).toBe(0);
    expect(said.at(-1)).toBe('1 change; nothing was written.');
  });

  it('names local copies where the default addresses cannot be reached', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('no network')));
    expect(await run()).toBe(1);
    vi.unstubAllGlobals();
    expect(said).toEqual([
      expect.stringMatching(/^Error: https:.*release-17\.sgml.* could not be read: no network$/),
      'Name local copies instead: --notes FILE, --cves FOLDER, --versions FILE.',
    ]);
  });

  it.each([
    [['--notes', 'missing.sgml'], 'missing.sgml could not be read: ENOENT'],
    [['--cves', 'empty'], 'empty could not be read'],
    [
      ['--versions', 'http://127.0.0.1:9/versions.json'],
      'http://127.0.0.1:9/versions.json could not be read',
    ],
    [['--versions', 'release-17.sgml'], 'release-17.sgml is not as expected'],
    [['--notes', 'CVE-2031-10001.json'], 'CVE-2031-10001.json is not as expected: no <sect1'],
    [['--notes', 'bare'], 'could not be read: it holds no file release-<major>.sgml'],
    [['--nonsense'], `Unknown option '--nonsense'`],
    [['--nonsense'], 'Usage: npm run'],
  ])('ends with 1 and says why: %j', async (args, message) => {
    const given = args.map((arg) => (/^(--|http)/.test(arg) ? arg : path(arg)));
    expect(await run(...given)).toBe(1);
    expect(said.join('\n')).toContain(message);
    expect(table()).toBe(formatTable(smallTable()));
  });
});
