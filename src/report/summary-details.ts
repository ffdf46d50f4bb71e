/** The folded sections of a job summary, one function each; null where the record has nothing to say. */
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
import { renderGantt } from './gantt.ts';
import { byUrgency, countChecks, proofOf, statusWord } from './overview.ts';
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, joined, list, stack, table, words } from './summary-parts.ts';

/** All folded sections of a record. */
export function detailSections(record: UpgradeRecord, detail: Detail): string {
  return stack(
    steps(record, detail),
    checks(record, detail),
    facts(record, detail),
    backup(record, detail),
    performance(record, detail),
    switchedOff(record, detail),
    issues(record, detail),
    communication(record, detail),
    artifacts(record, detail),
    plan(record, detail),
  );
}

function steps(record: UpgradeRecord, detail: Detail): string | null {
  if (record.steps.length === 0) return null;
  const rows = record.steps.map((step) => [
    words(step.title, detail),
    step.state,
    formatClock(step.started),
    step.finished === null ? 'not finished' : formatDuration(between(step.started, step.finished)),
  ]);
  const output = record.steps.flatMap((step) => {
    if (!detail.everything || step.output.length === 0) return [];
    const lines = step.output.slice(0, detail.items).map((line) => `  - ${code(line, detail)}`);
    const left = step.output.length - lines.length;
    if (left > 0) lines.push(`  - ${formatCount(left)} more lines left out`);
    return [`${words(step.title, detail)}\n${lines.join('\n')}`];
  });
  return folded(
    `Steps (${record.steps.length})`,
    stack(
      renderGantt(record),
      table(['Step', 'State', 'Started (UTC)', 'Took'], rows, detail),
      output.length > 0 && `What the steps printed:\n\n${list(output, detail)}`,
    ),
  );
}

