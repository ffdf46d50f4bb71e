/** Checks and the comparison of before and after, folded. */

import { byUrgency, countChecks, statusWord, titleWords } from './check-words.ts';
import { countFacts, VERDICTS } from './fact-words.ts';
import { plural } from './format.ts';
import { changeOf, formatMeasure } from './measure.ts';
import type { FactRecord, UpgradeRecord } from './record.ts';
import { code, type Detail, folded, joined, stack, table, words } from './summary-parts.ts';

/** Checks; those that passed are left out of the shorter forms. */
export function checkDetails(record: UpgradeRecord, detail: Detail): string | null {
  if (record.checks.length === 0) return null;
  const shown = byUrgency(record.checks).filter((check) => detail.everything || check.status !== 'passed');
  const rows = shown.map((check) => [
    statusWord(check.status),
    check.when,
    words(titleWords(check), detail),
    joined(check.seen, detail, '<br>'),
    check.status === 'passed' ? '' : words(check.fix, detail),
    code(check.docs, detail),
  ]);
  const passed = record.checks.length - shown.length;
  return folded(
    `Checks: ${countChecks(record.checks)}`,
    stack(
      rows.length > 0 && table(['Status', 'When', 'Check', 'Seen', 'What to do', 'Docs'], rows, detail),
      passed > 0 && `${plural(passed, 'passed check')} left out; report.html has all.`,
    ),
  );
}

/** Facts that differ or could not be compared; equal ones are counted. */
export function factDetails({ facts }: UpgradeRecord, detail: Detail): string | null {
  if (facts.length === 0) return null;
  const differ = facts
    .filter(({ verdict }) => verdict !== 'equal')
    .toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
  const equal = facts.length - differ.length;
  const rows = differ.map((fact) => [
    fact.verdict.replace('-', ' '),
    words(fact.group, detail),
    words(fact.name, detail),
    ...factValues(fact, detail),
    words(fact.why, detail),
  ]);
  return folded(
    `Before and after: ${countFacts(facts)}`,
    stack(
      rows.length > 0 && table(['Verdict', 'Kind', 'Fact', 'Before', 'After', 'Why'], rows, detail),
      equal > 0 && `${plural(equal, 'fact')} equal before and after.`,
    ),
  );
}

/** Both values of a fact, in its unit where it has one; the second says how it changed. */
export function factValues(
  { before, after, measure, verdict }: FactRecord,
  detail: Detail,
): [string, string] {
  const none = verdict === 'not-compared' ? '' : 'nothing';
  if (measure === null) return [code(before, detail) || none, code(after, detail) || none];
  const change = changeOf(measure);
  return [
    formatMeasure(measure.before, measure.unit),
    `${formatMeasure(measure.after, measure.unit)}${change === null ? '' : ` (${change})`}`,
  ];
}
