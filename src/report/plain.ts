/** The short report for a terminal outside GitHub: no colours, no markup. */
import { plainText } from './escape.ts';
import { formatTime } from './format.ts';
import {
  asksAttention,
  byUrgency,
  type CheckRecord,
  keyFacts,
  nextLines,
  outcomeOf,
  statusWord,
} from './overview.ts';
import type { UpgradeRecord } from './record.ts';

/** Verdict, key facts, what blocks or warns, issues and the next step, as lines that end in a break. */
export function renderPlain(record: UpgradeRecord): string {
  const blocks = [
    [`${outcomeOf(record).word.toUpperCase()}: ${plainText(record.verdict)}`],
    keyLines(record),
    ...byUrgency(record.checks.filter(asksAttention)).map(checkLines),
    unexpectedLines(record),
    switchedOffLines(record),
    issueLines(record),
    nextStepLines(record),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function keyLines(record: UpgradeRecord): string[] {
  const facts = keyFacts(record);
  const width = Math.max(...facts.map((fact) => fact.label.length));
  return facts.map(({ label, value }) => {
    const text = value.map((part) => (typeof part === 'string' ? part : part.code)).join('');
    return `  ${label.padEnd(width)}  ${plainText(text)}`;
  });
}

function checkLines(check: CheckRecord): string[] {
  const lines = [
    `${statusWord(check.status).toUpperCase()}: ${plainText(check.title)} [${plainText(check.id)}]`,
  ];
  lines.push(...check.seen.map((line) => `  - ${plainText(line)}`));
  if (check.fix !== null) lines.push(`  To do: ${plainText(check.fix)}`);
  return lines;
}

function unexpectedLines(record: UpgradeRecord): string[] {
  const lines = record.facts
    .filter((fact) => fact.verdict === 'unexpected')
    .map((fact) => {
      const change = `${fact.before ?? 'nothing'} → ${fact.after ?? 'nothing'}`;
      return `  - ${plainText(fact.name)}: ${plainText(change)}`;
    });
  return lines.length === 0 ? [] : ['Changed unexpectedly:', ...lines];
}

function switchedOffLines(record: UpgradeRecord): string[] {
  const open = record.switchedOff.filter((entry) => entry.putBackAt === null);
  if (open.length === 0) return [];
  return [
    'Switched off and not put back:',
    ...open.map((entry) => `  - ${plainText(entry.what)} (since ${formatTime(entry.at)})`),
  ];
}

function issueLines(record: UpgradeRecord): string[] {
  if (record.issues.length === 0) return [];
  const lines = record.issues.flatMap((issue) => [
    `  - ${formatTime(issue.at)} ${plainText(issue.code)}: ${plainText(issue.what)}`,
    ...(issue.hint === null ? [] : [`    Hint: ${plainText(issue.hint)}`]),
    `    Resolution: ${plainText(issue.resolution)}`,
  ]);
  return ['Issues:', ...lines];
}

function nextStepLines(record: UpgradeRecord): string[] {
  const lines = nextLines(record.next);
  if (lines.length === 0) return [];
  return [
    'Next:',
    ...lines.map(({ kind, text }) => `${kind === 'command' ? '    ' : '  '}${plainText(text)}`),
  ];
}
