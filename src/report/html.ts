/** report.html: the whole record as one page that needs nothing else, opens anywhere and can be printed. */
import { completenessOf } from './completeness.ts';
import { formatTime } from './format.ts';
import { badge, block, code, definitions, lines, phrase, section } from './html-parts.ts';
import {
  artifactsSection,
  backupSection,
  checksSection,
  communicationSection,
  factsSection,
  issuesSection,
  performanceSection,
  planSection,
  stepsSection,
  switchedOffSection,
} from './html-sections.ts';
import { style } from './html-style.ts';
import { html, type Insertable, type Markup, markupText } from './markup.ts';
import { keyFacts, nextLines, outcomeOf } from './overview.ts';
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
<p class="result">${symbol} ${capital(word)}</p>
<h1>${record.verdict}</h1>
<p class="state">${record.state}</p>
</div></header>
<main>
${next(record)}${section('key-facts', 'Key facts', definitions(keyFacts(record).map(({ label, value }) => [label, phrase(value)])))}${[
  stepsSection(record),
  checksSection(record),
  factsSection(record),
  backupSection(record),
  performanceSection(record),
  switchedOffSection(record),
  issuesSection(record),
  communicationSection(record),
  artifactsSection(record),
  planSection(record),
  completeness(record),
  identity(record),
]}</main>
<footer><p>Rendered from the upgrade record ${code(record.id)}, which is report.json.</p></footer>
</body>
</html>
`;
  return markupText(page);
}

function next(record: UpgradeRecord): Markup | null {
  const body: Insertable[] = nextLines(record.next).map(({ kind, text }) =>
    kind === 'command' ? block([text]) : html`<p>${text}</p>`,
  );
  return body.length === 0 ? null : html`<section class="next" id="next"><h2>Next</h2>${body}</section>`;
}

function completeness(record: UpgradeRecord): Markup | null {
  const items = completenessOf(record);
  const missing = items.filter((item) => item.status === 'not recorded').length;
  const said = missing === 0 ? 'Nothing is missing' : `${missing} of ${items.length} not recorded`;
  return section(
    'completeness',
    'Is the upgrade record complete?',
    html`<p>${said}. Taken from the record alone.</p>${lines(
      items.map(
        ({ item, status, detail }) =>
          html`${badge(status, status === 'not recorded' ? 'strong' : 'quiet')} <span class="title">${item}</span><p class="soft">${detail}</p>`,
      ),
      'checks',
    )}`,
  );
}

function identity({ run, host, target, action, id, started, finished }: UpgradeRecord): Markup | null {
  const entries: [string, Insertable][] = [
    ['Record', code(id)],
    ['Action', `${action.name} ${action.version}`],
    ['Target', html`${code(target.name)} from ${code(target.spec)}`],
    ['System identifier', code(target.systemIdentifier) ?? 'not known'],
    ['Host', code(host)],
    ['Started', formatTime(started)],
    ['Finished', finished === null ? 'not finished' : formatTime(finished)],
  ];
  if (run) {
    entries.push(
      ['Repository', code(run.repository)],
      ['Run', html`${code(run.runId)}, attempt ${run.attempt}, started by ${run.actor} (${run.event})`],
      ['Workflow and job', `${run.workflow}, ${run.job}`],
      ['Commit', html`${code(run.commit)} of ${code(run.ref)}`],
      ['Address', code(run.url)],
      ['Runner', run.runner],
    );
  }
  return section('identity', 'Run', definitions(entries));
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
