/** Where the versions stand among the releases, and which security fixes lie between them. */
import type { MustRead } from './attention.ts';
import { plural } from './format.ts';
import { bar } from './html-bars.ts';
import { badge, code, folded, lines, notes, section, table } from './html-parts.ts';
import { releaseLine } from './html-release-line.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import type { ReleaseRecord } from './record-release.ts';
import { cveHeadline, lineOf, ratingOf } from './release-words.ts';

/** CVEs that are shown without unfolding: the list begins with the highest score. */
const FIRST = 5;

/** The release line as a sentence and a picture. */
export function releaseSection(record: UpgradeRecord): Markup | null {
  const { release } = record;
  if (!release || release.lines.length === 0) return null;
  return section(
    'release',
    'Release line',
    html`<p>${lineOf(record)}.</p>${release.lines.map((line, index) => releaseLine(line, index, record))}<p class="soft">Releases as known on ${release.asOf}.</p>`,
  );
}

/** CVEs that the upgrade fixes, the highest score first. */
export function cvesSection({ release }: UpgradeRecord): Markup | null {
  if (!release) return null;
  const { cves, cvesUnknown } = release;
  const rest = cves.slice(FIRST);
  return section(
    'cves',
    'Security fixes',
    html`<p>${cveHeadline(release)}.</p>${cves.length > 0 && cveTable('Security fixes', cves.slice(0, FIRST))}${
      rest.length > 0 && folded(plural(rest.length, 'more CVE'), cveTable('More security fixes', rest))
    }${
      cvesUnknown.length > 0 &&
      html`<p>Nobody has listed yet what these releases fix: ${cvesUnknown.map((version, index) => [index > 0 && ', ', code(version)])}.</p>`
    }`,
  );
}

function cveTable(label: string, cves: ReleaseRecord['cves']): Markup {
  const rows = cves.map(({ id, score, component, fixedIn }): Insertable[] => [
    html`<span class="id">${id}</span>`,
    score === null
      ? html`<span class="soft">${ratingOf(score)}</span>`
      : html`<span class="score"><strong>${score.toFixed(1)}</strong>${bar(score * 10)} ${ratingOf(score)}</span>`,
    component,
    fixedIn,
  ]);
  return table(label, ['CVE', 'Score', 'Component', 'Fixed in'], rows);
}

/** Releases whose notes a person must read before going over them. */
export function mustReadList(mustRead: readonly MustRead[], weight: 'strong' | 'medium'): Markup | null {
  return lines(
    mustRead.map(
      ({ version, why, link }) =>
        html`${badge('read first', weight)} <span class="title">PostgreSQL ${version}</span>
<p>${why}</p><p>${notes(link, `Release notes of ${version}`)}</p>`,
    ),
    'checks',
  );
}
