/** The sections of report.html; null where the record has nothing to say. Nothing is left out here. */
import {
  between,
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatLatency,
  formatTime,
  plural,
} from './format.ts';
import { badge, block, code, definitions, folded, lines, moment, section, table } from './html-parts.ts';
import { timeline } from './html-timeline.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { asksAttention, byUrgency, type CheckRecord, countChecks, proofOf, statusWord } from './overview.ts';
import type { FactRecord, StepRecord, UpgradeRecord } from './record.ts';

/** The steps: chart, table, what they printed. */
export function stepsSection(record: UpgradeRecord): Markup | null {
  if (record.steps.length === 0) return null;
  const rows = record.steps.map((step) => [
    step.title,
    badge(step.state, stepWeight(step.state)),
    formatClock(step.started),
    step.finished === null ? 'not finished' : formatDuration(between(step.started, step.finished)),
  ]);
  const printed = record.steps
    .filter((step) => step.output.length > 0)
    .map((step) => html`<h3>${step.title}</h3>${block(step.output)}`);
  return section(
    'steps',
    'Steps',
    html`${timeline(record)}${table('Steps', ['Step', 'State', 'Started (UTC)', 'Took'], rows)}${
      printed.length > 0 && folded('What the steps printed', printed)
    }`,
  );
}

function stepWeight(state: StepRecord['state']): 'strong' | 'medium' | 'quiet' {
  if (state === 'done' || state === 'already-done') return 'quiet';
  return state === 'failed' || state === 'undo-failed' || state === 'interrupted' ? 'strong' : 'medium';
}

/** Checks: what blocks, what warns, the rest folded. */
export function checksSection(record: UpgradeRecord): Markup | null {
  if (record.checks.length === 0) return null;
  const urgent = byUrgency(record.checks.filter(asksAttention));
  const rest = byUrgency(record.checks.filter((check) => !asksAttention(check)));
  return section(
    'checks',
    'Checks',
    html`<p>${countChecks(record.checks)}.</p>${checkList(urgent)}${
      rest.length > 0 && folded(`${plural(rest.length, 'check')} with nothing to do`, checkList(rest))
    }`,
  );
}

function checkList(checks: readonly CheckRecord[]): Markup | null {
  return lines(
    checks.map((check) => {
      const weight = check.status === 'blocked' || check.status === 'error' ? 'strong' : 'medium';
      return html`${badge(statusWord(check.status), asksAttention(check) ? weight : 'quiet')} <span class="title">${check.title}</span> <span class="soft">${check.when} the upgrade</span>
${lines(check.seen)}${check.fix !== null && asksAttention(check) && html`<p>To do: ${check.fix}</p>`}<p class="soft">${code(check.id)} ${code(check.docs)}</p>`;
    }),
    'checks',
  );
}

const FACT_ORDER = ['unexpected', 'alert', 'not-compared', 'expected', 'equal'] as const;

/** Facts before and after: differences first, equal ones folded. */
export function factsSection(record: UpgradeRecord): Markup | null {
  if (record.facts.length === 0) return null;
  const sorted = record.facts.toSorted(
    (a, b) => FACT_ORDER.indexOf(a.verdict) - FACT_ORDER.indexOf(b.verdict),
  );
  const differ = sorted.filter((fact) => fact.verdict !== 'equal');
  const equal = sorted.filter((fact) => fact.verdict === 'equal');
  return section(
    'facts',
    'Before and after',
    html`${differ.length > 0 ? factTable('Differences', differ) : html`<p>Nothing differs.</p>`}${
      equal.length > 0 &&
      folded(`${plural(equal.length, 'fact')} equal before and after`, factTable('Equal facts', equal))
    }`,
  );
}

function factTable(label: string, facts: readonly FactRecord[]): Markup {
  const rows = facts.map((fact) => [
    fact.name,
    code(fact.before),
    code(fact.after),
    badge(
      fact.verdict,
      fact.verdict === 'unexpected' ? 'strong' : fact.verdict === 'not-compared' ? 'medium' : 'quiet',
    ),
    fact.why,
  ]);
  return table(label, ['Fact', 'Before', 'After', 'Verdict', 'Why'], rows);
}

