/** The security fixes between two versions, folded. */
import type { UpgradeRecord } from './record.ts';
import { cveHeadline, ratingOf } from './release-words.ts';
import { type Detail, folded, joined, stack, table, words } from './summary-parts.ts';

/** CVEs that a summary lists: the list begins with the highest score. */
const MOST = 50;

/** The CVEs as a table; the release line is a sentence in the key table. */
export function cveDetails({ release }: UpgradeRecord, detail: Detail): string | null {
  if (!release || release.cves.length + release.cvesUnknown.length === 0) return null;
  const rows = release.cves.map(({ id, score, component, fixedIn }) => [
    words(id, detail),
    score === null
      ? ratingOf(score)
      : `${score >= 7 ? `**${score.toFixed(1)}**` : score.toFixed(1)} ${ratingOf(score)}`,
    words(component, detail),
    words(fixedIn, detail),
  ]);
  const few = { ...detail, items: Math.min(detail.items, MOST) };
  return folded(
    cveHeadline(release),
    stack(
      rows.length > 0 && table(['CVE', 'Score', 'Component', 'Fixed in'], rows, few),
      release.cvesUnknown.length > 0 &&
        `Nobody has listed yet what these releases fix: ${joined(release.cvesUnknown, detail, ', ')}`,
    ),
  );
}
