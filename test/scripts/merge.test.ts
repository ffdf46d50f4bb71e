import { describe, expect, it } from 'vitest';
import { parseCve } from '../../scripts/releases/cve.ts';
import { type Merged, mergeTable, type Sources } from '../../scripts/releases/merge.ts';
import { parseNotes } from '../../scripts/releases/notes.ts';
import type { Table } from '../../scripts/releases/table.ts';
import type { Release } from '../../src/releases/releases.ts';
import { cveText, notesFile, type Section, smallTable } from './samples.ts';

const today = '2031-03-03';

interface Given {
  notes?: Section[];
  cves?: string[];
  versions?: Sources['versions'];
}

function merge({ notes = [], cves = [], versions = [] }: Given, table: Table = smallTable()): Merged {
  return mergeTable(
    table,
    {
      notes: notes.length > 0 ? parseNotes(notesFile(...notes)) : [],
      cves: cves.map(parseCve).filter((each) => each !== null),
      versions,
    },
    today,
  );
}

const release = ({ table }: Merged, version: string): Release | undefined =>
  table.releases.find((each) => each.version === version);

const reindex = '<para>However, if you have a heap of GIN, REINDEX it.</para>';

describe('a release that is new', () => {
  it('that asks for nothing is just added, in its place', () => {
    const merged = merge({ notes: [{ version: '17.4', date: '2031-03-01' }] });
    expect(merged.table.releases.map(({ version }) => version)).toEqual(['17.0', '17.1', '17.2', '17.4']);
    expect(release(merged, '17.4')).toEqual({ version: '17.4', date: '2031-03-01', advice: [], cves: [] });
    expect(merged).toMatchObject({ changes: ['17.4: new'], disagreements: [] });
    expect(merged.table.generated).toBe(today);
    expect(merged.table.sources.notes['17']).toBe('release notes of 17.4');
  });

  it('that asks for something is unreviewed, without advice', () => {
    const merged = merge({
      notes: [{ version: '17.4', migration: reindex, entries: ['<para>You must add salt.</para>'] }],
    });
    expect(release(merged, '17.4')).toMatchObject({
      asks: true,
      advice: [],
      unreviewed: ['migration 1', 'entry 1 (must)'],
    });
  });

  it('that is not released yet is left out', () => {
    expect(merge({ notes: [{ version: '17.4', date: '2031-??-??' }] }).table).toEqual(smallTable());
  });
});

describe('an inferred release whose notes are read', () => {
  it('is no longer inferred, and keeps its advice', () => {
    const merged = merge({
      notes: [
        {
          version: '17.2',
          migration: '<para>However, REINDEX each btree with an interval.</para>',
          entries: ['<para>Mend it. (CVE-2031-10001)</para>'],
        },
      ],
    });
    expect(release(merged, '17.2')).toEqual({
      version: '17.2',
      date: '2031-02-03',
      asks: true,
      advice: ['btree-interval-dedup'],
      cves: ['CVE-2031-10001'],
    });
    expect(merged.table.cves['CVE-2031-10001']).toEqual({ score: null, component: null });
    expect(merged.disagreements).toEqual([]);
  });

  it('is unreviewed where it asks for something else', () => {
    const merged = merge({ notes: [{ version: '17.2', date: '2031-02-04', migration: reindex }] });
    expect(release(merged, '17.2')).toMatchObject({
      advice: ['btree-interval-dedup'],
      unreviewed: ['migration 1'],
      date: '2031-02-04',
    });
    expect(merged.disagreements).toEqual(['17.2: was taken to be of 2031-02-03, its notes say 2031-02-04']);
  });
});

describe('a release that is known', () => {
  it('keeps what people wrote, whatever its notes say', () => {
    const merged = merge({
      notes: [{ version: '17.1', date: '2030-05-06', entries: ['<para>REINDEX all.</para>'] }],
    });
    expect(merged.table.releases[1]).toEqual(smallTable().releases[1]);
    expect(merged.disagreements).toEqual([
      '17.1: dated 2030-05-06 by its notes, 2030-05-05 in the table',
      '17.1: its notes do not ask for something of their own, the table says otherwise',
    ]);
  });

  it('becomes unreviewed where its notes ask and the table did not know', () => {
    const table = smallTable();
    table.releases.push({ version: '17.4', date: '2031-02-03', advice: [], cves: [] });
    const merged = merge({ notes: [{ version: '17.4', migration: reindex }] }, table);
    expect(release(merged, '17.4')).toMatchObject({ asks: true, unreviewed: ['migration 1'] });
    expect(merged.disagreements).toHaveLength(1);
    // A second time it is known.
    expect(merge({ notes: [{ version: '17.4', migration: reindex }] }, merged.table).changes).toEqual([]);
  });

  it('cannot be one that was never released', () => {
    const merged = merge({ notes: [{ version: '17.3' }] });
    expect(merged.table).toEqual(smallTable());
    expect(merged.disagreements).toEqual([
      '17.3: has release notes, the table says that it was never released',
    ]);
  });
});

