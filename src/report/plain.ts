/** The short report for a terminal outside GitHub: no colours, no markup. */
import { plainText } from './escape.ts';
import { formatDuration, formatTime } from './format.ts';
import { furtherFacts } from './further-facts.ts';
import { keyFacts, nextLines, outcomeOf } from './overview.ts';
import { blockLines, warningLines } from './plain-attention.ts';
import { planLines } from './plain-plan.ts';
import type { UpgradeRecord } from './record.ts';
import { measureRows } from './rehearsal-words.ts';

/** Verdict, key facts, what blocks or warns, issues and the next step, as lines that end in a break. */
export function renderPlain(record: UpgradeRecord): string {
  const blocks = [
    [`${outcomeOf(record).word.toUpperCase()}: ${plainText(record.verdict)}`],
    keyLines(record),
    rehearsalLines(record),
    planLines(record),
    ...blockLines(record),
    ...warningLines(record),
    overrideLines(record),
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
  const facts = [...keyFacts(record), ...furtherFacts(record)];
  const width = Math.max(...facts.map((fact) => fact.label.length));
  return facts.map(({ label, value }) => {
    const text = value.map((part) => (typeof part === 'string' ? part : part.code)).join('');
    return `  ${label.padEnd(width)}  ${plainText(text)}`;
  });
}

function rehearsalLines({ rehearsal }: UpgradeRecord): string[] {
  if (!rehearsal) return [];
  return [
    'Rehearsal:',
    ...rehearsal.stages.map(
      ({ title, state, durationMs }) =>
        `  - ${state}: ${plainText(title)}${state === 'skipped' ? '' : ` (${formatDuration(durationMs)})`}`,
    ),
    ...measureRows(rehearsal).map(([label, value]) => `  ${label}: ${plainText(value)}`),
  ];
}

function switchedOffLines(record: UpgradeRecord): string[] {
  const open = record.switchedOff.filter((entry) => entry.putBackAt === null);
  if (open.length === 0) return [];
  return [
    'Switched off and not put back:',
    ...open.map((entry) => `  - ${plainText(entry.what)} (since ${formatTime(entry.at)})`),
  ];
}

function overrideLines({ overrides }: UpgradeRecord): string[] {
  if (overrides.length === 0) return [];
  return [
    'Overridden by name:',
    ...overrides.map(({ gate, by, what }) => `  - ${gate}, by ${plainText(by)}: ${plainText(what)}`),
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
    // The indent of what a program printed says what a caret points at.
    ...lines.map(
      ({ kind, text }) =>
        `${kind === 'words' ? '  ' : '    '}${kind === 'output' ? (/^ */.exec(text)?.[0] ?? '') : ''}${plainText(text)}`,
    ),
  ];
}
