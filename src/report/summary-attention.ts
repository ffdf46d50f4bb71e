/** What a reader of a summary must see without unfolding anything: what blocks, then what warns. */
import { byWords, certaintyWords, timingWords } from './advice.ts';
import { blocksOf, type MustRead, warningsOf } from './attention.ts';
import { type CheckRecord, titleWords } from './check-words.ts';
import { formatCount } from './format.ts';
import type { FactRecord, UpgradeRecord } from './record.ts';
import type { AdviceRecord } from './record-release.ts';
import type { IssueRecord } from './refusals.ts';
import { factValues } from './summary-checks.ts';
import { resultTable } from './summary-health.ts';
import { code, type Detail, joined, list, notes, stack, words } from './summary-parts.ts';

/** The first few of each kind; the folded sections have more, report.html has all. */
export function attention(record: UpgradeRecord, detail: Detail): string {
  const few = { ...detail, items: Math.min(detail.items, 20) };
  const { checks, queries, facts, mustRead, issues } = blocksOf(record);
  // What does not hold on a copy failed a rehearsal; it keeps no upgrade from beginning.
  const onCopy = record.mode === 'rehearse' ? checks.filter(({ when }) => when === 'after') : [];
  const own = checks.filter((check) => !onCopy.includes(check));
  const warnings = warningsOf(record);
  const checked = (from: readonly CheckRecord[], status: CheckRecord['status']): CheckRecord[] =>
    from.filter((check) => check.status === status);
  const open = record.switchedOff.filter(({ putBackAt }) => putBackAt === null);
  return stack(
    group(
      record.plan ? 'Keeps the upgrade from beginning' : 'Why no plan could be made',
      issues,
      issueItem,
      few,
    ),
    group('Blocks the upgrade', checked(own, 'blocked'), checkItem, few),
    group('Could not be answered', checked(own, 'error'), checkItem, few),
    group('Does not hold on the copy', onCopy, checkItem, few),
    queries.length > 0 &&
      stack(
        '### Your own SQL blocks',
        ...queries.slice(0, MOST_RESULTS).map((query) => resultTable(query, few)),
        queries.length > MOST_RESULTS &&
          `${formatCount(queries.length - MOST_RESULTS)} more are in report.html.`,
      ),
    group('Release notes that a person must read', mustRead, readItem, few),
    group('Changed unexpectedly', facts, factItem, few),
    group('Switched off and not put back', open, ({ what }) => words(what, few), few),
    group('Warnings', warnings.checks, checkItem, few),
    group('Release notes to read', warnings.mustRead, readItem, few),
    group('What the release notes ask', warnings.advice, adviceItem, few),
    group('Alerts', warnings.facts, factItem, few),
  );
}

/** Results of statements that are shown with their rows. */
const MOST_RESULTS = 5;

/** Only what is shown is written: there may be many thousands. */
function group<T>(
  title: string,
  found: readonly T[],
  item: (entry: T, detail: Detail) => string,
  detail: Detail,
): string | null {
  if (found.length === 0) return null;
  const items = found.map((entry, place) => (place < detail.items ? item(entry, detail) : ''));
  return `### ${title}\n\n${list(items, detail)}`;
}

function checkItem(check: CheckRecord, detail: Detail): string {
  const seen = joined(check.seen, { ...detail, items: 5 }, '; ');
  const fix = check.fix === null ? '' : `<br>To do: ${words(check.fix, detail)}`;
  return `**${words(titleWords(check), detail)}**${seen === '' ? '' : `: ${seen}`}${fix}`;
}

/** `route-major`: what, and what to do. */
function issueItem({ code: id, what, hint }: IssueRecord, detail: Detail): string {
  const todo = hint === null ? '' : `<br>To do: ${words(hint, detail)}`;
  return `${code(id, detail)}: ${words(what, detail)}${todo}`;
}

function readItem({ version, why, link }: MustRead, detail: Detail): string {
  return `**PostgreSQL ${words(version, detail)}**: ${words(why, detail)} ${notes(link, `Release notes of ${version}`, detail)}`;
}

function factItem(fact: FactRecord, detail: Detail): string {
  const [before, after] = factValues(fact, detail);
  const why = fact.why === null ? '' : `; ${words(fact.why, detail)}`;
  return `**${words(fact.name, detail)}**: ${before} → ${after}${why}`;
}

function adviceItem(advice: AdviceRecord, detail: Detail): string {
  const names = advice.objects
    .slice(0, 3)
    .map(
      ({ database, name }) =>
        `${code(name, detail)}${database === null ? '' : ` in ${code(database, detail)}`}`,
    );
  const shown = names.join(', ');
  const left = Math.max(advice.total, advice.objects.length) - names.length;
  const found = shown === '' ? '' : ` (${shown}${left > 0 ? ` and ${formatCount(left)} more` : ''})`;
  return [
    `**${words(advice.title, detail)}**, ${timingWords(advice.timing)}. ${certaintyWords(advice)}${found}.`,
    `To do: ${words(advice.todo, detail)} ${byWords(advice)}. ${notes(advice.link, `Release notes of ${advice.fixedIn}`, detail)}`,
  ].join('<br>');
}
