/** What every report says first: the result in a word, the key facts, what asks for attention, what to do next. */
import { countChecks } from './check-words.ts';
import { between, formatBytes, formatCount, formatDuration, formatTime, plural } from './format.ts';
import { waitingOf } from './plan-words.ts';
import type { BackupRecord, DowntimeRecord, Result, UpgradeRecord } from './record.ts';

/** Text in which names and commands stand apart, so that each report can set them as code. */
export type Phrase = readonly (string | { readonly code: string })[];

/** A row of the key table. */
export interface KeyFact {
  readonly label: string;
  readonly value: Phrase;
}

/** A result as people see it. */
interface Outcome {
  readonly symbol: string;
  readonly word: string;
  /** `good`: as wanted. `wait`: not done, nothing broken. `bad`: a person must look. */
  readonly tone: 'good' | 'wait' | 'bad';
}

const OUTCOMES: Record<Result, Outcome> = {
  success: { symbol: '✅', word: 'success', tone: 'good' },
  skipped: { symbol: '⏭️', word: 'skipped', tone: 'good' },
  paused: { symbol: '⏸️', word: 'paused', tone: 'wait' },
  refused: { symbol: '⛔', word: 'refused', tone: 'wait' },
  'rolled-back': { symbol: '↩️', word: 'rolled back', tone: 'bad' },
  failed: { symbol: '❌', word: 'failed', tone: 'bad' },
  cancelled: { symbol: '⏹️', word: 'cancelled', tone: 'bad' },
};

/** The result as a symbol, a word and a tone; a record without a result is of a run that has not ended. */
export function outcomeOf(record: UpgradeRecord): Outcome {
  if (record.result === null) return { symbol: '⏳', word: 'running', tone: 'wait' };
  // Nothing is wrong, but who starts the upgrade now is refused.
  if (waitingOf(record)) return { ...OUTCOMES[record.result], symbol: '⚠️', tone: 'wait' };
  return OUTCOMES[record.result];
}

/** The facts of a run's table, in the order in which people ask for them. */
export function keyFacts(record: UpgradeRecord): KeyFact[] {
  const { target, plan } = record;
  // Neither a check nor a plan stops a client or takes a backup.
  const only = (record.mode === 'check' || record.mode === 'plan') && !record.changed;
  const facts: KeyFact[] = [
    { label: 'Target', value: [{ code: target.name }, ` (${target.environment})`] },
    {
      label: 'Result',
      value: [`${outcomeOf(record).word} (mode ${record.mode}${only ? ': nothing was changed' : ''})`],
    },
    { label: 'Versions', value: [versionsOf(record)] },
    { label: 'Database now', value: [record.state] },
    ...(only
      ? []
      : [
          { label: 'Downtime a client saw', value: [downtimeOf(record)] },
          { label: 'Backup', value: [backupOf(record)] },
        ]),
    { label: 'Checks', value: [countChecks(record.checks)] },
    { label: 'Time', value: [timeOf(record)] },
    { label: 'Run', value: runOf(record) },
  ];
  if (plan) {
    const steps = plural(plan.steps.length, 'step');
    facts.push({ label: 'Plan', value: [{ code: plan.digest.slice(0, 12) }, ` (${plan.route}, ${steps})`] });
  }
  return facts;
}

/** `15.17 → 15.18`, or what runs and what was wanted where they differ. */
export function versionsOf(record: UpgradeRecord): string {
  const { from, wanted, now } = record.versions;
  if (now === wanted) return from === null || from === now ? `${now}` : `${from} → ${now}`;
  if (from === now) return `${now ?? 'not known'}, wanted ${wanted}`;
  return `${from ?? 'not known'} before, ${now ?? 'not known'} now, wanted ${wanted}`;
}

