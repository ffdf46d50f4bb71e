/**
 * The upgrade record of a runbook, item by item, and whether this record holds it.
 * A messenger's delivery is taken from the record; what it does not say is `not recorded`, however likely.
 */
import { formatDuration, formatTime, plural } from './format.ts';
import { downtimeOf, proofOf, versionsOf } from './overview.ts';
import type { UpgradeRecord } from './record.ts';

/** One thing that an upgrade record should hold, and whether this one does. */
interface CompletenessItem {
  readonly item: string;
  readonly status: 'recorded' | 'not recorded' | 'not applicable';
  readonly detail: string;
}

type Answer = readonly [CompletenessItem['status'], string];

/** The ten items, in the runbook's order. */
export function completenessOf(record: UpgradeRecord): CompletenessItem[] {
  const answers: [string, Answer][] = [
    ['Date and time', dateAndTime(record)],
    ['Versions before and after', versions(record)],
    ['Duration of downtime', downtime(record)],
    ['Issues encountered and resolutions', issues(record)],
    ['Performance impact assessment', performance(record)],
    ['Backup location and verification', backup(record)],
    ['Teams notified and when', notified(record)],
    ['Status updates provided', updates(record)],
    ['Issues communicated', issuesCommunicated(record)],
    ['Success confirmation sent', confirmation(record)],
  ];
  return answers.map(([item, [status, detail]]) => ({ item, status, detail }));
}

function unchanged(record: UpgradeRecord, what: string): Answer {
  return record.changed ? ['not recorded', what] : ['not applicable', 'Nothing was changed.'];
}

function dateAndTime({ started, finished }: UpgradeRecord): Answer {
  if (finished === null) return ['not recorded', `Started ${formatTime(started)}; the end is missing.`];
  return ['recorded', `${formatTime(started)} to ${formatTime(finished)}.`];
}

function versions(record: UpgradeRecord): Answer {
  const { from, now } = record.versions;
  return [from === null || now === null ? 'not recorded' : 'recorded', `${versionsOf(record)}.`];
}

function downtime(record: UpgradeRecord): Answer {
  if (!record.downtime) return unchanged(record, 'No client measured it.');
  if (record.downtime.firstFailure !== null && record.downtime.firstSuccess === null) {
    const least = formatDuration(record.downtime.longestGapMs);
    return ['not recorded', `At least ${least}: the measurement ended before a client could commit again.`];
  }
  return ['recorded', `${downtimeOf(record)}.`];
}

function issues({ issues: found, result }: UpgradeRecord): Answer {
  const open = found.filter((issue) => issue.resolution.trim() === '').length;
  if (open > 0) return ['not recorded', `${plural(open, 'issue')} of ${found.length} without a resolution.`];
  if (found.length > 0) return ['recorded', `${plural(found.length, 'issue')}, each with its resolution.`];
  if (result === null) return ['not recorded', 'The run has not ended.'];
  if (result === 'refused') return ['not applicable', 'Refused before it began; the checks say why.'];
  const wentWrong = result === 'failed' || result === 'rolled-back';
  return wentWrong
    ? ['not recorded', 'The run went wrong and no issue is in the record.']
    : ['recorded', 'None.'];
}

function performance(record: UpgradeRecord): Answer {
  const statements = statementWords(record);
  if (record.performance)
    return ['recorded', [record.performance.assessment, statements].filter(Boolean).join(' ')];
  if (statements !== null) return ['recorded', statements];
  return unchanged(record, 'Nothing was measured before and after.');
}

/** What the statistics of statements say, where they could be compared. */
function statementWords({ facts }: UpgradeRecord): string | null {
  const compared = facts.filter(({ group, verdict }) => group === 'statements' && verdict !== 'not-compared');
  if (compared.length === 0) return null;
  const alerts = compared.filter(({ verdict }) => verdict === 'alert' || verdict === 'unexpected').length;
  return `${plural(compared.length, 'fact')} about statements compared, ${alerts === 0 ? 'none of them an alert' : plural(alerts, 'alert')}.`;
}

function backup(record: UpgradeRecord): Answer {
  if (!record.backup) return unchanged(record, 'No backup is in the record.');
  const { verdict } = record.backup.proof;
  const status = verdict === 'proved' || verdict === 'files-intact' ? 'recorded' : 'not recorded';
  return [status, `${record.backup.location} on ${record.backup.host}: ${proofOf(record.backup)}.`];
}

type Message = UpgradeRecord['communication'][number];

function delivered(record: UpgradeRecord): Message[] {
  return record.communication
    .filter((message) => message.delivered)
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function notified(record: UpgradeRecord): Answer {
  const sent = delivered(record);
  const [first] = sent;
  const lost = record.communication.length - sent.length;
  if (first) {
    const teams = [...new Set(sent.map((message) => message.to))].join(', ');
    const missed = lost === 0 ? '' : ` ${plural(lost, 'message')} could not be delivered.`;
    return ['recorded', `${teams}; first at ${formatTime(first.at)}.${missed}`];
  }
  if (lost > 0) return ['not recorded', `${plural(lost, 'message')} could not be delivered.`];
  return unchanged(record, 'No message is in the record.');
}

function updates(record: UpgradeRecord): Answer {
  // The first message announces; an update is sent between it and the end of the last step.
  const end = lastStepEnd(record);
  const sent = delivered(record).slice(1);
  const during = sent.filter((message) => end === null || Date.parse(message.at) < end);
  if (during.length > 0) return ['recorded', `${plural(during.length, 'update')} while it ran.`];
  return unchanged(record, 'No message between the first one and the end of the last step.');
}

function issuesCommunicated(record: UpgradeRecord): Answer {
  if (record.issues.length === 0) return ['not applicable', 'No issue is in the record.'];
  const sent = delivered(record);
  const silent = record.issues.filter(
    (issue) =>
      !sent.some(
        (message) =>
          Date.parse(message.at) >= Date.parse(issue.at) &&
          (message.what.includes(issue.code) || message.what.includes(issue.what)),
      ),
  );
  if (silent.length === 0)
    return ['recorded', `Each of ${plural(record.issues.length, 'issue')} was named in a message.`];
  return ['not recorded', `No delivered message names ${silent.map((issue) => issue.code).join(', ')}.`];
}

function confirmation(record: UpgradeRecord): Answer {
  if (record.result !== 'success' || !record.changed)
    return ['not applicable', 'There is no changed database to confirm.'];
  const end = lastStepEnd(record) ?? Date.parse(record.started);
  const message = delivered(record).findLast(
    ({ at, what }) =>
      Date.parse(at) >= end && /\b(success\w*|succeeded|upgraded|completed?|finished|done)\b/i.test(what),
  );
  if (!message) return ['not recorded', 'No delivered message after the last step says so.'];
  return ['recorded', `To ${message.to} at ${formatTime(message.at)}.`];
}

function lastStepEnd({ steps }: UpgradeRecord): number | null {
  const ends = steps.flatMap((step) => (step.finished === null ? [] : [Date.parse(step.finished)]));
  return ends.length === 0 ? null : Math.max(...ends);
}
