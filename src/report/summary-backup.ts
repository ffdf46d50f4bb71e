/** The backup with its proof, and the latency of the probe, folded. */
import {
  between,
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatTime,
  plural,
} from './format.ts';
import { proofOf } from './overview.ts';
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, list, stack, table, words } from './summary-parts.ts';

/** The backup, and how far it was proved. */
export function backupDetails({ backup: taken }: UpgradeRecord, detail: Detail): string | null {
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

/** Latency of the probe before and after. */
export function performanceDetails({ performance: measured }: UpgradeRecord, detail: Detail): string | null {
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
