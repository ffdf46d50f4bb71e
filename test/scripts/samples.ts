/** Invented release notes, CVE records and lists of versions: the shape of PostgreSQL's, and nothing of their text. */
import type { Table } from '../../scripts/releases/table.ts';

export interface Section {
  version: string;
  date?: string;
  migration?: string;
  entries?: string[];
}

/** A file of release notes. */
export function notesFile(...sections: Section[]): string {
  return `<!-- a comment with <sect1 id="release-99-9"> in it -->
${sections
  .map(({ version, date = '2031-02-03', migration = '', entries = [] }) => {
    const id = `release-${version.replace('.', '-')}`;
    return `<sect1 id="${id}">
  <title>Release ${version}</title>
  <formalpara>
  <title>Release date:</title>
  <para>${date}</para>
  </formalpara>
  <sect2 id="${id}-migration">
   <title>Migration to Version ${version}</title>
   <para>Nothing has to be
    dumped for those who run ${version.split('.')[0]}.X.</para>
   ${migration}
  </sect2>
  <sect2 id="${id}-changes">
   <title>Changes</title>
   <itemizedlist>
${entries.map((entry) => `    <listitem>\n<!-- Author: nobody, reindex -->\n     ${entry}\n    </listitem>`).join('\n')}
   </itemizedlist>
  </sect2>
 </sect1>`;
  })
  .join('\n')}`;
}

/** A CVE record that names the releases which are the first without the fault. */
export function cveText(id: string, fixedIn: string[], score: number | null = 7.1): string {
  return JSON.stringify({
    cveMetadata: { cveId: id },
    containers: {
      cna: {
        x_postgresql: { component: 'client' },
        affected: [
          {
            product: 'PostgreSQL',
            versions: fixedIn.map((lessThan) => ({ version: '0', lessThan, status: 'affected' })),
          },
        ],
        ...(score === null ? {} : { metrics: [{ format: 'CVSS', cvssV3_1: { baseScore: score } }] }),
      },
    },
  });
}

/** A small table: 17.1 is known, 17.2 is inferred, 17.3 was never released. */
export function smallTable(): Table {
  return {
    generated: '2031-01-01',
    sources: { notes: { '17': 'release notes of 17.1' }, cves: 'records', endOfLife: 'policy' },
    endOfLife: { '17': '2035-01-01' },
    prerelease: {},
    neverReleased: ['17.3'],
    cves: { 'CVE-2030-1111': { score: 5, component: 'client' } },
    releases: [
      { version: '17.0', date: '2030-01-01', advice: [], cves: [] },
      {
        ...{ version: '17.1', date: '2030-05-05', asks: true },
        avoid: { reason: 'it eats rows', useAtLeast: '17.2' },
        ...{ caution: 'hot', advice: ['gist-recursive-split'], cves: ['CVE-2030-1111'] },
      },
      {
        version: '17.2',
        date: '2031-02-03',
        inferred: true,
        asks: true,
        advice: ['btree-interval-dedup'],
        cves: null,
      },
    ],
  };
}
