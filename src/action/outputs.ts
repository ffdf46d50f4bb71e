/** The action's outputs. */
import * as core from '@actions/core';
import type { Mode, Result, UpgradeRecord } from '../report/record.ts';

const worstFirst: readonly Result[] = [
  'failed',
  'cancelled',
  'rolled-back',
  'refused',
  'paused',
  'success',
  'skipped',
];

/** The result of a run over several targets: the worst of theirs; `failed` where none was reached. */
export function overall(records: readonly UpgradeRecord[]): Result {
  return worstFirst.find((result) => records.some((record) => record.result === result)) ?? 'failed';
}

/** Exit code: 0 where what was asked for was reached, or waits for a person. */
export function exitCode(mode: Mode, records: readonly UpgradeRecord[]): 0 | 1 {
  const fine: readonly Result[] =
    mode === 'rollback' ? ['rolled-back', 'skipped'] : ['success', 'skipped', 'paused'];
  return records.length > 0 && records.every(({ result }) => result !== null && fine.includes(result))
    ? 0
    : 1;
}

/** Names of the uploaded files' outputs, and how the names of the files end. */
const artifacts = [
  ['plan-artifact-id', /\.plan\.json$/],
  ['report-artifact-id', /report\.html$/],
  ['record-artifact-id', /report\.json$/],
  ['dump-artifact-id', /dump\.tar/],
] as const;

/** Ids by name of the output; null for what was not uploaded. */
function artifactIds(record: UpgradeRecord): [string, number | null][] {
  return artifacts.map(([output, suffix]) => [
    output,
    record.artifacts.find(({ name, id }) => suffix.test(name) && id !== null)?.id ?? null,
  ]);
}

/** Every output by name. Those of a single target are empty where several were run: `targets` has them all. */
export function outputsOf(
  records: readonly UpgradeRecord[],
  recordPath: (record: UpgradeRecord) => string,
  planPath: (record: UpgradeRecord) => string | null,
): Record<string, string> {
  const only = records.length === 1 ? records[0] : undefined;
  return {
    result: overall(records),
    changed: String(records.some(({ changed }) => changed)),
    'from-version': only?.versions.from ?? '',
    'to-version': only?.versions.now ?? '',
    'downtime-ms': String(
      Math.max(0, ...records.map(({ downtime }) => Math.round(downtime?.longestGapMs ?? 0))),
    ),
    'plan-digest': only?.plan?.digest ?? '',
    'record-path': only ? recordPath(only) : '',
    'plan-file': (only && planPath(only)) ?? '',
    ...Object.fromEntries(artifacts.map(([output]) => [output, ''])),
    ...Object.fromEntries((only ? artifactIds(only) : []).map(([output, id]) => [output, String(id ?? '')])),
    targets: JSON.stringify(
      records.map((record) => ({
        name: record.target.name,
        result: record.result,
        changed: record.changed,
        'from-version': record.versions.from,
        'to-version': record.versions.now,
        'downtime-ms': Math.round(record.downtime?.longestGapMs ?? 0),
        'plan-digest': record.plan?.digest ?? null,
        'plan-file': planPath(record),
        'record-path': recordPath(record),
        ...Object.fromEntries(artifactIds(record)),
      })),
    ),
  };
}

/** Sets them for GitHub; elsewhere they would only be noise: the record has them all. */
export function setOutputs(outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}
