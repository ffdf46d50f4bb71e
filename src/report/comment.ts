/**
 * The comment on a pull request: what a DBA would sign. Verdict first, one table, details folded. Everything from
 * outside is escaped: who opens a pull request chooses names.
 */
import { countAdvice } from './advice.ts';
import { type AtMergeFacts, atMergeWords, fromTo, kindWords, runsWords } from './change-words.ts';
import { countChecks } from './check-words.ts';
import { stageDetails } from './comment-rehearsal.ts';
import { clip } from './escape.ts';
import { plural } from './format.ts';
import type { PlanRecord, RiskClass, UpgradeRecord } from './record.ts';
import { blockWords, countRefusals } from './refusals.ts';
import { downtimeWords, rehearsalWords } from './rehearsal-words.ts';
import { cveHeadline, lineOf } from './release-words.ts';
import { runLink } from './run-link.ts';
import { attention } from './summary-attention.ts';
import { cut } from './summary-cut.ts';
import { code, type Detail, joined, nextStep, stack, table, words } from './summary-parts.ts';
import { cveDetails } from './summary-release.ts';
import { planDetails } from './summary-steps.ts';

/** What the record alone does not tell. */
export interface CommentFacts extends AtMergeFacts {
  /** Hidden first line. */
  marker: string;
  /** Of the plan; where none was made, of the versions alone. */
  risk: PlanRecord['risk'];
}

/** GitHub's limit is 65,536 characters; bytes are never fewer. */
const LIMIT = 65_536;

const LONG: Detail = { items: 100, characters: 1_000, everything: false };
const SHORT: Detail = { items: 20, characters: 300, everything: false };
const SHORTEST: Detail = { items: 5, characters: 150, everything: false };

const LADDER: readonly ((record: UpgradeRecord, facts: CommentFacts) => string)[] = [
  (record, facts) => stack(top(record, facts, LONG), details(record, LONG), foot(record)),
  (record, facts) => stack(top(record, facts, SHORT), details(record, SHORT), LEFT_OUT, foot(record)),
  (record, facts) => stack(top(record, facts, SHORT), LEFT_OUT, foot(record)),
  (record, facts) => stack(head(record, facts, SHORTEST), LEFT_OUT, foot(record)),
];

const LEFT_OUT = '> The rest does not fit into a comment: the report of the run (report.html) has all of it.';

/** Markdown in the longest form that fits. */
export function renderComment(record: UpgradeRecord, facts: CommentFacts, limitBytes = LIMIT): string {
  let text = '';
  for (const render of LADDER) {
    text = `${facts.marker}\n${render(record, facts)}\n`;
    if (Buffer.byteLength(text) <= limitBytes) return text;
  }
  return cut(text, limitBytes);
}

/**
 * What of a text is news: not which run it was, nor how long something took, how big a copy became and when its backup
 * was taken, which differ in every run. The head commit is: who reads the comment must know what it was made of.
 */
