/** The log of a run: what was switched off, issues, messages, files. */
import { formatBytes } from './format.ts';
import { badge, code, moment, section, table } from './html-parts.ts';
import { html, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';

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
    message.delivered
      ? badge('delivered', 'quiet')
      : html`${badge('not delivered', 'strong')}${message.why !== null && ` ${message.why}`}`,
  ]);
  return section(
    'communication',
    'Communication log',
    table('Communication', ['Time', 'To', 'What', 'Delivery'], rows),
  );
}

/** Refusals that a person overrode by name. */
export function overridesSection({ overrides }: UpgradeRecord): Markup | null {
  if (overrides.length === 0) return null;
  const rows = overrides.map(({ gate, by, what }) => [code(gate), by, what]);
  return section(
    'overrides',
    'Overridden by name',
    table('Overridden', ['Gate', 'By', 'What was refused'], rows),
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