function checks(record: UpgradeRecord, detail: Detail): string | null {
  if (record.checks.length === 0) return null;
  const shown = byUrgency(record.checks).filter((check) => detail.everything || check.status !== 'passed');
  const rows = shown.map((check) => [
    statusWord(check.status),
    check.when,
    words(check.title, detail),
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

const VERDICTS = ['unexpected', 'alert', 'not-compared', 'expected', 'equal'] as const;

function facts(record: UpgradeRecord, detail: Detail): string | null {
  if (record.facts.length === 0) return null;
  const differ = record.facts
    .filter((fact) => fact.verdict !== 'equal')
    .toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
  const equal = record.facts.length - differ.length;
  const rows = differ.map((fact) => [
    words(fact.name, detail),
    code(fact.before, detail),
    code(fact.after, detail),
    fact.verdict,
    words(fact.why, detail),
  ]);
  return folded(
    `Before and after: ${formatCount(differ.length)} differ or not compared, ${formatCount(equal)} equal`,
    stack(
      rows.length > 0 && table(['Fact', 'Before', 'After', 'Verdict', 'Why'], rows, detail),
      equal > 0 && `${plural(equal, 'fact')} equal before and after.`,
    ),
  );
}

function backup({ backup: taken }: UpgradeRecord, detail: Detail): string | null {
  if (!taken) return null;
  const { proof } = taken;
  const about = [
    `Location: ${code(taken.location, detail)} on ${code(taken.host, detail)}, kept ${plural(taken.keepDays, 'day')}`,
    `Size: ${formatBytes(taken.bytes)} in ${plural(taken.files, 'file')}`,
    `Taken: ${formatTime(taken.started)}, took ${formatDuration(between(taken.started, taken.finished))}`,
    `Client: ${code(taken.clients, detail)}`,
    `Manifest sha256: ${code(taken.manifestSha256, detail)}`,
    `Proof by ${proof.method}: ${words(proofOf(taken), detail)}; took ${formatDuration(proof.durationMs)}`,
    `Compared: ${[
      plural(proof.databases, 'database'),
      plural(proof.tables, 'table'),
      plural(proof.rows, 'row'),
      plural(proof.sequences, 'sequence'),
      plural(proof.largeObjects, 'large object'),
      plural(proof.objects, 'catalog object'),
    ].join(', ')}`,
  ];
  const rows = taken.databases.map((database) => [
    code(database.name, detail),
    formatBytes(database.sourceBytes),
    formatBytes(database.bytes),
    formatDuration(database.durationMs),
  ]);
  return folded(
    `Backup and proof: ${proof.verdict}`,
    stack(
      list(about, { ...detail, items: Number.POSITIVE_INFINITY }),
      rows.length > 0 && table(['Database', 'On the server', 'In the backup', 'Took'], rows, detail),
      proof.differences.length > 0 &&
        `Differences:\n\n${list(
          proof.differences.map((line) => words(line, detail)),
          detail,
        )}`,
      proof.notCompared.length > 0 &&
        `Not compared:\n\n${list(
          proof.notCompared.map((line) => words(line, detail)),
          detail,
        )}`,
    ),
  );
}

function performance({ performance: measured }: UpgradeRecord, detail: Detail): string | null {
  if (!measured) return null;
  const rows = (
    [
      ['Before', measured.before],
      ['After', measured.after],
    ] as const
  ).map(([when, latency]) => [
    when,
    formatCount(latency.transactions),
    formatLatency(latency.medianMs),
    formatLatency(latency.p95Ms),
  ]);
  const shown = table(['', 'Transactions', 'Median', '95th percentile'], rows, detail);
  return folded('Performance', stack(words(measured.assessment, detail), shown));
}

function switchedOff(record: UpgradeRecord, detail: Detail): string | null {
  if (record.switchedOff.length === 0) return null;
  const rows = record.switchedOff.map((entry) => [
    words(entry.what, detail),
    formatTime(entry.at),
    entry.putBackAt === null ? '**not put back**' : formatTime(entry.putBackAt),
  ]);
  const open = record.switchedOff.filter((entry) => entry.putBackAt === null).length;
  return folded(
    `Switched off: ${record.switchedOff.length}, ${open === 0 ? 'all put back' : `${open} not put back`}`,
    table(['What', 'Switched off', 'Put back'], rows, detail),
  );
}

function issues(record: UpgradeRecord, detail: Detail): string | null {
  if (record.issues.length === 0) return null;
  const rows = record.issues.map((issue) => [
    formatTime(issue.at),
    code(issue.code, detail),
    words(issue.what, detail),
    words(issue.hint, detail),
    words(issue.resolution, detail),
  ]);
  return folded(
    `Issues and resolutions (${record.issues.length})`,
    table(['Time', 'Code', 'What', 'Hint', 'Resolution'], rows, detail),
  );
}

function communication(record: UpgradeRecord, detail: Detail): string | null {
  if (record.communication.length === 0) return null;
  const rows = record.communication.map((message) => [
    formatTime(message.at),
    words(message.to, detail),
    words(message.what, detail),
    message.delivered ? 'delivered' : '**not delivered**',
  ]);
  return folded(
    `Communication log (${record.communication.length})`,
    table(['Time', 'To', 'What', 'Delivery'], rows, detail),
  );
}

function artifacts(record: UpgradeRecord, detail: Detail): string | null {
  if (record.artifacts.length === 0) return null;
  const rows = record.artifacts.map((artifact) => [
    code(artifact.name, detail),
    artifact.state,
    formatBytes(artifact.bytes),
    code(artifact.sha256, detail),
    words(artifact.why, detail),
  ]);
  return folded(
    `Artifacts (${record.artifacts.length})`,
    table(['Name', 'State', 'Size', 'sha256', 'Why'], rows, detail),
  );
}

function plan({ plan: planned }: UpgradeRecord, detail: Detail): string | null {
  if (!planned) return null;
  const items = planned.steps.map((step) => {
    const does = step.does.slice(0, detail.items).map((line) => `  - ${code(line, detail)}`);
    const left = step.does.length - does.length;
    if (left > 0) does.push(`  - ${formatCount(left)} more left out`);
    does.push(`  - Undo: ${step.undo === null ? 'nothing to undo' : words(step.undo, detail)}`);
    if (step.breaks !== null) does.push(`  - Clients notice: ${words(step.breaks, detail)}`);
    if (!step.interruptible) does.push('  - Must not be interrupted');
    return `${words(step.title, detail)}\n${does.join('\n')}`;
  });
  return folded(
    `Plan: ${planned.route}, ${plural(planned.steps.length, 'step')}`,
    stack(
      `${words(`${planned.from} → ${planned.wanted}`, detail)}, digest ${code(planned.digest, detail)}`,
      list(items, detail),
      planned.notes.length > 0 &&
        `Notes:\n\n${list(
          planned.notes.map((note) => words(note, detail)),
          detail,
        )}`,
    ),
  );
}
