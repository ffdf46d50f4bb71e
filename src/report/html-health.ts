/** The health section: key figures of both snapshots side by side, then each part folded. */
import { formatDuration, plural } from './format.ts';
import { figuresOf } from './health-figures.ts';
import { definitions, folded, section, table, titled } from './html-parts.ts';
import { snapshotParts } from './html-snapshot.ts';
import { html, type Markup } from './markup.ts';
import { momentWords } from './moment-words.ts';
import type { UpgradeRecord } from './record.ts';
import type { Snapshot } from './snapshot.ts';

/** Null without a snapshot. Alone, a snapshot is the health report: its key figures are open then. */
export function healthSection({ health }: UpgradeRecord): Markup | null {
  const { before, after } = health;
  const only = before && after ? null : (before ?? after);
  if (only) {
    const figures = definitions(
      figuresOf(only).map(({ label, value }) => [label, value]),
      'dense',
    );
    return section(
      'health',
      'Health',
      html`<p>Measured ${measured(only)}.</p>${figures}${parts([['', only]])}`,
    );
  }
  if (!before || !after) return null;
  const later = figuresOf(after);
  const rows = figuresOf(before).map(({ label, value }, place) => [label, value, later[place]?.value]);
  const figures = table('Key figures', ['', 'Before', 'After'], rows);
  return section(
    'health',
    'Health',
    html`<p>Measured ${measured(before)}, and again ${measured(after)}.</p>${folded('Key figures', figures)}${parts(
      [
        ['Before', before],
        ['After', after],
      ],
    )}`,
  );
}

function measured({ at, durationMs, missing }: Snapshot): string {
  const left = missing.length === 0 ? '' : `, ${plural(missing.length, 'thing')} could not be measured`;
  return `${momentWords(at)} (took ${formatDuration(durationMs)}${left})`;
}

function parts(snapshots: readonly (readonly [string, Snapshot])[]): Markup {
  const all = snapshotParts.flatMap(({ title, show }) => {
    const shown = snapshots.flatMap(([when, snapshot]) => {
      const body = show(snapshot);
      return body === null ? [] : [when === '' ? body : titled(when, body)];
    });
    return shown.length === 0 ? [] : [folded(title, shown)];
  });
  return folded('Databases, connections, replication, statements, log and settings', all);
}
