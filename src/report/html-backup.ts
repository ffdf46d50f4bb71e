/** What was measured around the upgrade: the backup with its proof, and the latency of the probe. */
import {
  between,
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatTime,
  plural,
} from './format.ts';
import { code, definitions, lines, section, table, titled } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { proofOf } from './overview.ts';
import type { UpgradeRecord } from './record.ts';

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
