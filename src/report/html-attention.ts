/** The top of the page: everything that blocks in one section, everything that warns in the next. */
import { blocksOf, isQuiet, warningsOf } from './attention.ts';
import { checkList } from './html-checks.ts';
import { factList } from './html-facts.ts';
import { code, lines, section, titled } from './html-parts.ts';
import { urgentQueries } from './html-queries.ts';
import { mustReadList } from './html-release.ts';
import { html, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import type { IssueRecord } from './refusals.ts';

/** What blocks; null where nothing does. */
export function blocksSection(record: UpgradeRecord): Markup | null {
  const blocks = blocksOf(record);
  if (isQuiet(blocks)) return null;
  return section(
    'blocks',
    record.changed ? 'What is wrong' : 'What blocks',
    html`${titled(record.plan ? 'Keeps the upgrade from beginning' : 'Why no plan could be made', issueList(blocks.issues))}${titled('Checks', checkList(blocks.checks))}${titled('Your own SQL', urgentQueries(blocks.queries))}${titled(
      'Changed unexpectedly',
      factList(blocks.facts, 'strong'),
    )}${titled('Release notes that a person must read', mustReadList(blocks.mustRead, 'strong'))}`,
  );
}

function issueList(issues: readonly IssueRecord[]): Markup | null {
  return lines(
    issues.map(
      (issue) =>
        html`${code(issue.code)} ${issue.what}${issue.hint !== null && html`<p>To do: ${issue.hint}</p>`}`,
    ),
    'checks',
  );
}

/** What warns, but for the advice, which has a section of its own right after; null where nothing does. */
export function warningsSection(record: UpgradeRecord): Markup | null {
  const { advice: _, ...warnings } = warningsOf(record);
  if (isQuiet({ ...warnings, advice: [] })) return null;
  return section(
    'warnings',
    'Warnings',
    html`${titled('Release notes that a person must read', mustReadList(warnings.mustRead, 'medium'))}${titled(
      'Checks',
      checkList(warnings.checks),
    )}${titled('Alerts', factList(warnings.facts, 'medium'))}`,
  );
}