/** The backup, and how far it was proved. */
export function backupSection({ backup }: UpgradeRecord): Markup | null {
  if (!backup) return null;
  const { proof } = backup;
  const about: [string, Insertable][] = [
    ['Proof', `${proofOf(backup)} (method ${proof.method}, took ${formatDuration(proof.durationMs)})`],
    ['Location', html`${code(backup.location)} on ${code(backup.host)}`],
    ['Size', `${formatBytes(backup.bytes)} in ${plural(backup.files, 'file')}`],
    [
      'Taken',
      `${formatTime(backup.started)}, took ${formatDuration(between(backup.started, backup.finished))}`,
    ],
    ['Kept', plural(backup.keepDays, 'day')],
    ['Client', code(backup.clients)],
    ['Manifest sha256', code(backup.manifestSha256)],
    ['Compared', compared(proof)],
  ];
  const rows = backup.databases.map((database) => [
    code(database.name),
    formatBytes(database.sourceBytes),
    formatBytes(database.bytes),
    formatDuration(database.durationMs),
  ]);
  return section(
    'backup',
    'Backup and proof',
    html`${definitions(about)}
${titled('Differences', lines(proof.differences))}${titled('Not compared', lines(proof.notCompared))}${
  rows.length > 0 &&
  titled('Databases', table('Databases', ['Database', 'On the server', 'In the backup', 'Took'], rows))
}`,
  );
}

function compared(proof: NonNullable<UpgradeRecord['backup']>['proof']): string {
  return [
    plural(proof.databases, 'database'),
    plural(proof.tables, 'table'),
    plural(proof.rows, 'row'),
    plural(proof.sequences, 'sequence'),
    plural(proof.largeObjects, 'large object'),
    plural(proof.objects, 'catalog object'),
  ].join(', ');
}

function titled(title: string, body: Markup | null): Markup | null {
  return body && html`<h3>${title}</h3>${body}`;
}

/** Latency of the probe before and after. */
export function performanceSection({ performance }: UpgradeRecord): Markup | null {
  if (!performance) return null;
  const rows = (
    [
      ['Before', performance.before],
      ['After', performance.after],
    ] as const
  ).map(([when, latency]) => [
    when,
    formatCount(latency.transactions),
    formatLatency(latency.medianMs),
    formatLatency(latency.p95Ms),
  ]);
  return section(
    'performance',
    'Performance',
    html`<p>${performance.assessment}</p>${table('Latency', ['', 'Transactions', 'Median', '95th percentile'], rows)}`,
  );
}

/** What the run switched off. */
export function switchedOffSection({ switchedOff }: UpgradeRecord): Markup | null {
  if (switchedOff.length === 0) return null;
  const rows = switchedOff.map((entry) => [
    entry.what,
    moment(entry.at),
    entry.putBackAt === null ? badge('not put back', 'strong') : moment(entry.putBackAt),
  ]);
  return section(
    'switched-off',
    'Switched off and put back',
    table('Switched off', ['What', 'Switched off', 'Put back'], rows),
  );
}

/** Issues with their resolutions. */
export function issuesSection({ issues }: UpgradeRecord): Markup | null {
  if (issues.length === 0) return null;
  const rows = issues.map((issue) => [
    moment(issue.at),
    code(issue.code),
    issue.what,
    issue.hint,
    issue.resolution,
  ]);
  return section(
    'issues',
    'Issues and resolutions',
    table('Issues', ['Time', 'Code', 'What', 'Hint', 'Resolution'], rows),
  );
}

/** Who was told what, and when. */
export function communicationSection({ communication }: UpgradeRecord): Markup | null {
  if (communication.length === 0) return null;
  const rows = communication.map((message) => [
    moment(message.at),
    message.to,
    message.what,
    message.delivered ? badge('delivered', 'quiet') : badge('not delivered', 'strong'),
  ]);
  return section(
    'communication',
    'Communication log',
    table('Communication', ['Time', 'To', 'What', 'Delivery'], rows),
  );
}

/** Files that were kept. */
export function artifactsSection({ artifacts }: UpgradeRecord): Markup | null {
  if (artifacts.length === 0) return null;
  const rows = artifacts.map((artifact) => [
    code(artifact.name),
    badge(artifact.state, artifact.state === 'failed' ? 'strong' : 'quiet'),
    formatBytes(artifact.bytes),
    code(artifact.sha256),
    artifact.why,
  ]);
  return section(
    'artifacts',
    'Artifacts',
    table('Artifacts', ['Name', 'State', 'Size', 'sha256', 'Why'], rows),
  );
}

/** The plan as it was approved. */
export function planSection({ plan }: UpgradeRecord): Markup | null {
  if (!plan) return null;
  const steps = plan.steps.map(
    (step) => html`<h3>${step.title}</h3>${block(step.does)}
${lines([
  html`Undo: ${step.undo ?? 'nothing to undo'}`,
  step.breaks === null ? 'Clients notice nothing' : html`Clients notice: ${step.breaks}`,
  step.interruptible ? 'May be interrupted' : 'Must not be interrupted',
])}`,
  );
  return section(
    'plan',
    'Plan',
    html`${definitions([
      ['Route', `${plan.route}, ${plan.from} → ${plan.wanted}`],
      ['Digest', code(plan.digest)],
    ])}
${titled('Notes', lines(plan.notes))}${folded(plural(steps.length, 'planned step'), steps)}`,
  );
}