export function newsOf(comment: string): string {
  return comment
    .replaceAll('\r\n', '\n')
    .replaceAll(/ The whole report is in [^\n]*(?=<\/sub>)/g, '')
    .replaceAll(/\b\d[\d,.]* (?:ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?/g, 'DURATION')
    .replaceAll(/\b\d[\d,.]* (?:B|[KMGTP]iB)(?![A-Za-z])/g, 'SIZE')
    .replaceAll(/^(Backup of [^\n]* from )\d{4}-\d\d-\d\d \d\d:\d\d UTC/gm, '$1TIME')
    .trim();
}

function head(record: UpgradeRecord, facts: CommentFacts, detail: Detail): string {
  return stack(
    verdict(record, facts, detail),
    words(clip(record.verdict, 500), detail),
    moreThanVersion(record, detail),
    table(['', ''], rows(record, facts, detail), { ...detail, items: Number.POSITIVE_INFINITY }),
  );
}

function top(record: UpgradeRecord, facts: CommentFacts, detail: Detail): string {
  const stopped = record.result !== 'success' && record.result !== 'skipped';
  return stack(
    head(record, facts, detail),
    stopped && nextStep(record.next, detail),
    attention(record, detail),
  );
}

function details(record: UpgradeRecord, detail: Detail): string {
  return stack(stageDetails(record, detail), cveDetails(record, detail), planDetails(record, detail));
}

/** `## ✅ orders: 15.17 → 15.18, minor version: nothing blocks it` */
function verdict(record: UpgradeRecord, { risk }: CommentFacts, detail: Detail): string {
  const { change, target } = record;
  const others = change?.others.length ?? 0;
  const kind = change ? `, ${kindWords(change.kind)}` : '';
  const more = others > 0 ? `, and ${plural(others, 'other change')}` : '';
  const [symbol, said] = outcome(record, risk.class);
  return `## ${symbol} ${words(`${target.name}: ${fromTo(record)}${kind}${more}: ${said}`, detail)}`;
}

/** A symbol and a few words. What a person has to look at is no plain yes, even where nothing blocks it. */
function outcome(record: UpgradeRecord, risk: RiskClass): [string, string] {
  const { result, mode, change, rehearsal, rehearsed, versions } = record;
  const blocking = countRefusals(record);
  const look =
    !['none', 'minor'].includes(risk) ||
    (change !== null && (change.others.length > 0 || !['none', 'minor'].includes(change.kind)));
  const yes = (): [string, string] => {
    if (mode === 'rehearse') {
      const other = rehearsal !== null && !rehearsal.exact;
      const how = other ? `rehearsed on ${rehearsal.ranOn}, not on ${versions.wanted}` : 'rehearsed';
      if (blocking > 0) return ['⛔', `${how}, but ${blockWords(blocking)}`];
      return other ? ['⚠️', how] : [look ? '⚠️' : '✅', 'rehearsed, nothing blocks it'];
    }
    if (!rehearsed) return [look ? '⚠️' : '✅', 'nothing blocks it, not rehearsed yet'];
    if (!rehearsed.passed) return ['⚠️', 'nothing blocks it, but the last rehearsal failed'];
    if (!rehearsed.exact) return ['⚠️', 'nothing blocks it, rehearsed on another minor version'];
    return [look ? '⚠️' : '✅', 'nothing blocks it, rehearsed'];
  };
  switch (result) {
    case 'success':
      return yes();
    case 'skipped':
      return [look ? '⚠️' : '⏭️', 'nothing to do'];
    case 'refused':
      return ['⛔', blocking > 0 ? blockWords(blocking, 'it') : 'refused'];
    case 'cancelled':
      return ['⏹️', 'the run was cancelled'];
    case null:
      return ['⏳', 'the run did not end'];
    default:
      if (rehearsal && !rehearsal.passed)
        return ['❌', `the rehearsal failed${blocking > 0 ? `, and ${blockWords(blocking)}` : ''}`];
      return ['❌', record.plan ? 'it failed' : 'no plan could be made'];
  }
}

/** Not to be overlooked: a pull request that also changes commands is no version bump. */
function moreThanVersion({ change, target }: UpgradeRecord, detail: Detail): string | null {
  if (!change) return null;
  if (change.kind === 'unknown')
    return `> [!WARNING]\n> What this pull request changes at ${code(target.name, detail)} is not known: ${words(change.why, detail)}. It does not count as a minor version.`;
  if (change.others.length === 0) return null;
  const few = { ...detail, items: Math.min(detail.items, 20) };
  const names = change.others.slice(0, few.items).map((key) => code(key, few));
  const left = change.others.length - names.length;
  return `> [!WARNING]\n> **This is more than a version.** It also changes ${names.join(', ')}${left > 0 ? ` and ${left} more` : ''} of ${code(target.name, detail)}. Read these lines before you merge.`;
}

function rows(record: UpgradeRecord, facts: CommentFacts, detail: Detail): string[][] {
  const { change, release, advice, target, checks } = record;
  const { risk } = facts;
  const runs = runsWords(record);
  const line = (text: string): string => words(text, detail);
  return [
    ['**Target**', `${code(target.name, detail)} (${line(target.environment)})`],
    ['**PostgreSQL**', line([fromTo(record), ...(runs === null ? [] : [runs])].join('; '))],
    ['**Change**', line(change ? kindWords(change.kind) : 'not known')],
    [
      '**Risk**',
      `**${line(risk.class)}**${risk.reasons.length > 0 ? `<br>${joined(risk.reasons, { ...detail, items: 10 }, '<br>')}` : ''}`,
    ],
    ...(release ? [['**Security**', line(cveHeadline(release))]] : []),
    ...(release && lineOf(record) !== '' ? [['**Release line**', line(lineOf(record))]] : []),
    ...(release || advice.length > 0 ? [['**Release notes**', line(countAdvice(advice))]] : []),
    ['**Checks**', line(countChecks(checks))],
    ['**Rehearsal**', line(rehearsalWords(record))],
    ['**Expected downtime**', line(downtimeWords(record))],
    ['**At merge**', joined(atMergeWords(record, facts), { ...detail, items: 10 }, '<br>')],
  ];
}

/** The last line: which commit, by which run. */
function foot({ change, run, mode, plan }: UpgradeRecord): string {
  const detail = SHORTEST;
  const commit = change?.head || run?.commit;
  const digest = plan ? `, plan ${code(plan.digest.slice(0, 12), detail)}` : '';
  const by = run ? ` The whole report is in ${runLink(run)}.` : '';
  return `<sub>Head ${commit ? code(commit, detail) : 'not known'}, mode ${mode}${digest}.${by}</sub>`;
}
