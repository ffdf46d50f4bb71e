import { describe, expect, it } from 'vitest';
import { parseCve } from '../../scripts/releases/cve.ts';
import { parseNotes } from '../../scripts/releases/notes.ts';
import { parseVersions } from '../../scripts/releases/versions.ts';
import { cveText, notesFile } from './samples.ts';

const read = (...sections: Parameters<typeof notesFile>): ReturnType<typeof parseNotes> =>
  parseNotes(notesFile(...sections));

describe('parseNotes', () => {
  it('reads versions and days, and leaves out what is no minor release', () => {
    const text = notesFile(
      { version: '17.2' },
      { version: '17.1', date: '2030-??-??' },
      { version: '17', date: '2029-09-09', entries: ['<para>You must add salt. (CVE-2029-1234)</para>'] },
    );
    expect(parseNotes(text).map(({ version, date }) => [version, date])).toEqual([
      ['17.2', '2031-02-03'],
      ['17.1', null],
    ]);
  });

  it('tells an act of its own from a reference to earlier notes', () => {
    const [own, chain, both, none] = read(
      {
        version: '17.5',
        migration: '<para>However, if you keep\n snakes, feed them; see the list below.</para>',
      },
      {
        version: '17.4',
        migration:
          '<para>However, if you are upgrading from a version\n earlier than 17.2, see <xref linkend="release-17-2"/>.</para>',
      },
      {
        version: '17.3',
        migration: `<para>However, mind the snakes.</para>
          <para>Also, if you are upgrading from a version earlier than <xref linkend="release-17-1"/>, see there.</para>`,
      },
      { version: '17.2' },
    );
    expect([own, chain, both, none].map((notes) => [notes?.asks, notes?.alsoSee])).toEqual([
      [true, null],
      [false, '17.2'],
      [true, '17.1'],
      [false, null],
    ]);
    expect(own?.suspects).toEqual([
      { where: 'migration 1', text: 'however, if you keep snakes, feed them; see the list below.' },
    ]);
  });

  it('keeps what follows an act with it, and sees one that begins in another way', () => {
    const [follows, other] = read(
      {
        version: '17.5',
        migration: `<para>However, snakes escape. You must add a lid.</para>
          <para>Also, if you are upgrading from a version earlier than 17.2, see there.</para>`,
      },
      { version: '17.4', migration: '<para>Re-create the shed after updating.</para>' },
    );
    expect(follows).toMatchObject({ asks: true, alsoSee: '17.2' });
    expect(follows?.suspects.map(({ text }) => text)).toEqual([
      'however, snakes escape. you must add a lid.',
    ]);
    expect(other).toMatchObject({ asks: true, alsoSee: null });
  });

  it('takes a CVE from a paragraph that others follow', () => {
    const [notes] = read({
      version: '17.5',
      entries: [
        `<para>Mend the views. (CVE-2031-10004)</para>
         <para>Only new sheds are mended. In an existing database cluster, do this:</para>
         <procedure><step><para>Run the script, as told (in CVE-2031-10009) before.</para></step></procedure>`,
      ],
    });
    expect(notes?.cves).toEqual(['CVE-2031-10004']);
    expect(notes?.suspects.map(({ where }) => where)).toEqual(['entry 1 (existing)']);
  });

  it('leaves out CVEs of entries whose commits are in other branches only', () => {
    const entry = (branches: string[], cve: string): string =>
      `<!--\nAuthor: Nobody\n${branches.map((name) => `Branch: ${name} [123abc456] 2031-01-01`).join('\n')}\n-->
       <para>Mend the shed, and REINDEX it.</para><para>Thanks to nobody. (${cve})</para>`;
    const [notes] = read({
      version: '17.5',
      entries: [
        entry(['master', 'REL_18_STABLE'], 'CVE-2031-10001'),
        entry(['master', 'REL_18_STABLE', 'REL_17_STABLE'], 'CVE-2031-10002'),
        entry(['REL_17_STABLE'], 'CVE-2031-10003'),
        entry(['master'], 'CVE-2031-10003'),
      ],
    });
    expect(notes?.cves).toEqual(['CVE-2031-10002', 'CVE-2031-10003']);
    expect(notes?.strayCves).toEqual(['CVE-2031-10001']);
    // Somebody still reads what they ask for: the comment may be what is wrong.
    expect(notes?.suspects.map(({ where }) => where)).toEqual(
      [1, 2, 3, 4].map((n) => `entry ${n} (reindex)`),
    );
  });

  it('takes no section that is commented out', () => {
    const text = notesFile({ version: '17.5' }).replace(
      '</sect1>',
      '<!-- <listitem><sect1 id="release-17-6"> -->$&',
    );
    expect(parseNotes(text).map(({ version }) => version)).toEqual(['17.5']);
  });

  it('takes CVEs from the ends of paragraphs only', () => {
    const [notes] = read({
      version: '17.5',
      entries: [
        '<para>Mend the gate.</para><para>Thanks to nobody. (<ulink url="x">CVE-2031-10001</ulink>, CVE-2031-2)</para>',
        '<para>Mend the door (after CVE-2030-9999) a little more.</para>',
        '<para>Mend it. (CVE-2031-10001 or\n CVE-2031-10003)</para>',
      ],
    });
    // CVE-2031-2 is no number of a CVE.
    expect(notes?.cves).toEqual(['CVE-2031-10001', 'CVE-2031-10003']);
  });

  it('sweeps the entries for words, not comments, and counts only outermost entries', () => {
    const [notes] = read({
      version: '17.5',
      entries: [
        '<para>Paint it.</para>',
        '<para>Then</para><itemizedlist><listitem><para>re-create the shed</para></listitem></itemizedlist>',
        '<para>You will need to REINDEX it after updating. Re-index twice.</para>',
        '<para>Move each standby long before the rest.</para>',
        '<para>It is advisable to do it twice; rebuilding the shed is recommended.</para>',
      ],
    });
    expect(notes?.suspects.map(({ where }) => where)).toEqual([
      'entry 2 (re-creat)',
      'entry 3 (reindex, after, re-index)',
      'entry 4 (standby)',
      'entry 5 (advisable, rebuilding, recommended)',
    ]);
  });

  it.each([
    ['', 'no <sect1 id="release-..."> in it'],
    ['<html>gone</html>', 'no <sect1 id="release-..."> in it'],
    ['<sect1 id="release-17-2"><listitem>', 'section of 17.2: a <listitem> is not closed'],
    ['<sect1 id="release-17-2"></listitem>', 'section of 17.2: a </listitem> closes nothing'],
  ])('refuses %j', (text, message) => expect(() => parseNotes(text)).toThrow(message));
});

