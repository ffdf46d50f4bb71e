/** report.html: the whole record as one page that needs nothing else, opens anywhere and can be printed. */

import { adviceSection } from './html-advice.ts';
import { blocksSection, warningsSection } from './html-attention.ts';
import { backupSection, performanceSection } from './html-backup.ts';
import { checksSection } from './html-checks.ts';
import { extensionsSection } from './html-extensions.ts';
import { factsSection } from './html-facts.ts';
import { healthSection } from './html-health.ts';
import { completenessSection, identitySection } from './html-identity.ts';
import {
  artifactsSection,
  communicationSection,
  issuesSection,
  overridesSection,
  switchedOffSection,
} from './html-log.ts';
import { block, code, definitions, phrase, section } from './html-parts.ts';
import { planSection } from './html-plan.ts';
import { queriesSection } from './html-queries.ts';
import { rehearsalSection } from './html-rehearsal.ts';
import { cvesSection, releaseSection } from './html-release.ts';
import { stepsSection } from './html-steps.ts';
import { style } from './html-style.ts';
import { watchSection } from './html-watch.ts';
import { html, type Insertable, type Markup, markupText } from './markup.ts';
import { keyFacts, nextLines, outcomeOf } from './overview.ts';
import { asksApproval } from './plan-words.ts';
import type { UpgradeRecord } from './record.ts';

/** The page. The policy forbids scripts and everything remote, should escaping ever fail. */
export function renderHtml(record: UpgradeRecord): string {
  const { word, tone, symbol } = outcomeOf(record);
  const page = html`<!doctype html>
<html lang="en" class="${tone}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${record.target.name}: ${word}, PostgreSQL ${record.versions.wanted}</title>
<style>${style}</style>
</head>
<body>
<header><div class="inner">
<p class="result">${symbol} ${capital(word)}${record.result !== null && !record.changed && ' · nothing was changed'}</p>
<h1>${record.verdict}</h1>
<p class="state">${record.state}</p>
</div></header>
<main>
${next(record)}${sections(record)}</main>
<footer><p>Rendered from the upgrade record ${code(record.id)}, which is report.json.</p></footer>
</body>
</html>
`;
  return markupText(page);
}

/**
 * What blocks comes first, then what warns. Where something was changed, what happened stands between the two: a
 * reader asks for that before any warning.
 */
function sections(record: UpgradeRecord): Insertable {
  const happened = [keyFactsSection(record), stepsSection(record)];
  const warned = [warningsSection(record), adviceSection(record)];
  const first = asksApproval(record);
  return [
    blocksSection(record),
    rehearsalSection(record),
    overridesSection(record),
    // Who is to approve it came for the plan.
    first && planSection(record),
    ...(record.changed ? [...happened, ...warned] : [...warned, ...happened]),
    watchSection(record),
    factsSection(record),
    extensionsSection(record),
    releaseSection(record),
    cvesSection(record),
    healthSection(record),
    queriesSection(record),
    checksSection(record),
    backupSection(record),
    performanceSection(record),
    switchedOffSection(record),
    issuesSection(record),
    communicationSection(record),
    artifactsSection(record),
    !first && planSection(record),
    completenessSection(record),
    identitySection(record),
  ];
}

function keyFactsSection(record: UpgradeRecord): Markup | null {
  const facts = keyFacts(record).map(({ label, value }) => [label, phrase(value)] as const);
  return section('key-facts', 'Key facts', definitions(facts));
}

function next(record: UpgradeRecord): Markup | null {
  const body: Insertable[] = [];
  let printed: string[] = [];
  const flush = (): void => {
    body.push(block(printed));
    printed = [];
  };
  for (const { kind, text } of nextLines(record.next)) {
    if (kind === 'output') {
      printed.push(text);
      continue;
    }
    flush();
    body.push(kind === 'command' ? block([text]) : html`<p>${text}</p>`);
  }
  flush();
  return nextLines(record.next).length === 0
    ? null
    : html`<section class="next" id="next"><h2>Next</h2>${body}</section>`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
