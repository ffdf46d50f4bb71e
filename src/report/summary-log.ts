/** The log of a run, folded: what was switched off, issues, messages, files. */
import { formatBytes, formatTime } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, table, words } from './summary-parts.ts';

/** What the run switched off. */
export function switchedOffDetails(record: UpgradeRecord, detail: Detail): string | null {
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

/** Issues with their resolutions. */
export function issueDetails(record: UpgradeRecord, detail: Detail): string | null {
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

/** Who was told what, and when. */
export function communicationDetails(record: UpgradeRecord, detail: Detail): string | null {
  if (record.communication.length === 0) return null;
  const rows = record.communication.map((message) => [
    formatTime(message.at),
    words(message.to, detail),
    words(message.what, detail),
    message.delivered ? 'delivered' : join('**not delivered**', words(message.why, detail)),
  ]);
  return folded(
    `Communication log (${record.communication.length})`,
    table(['Time', 'To', 'What', 'Delivery'], rows, detail),
  );
}

function join(state: string, why: string): string {
  return why === '' ? state : `${state}: ${why}`;
}

/** Refusals that a person overrode by name. */
export function overrideDetails(record: UpgradeRecord, detail: Detail): string | null {
  if (record.overrides.length === 0) return null;
  const rows = record.overrides.map(({ gate, by, what }) => [
    code(gate, detail),
    words(by, detail),
    words(what, detail),
  ]);
  return folded(
    `Overridden by name (${record.overrides.length})`,
    table(['Gate', 'By', 'What was refused'], rows, detail),
  );
}

/** Files that were kept. */
export function artifactDetails(record: UpgradeRecord, detail: Detail): string | null {
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