/** What a client that commits all the time went through. */
export function downtimeOf(record: UpgradeRecord): string {
  const { downtime } = record;
  if (!downtime) return record.changed ? 'not measured' : 'none: nothing was changed';
  const gap = formatDuration(downtime.longestGapMs);
  const tries = `of ${plural(downtime.attempts, 'attempt')} failed, one every ${formatDuration(downtime.everyMs)}`;
  if (downtime.failures === 0) return `none seen: ${gap} between two commits at most (0 ${tries})`;
  const open = downtime.firstSuccess === null ? ', and no commit since' : '';
  return `${gap}${open} (${formatCount(downtime.failures)} ${tries})`;
}

/** The time in which a client could not commit, for a chart; null where no attempt failed. */
export function gapOf(downtime: DowntimeRecord | null): { from: string; to: string } | null {
  if (!downtime?.firstFailure) return null;
  return { from: downtime.firstFailure, to: downtime.firstSuccess ?? downtime.to };
}

function backupOf(record: UpgradeRecord): string {
  const { backup } = record;
  if (!backup) return record.changed ? 'none was recorded' : 'none was taken';
  return `${formatBytes(backup.bytes)} in ${plural(backup.files, 'file')}; ${proofOf(backup)}`;
}

/** The proof's verdict in a sentence that claims no more than was compared. */
export function proofOf({ proof }: BackupRecord): string {
  switch (proof.verdict) {
    case 'proved': {
      const into = proof.restoredInto === null ? '' : ` into ${proof.restoredInto}`;
      const compared = `${plural(proof.tables, 'table')} and ${plural(proof.rows, 'row')} compared`;
      const left = proof.notCompared.length;
      return `proved by a restore${into}, ${compared}${left === 0 ? '' : `, ${plural(left, 'thing')} not compared`}`;
    }
    case 'files-intact':
      return 'files intact by checksum, not restored';
    case 'not-proved':
      return 'not proved';
    case 'failed':
      return `proof failed, ${plural(proof.differences.length, 'difference')}`;
  }
}

function timeOf(record: UpgradeRecord): string {
  const started = formatTime(record.started);
  if (record.finished === null) return `${started}, not finished`;
  return `${started}, took ${formatDuration(between(record.started, record.finished))}`;
}

function runOf({ run, host }: UpgradeRecord): Phrase {
  if (!run) return ['outside GitHub, on ', { code: host }];
  // No link: a masked repository name would break it.
  const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : '';
  return [
    { code: run.actor },
    `, commit `,
    { code: run.commit.slice(0, 12) },
    ` of `,
    { code: run.ref },
    attempt,
  ];
}

/** A line of the next step. */
interface NextLine {
  /** `output`: what a program printed, to be shown as it is. */
  readonly kind: 'words' | 'command' | 'output';
  readonly text: string;
}

/** How lines of PostgreSQL's programs begin, and of the messages of a server that they pass on. */
const PRINTED =
  /^(pg_\w+|psql|initdb|postgres|vacuumdb|reindexdb): |^(ERROR|FATAL|PANIC|WARNING|DETAIL|HINT|CONTEXT|STATEMENT|LOCATION|QUERY): {2}|^LINE \d+: |^Command was: /;

/**
 * The next step, line by line. A command to copy starts with `$ `, or with exactly two blanks. What a program
 * printed is told by how its lines begin, and by deeper indents: a caret below a statement is nothing to run. A statement
 * that pg_restore names goes on to its semicolon.
 */
export function nextLines(next: string | null): NextLine[] {
  let printed = false;
  let open = false;
  return (next ?? '').split(/\r\n?|\n/).flatMap((line): NextLine[] => {
    if (line.trim() === '') return [];
    if (open || PRINTED.test(line) || /^( {3}|\t| {1,2}\^)/.test(line) || (printed && /^\s/.test(line))) {
      printed = true;
      open = (open || line.startsWith('Command was: ')) && !/;\s*$/.test(line);
      return [{ kind: 'output', text: line.trimEnd() }];
    }
    printed = false;
    if (/^( {2}|\$ )/.test(line)) return [{ kind: 'command', text: line.replace(/^\s*(\$ )?/, '') }];
    return [{ kind: 'words', text: line.trim() }];
  });
}