describe('CVE records', () => {
  const noted = (id: string): Section => ({ version: '17.4', entries: [`<para>Mend it. (${id})</para>`] });

  it('say what a branch fixes', () => {
    const merged = merge({
      notes: [noted('CVE-2031-10001')],
      cves: [cveText('CVE-2031-10001', ['17.4', '9.6'])],
    });
    expect(release(merged, '17.4')?.cves).toEqual(['CVE-2031-10001']);
    expect(merged.table.cves['CVE-2031-10001']).toEqual({ score: 7.1, component: 'client' });
    expect(merged.disagreements).toEqual([]);
  });

  it('overrule notes that list a CVE of another branch', () => {
    const merged = merge({ notes: [noted('CVE-2031-10001')], cves: [cveText('CVE-2031-10001', ['16.9'])] });
    expect(release(merged, '17.4')?.cves).toEqual([]);
    expect(merged.disagreements).toEqual(['CVE-2031-10001: fixed in 17.4 by its notes, not by its record']);
  });

  it('add what the notes do not list', () => {
    const merged = merge({ notes: [{ version: '17.4' }], cves: [cveText('CVE-2031-10001', ['17.4'])] });
    expect(release(merged, '17.4')?.cves).toEqual(['CVE-2031-10001']);
    expect(merged.disagreements).toEqual(['CVE-2031-10001: fixed in 17.4 by its record, not by the notes']);
  });

  it('may name a release that never was, or that is not known', () => {
    const merged = merge({
      notes: [{ ...noted('CVE-2031-10001') }],
      cves: [cveText('CVE-2031-10001', ['17.3']), cveText('CVE-2031-10002', ['17.9'])],
    });
    expect(release(merged, '17.4')?.cves).toEqual(['CVE-2031-10001']);
    expect(merged.disagreements).toEqual([
      '17.3: named by CVE records as a fix, and was never released; taken for 17.4 (CVE-2031-10001)',
      '17.9: named by CVE records as a fix, and is not in the table (CVE-2031-10002)',
    ]);
  });

  it('settle what notes name by mistake', () => {
    const stray = (version: string): Section => ({
      version,
      entries: ['<!--\nBranch: master [1] 2031\n--><para>Mend it. (CVE-2031-10001)</para>'],
    });
    const alone = merge({ notes: [stray('17.4')] });
    expect(release(alone, '17.4')?.cves).toEqual([]);
    expect(alone.disagreements).toEqual([
      'CVE-2031-10001: in the notes of 17.4, but its commits are of other branches; left out',
    ]);
    const settled = merge({ notes: [stray('17.4')], cves: [cveText('CVE-2031-10001', ['18.1'])] });
    expect([release(settled, '17.4')?.cves, settled.disagreements]).toEqual([[], []]);
    const inTheRecord = merge({ notes: [stray('17.4')], cves: [cveText('CVE-2031-10001', ['17.4'])] });
    expect(release(inTheRecord, '17.4')?.cves).toEqual(['CVE-2031-10001']);
    // A known release is left as it is.
    expect(merge({ notes: [stray('17.1')] }).table.releases).toEqual(smallTable().releases);
  });

  it('leave what is unknown of an inferred release unknown', () => {
    expect(release(merge({ cves: [cveText('CVE-2031-10001', ['17.2'])] }), '17.2')?.cves).toBeNull();
  });

  it('bring scores up to date, and take no CVE away', () => {
    const merged = merge({ cves: [cveText('CVE-2030-1111', [], 9.1)] });
    expect(merged.table.cves['CVE-2030-1111']?.score).toBe(9.1);
    expect(release(merged, '17.1')?.cves).toEqual(['CVE-2030-1111']);
  });
});

describe('versions.json', () => {
  const seventeen = { major: '17', latestMinor: '2', relDate: '2031-02-03', eolDate: '2035-01-01' };

  it('agrees', () =>
    expect(merge({ versions: [seventeen] })).toMatchObject({ changes: [], disagreements: [] }));

  it.each([
    [{ eolDate: '2036-01-01' }, ['17: fixes end on 2036-01-01, not on 2035-01-01'], []],
    [{ relDate: '2031-02-05' }, [], ['17.2: of 2031-02-05 by versions.json, of 2031-02-03 in the table']],
    [
      { latestMinor: '4' },
      [],
      ['17: the newest release is 17.4 by versions.json, 17.2 by the notes and the table'],
    ],
    [{ major: '18', eolDate: '2037-01-01' }, ['18: fixes end on 2037-01-01'], []],
  ])('%j', (change, changes, disagreements) => {
    expect(merge({ versions: [{ ...seventeen, ...change }] })).toMatchObject({ changes, disagreements });
  });
});

it('the table that is passed in stays as it is', () => {
  const table = smallTable();
  merge(
    { notes: [{ version: '17.2', migration: reindex }], cves: [cveText('CVE-2030-1111', [], 9.1)] },
    table,
  );
  expect(table).toEqual(smallTable());
});