describe('parseCve', () => {
  it('reads a record', () => {
    expect(parseCve(cveText('CVE-2031-10001', ['17.2', '16.9', '17']))).toEqual({
      id: 'CVE-2031-10001',
      score: 7.1,
      component: 'client',
      fixedIn: ['17.2', '16.9'],
    });
    expect(parseCve(cveText('CVE-2031-10001', [], null))?.score).toBeNull();
  });

  it('leaves out other products', () => {
    expect(parseCve(cveText('CVE-2031-10001', ['1.2']).replace('"PostgreSQL"', '"pgOther"'))).toBeNull();
  });

  it.each(['', '[]', '{"cveMetadata": {"cveId": "nonsense"}}', cveText('CVE-2031-10001', [], 11)])(
    'refuses %j',
    (text) => expect(() => parseCve(text)).toThrow(),
  );
});

describe('parseVersions', () => {
  it('leaves out majors that are too old', () => {
    const one = { latestMinor: '2', relDate: '2031-02-03', eolDate: '2035-01-01', current: true };
    const text = JSON.stringify(['9.6', '12', '17'].map((major) => ({ major, ...one })));
    expect(parseVersions(text).map(({ major }) => major)).toEqual(['17']);
  });

  it.each(['{}', '[{"major": 17}]', 'nothing'])('refuses %j', (text) =>
    expect(() => parseVersions(text)).toThrow(),
  );
});
