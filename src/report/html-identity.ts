/** What the record is, and whether it is complete. */
import { completenessOf } from './completeness.ts';
import { formatTime } from './format.ts';
import { badge, code, definitions, lines, section } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';

/** Is everything recorded that an upgrade record should hold? */
export function completenessSection(record: UpgradeRecord): Markup | null {
  const items = completenessOf(record);
  const missing = items.filter((item) => item.status === 'not recorded').length;
  const said = missing === 0 ? 'Nothing is missing' : `${missing} of ${items.length} not recorded`;
  return section(
    'completeness',
    'Is the upgrade record complete?',
    html`<p>${said}. Taken from the record alone.</p>${lines(
      items.map(
        ({ item, status, detail }) =>
          html`${badge(status, status === 'not recorded' ? 'strong' : 'quiet')} <span class="title">${item}</span><p class="soft">${detail}</p>`,
      ),
      'checks',
    )}`,
  );
}

/** What run this is the record of. */
export function identitySection({
  run,
  host,
  target,
  action,
  id,
  started,
  finished,
}: UpgradeRecord): Markup | null {
  const entries: [string, Insertable][] = [
    ['Record', code(id)],
    ['Action', `${action.name} ${action.version}`],
    ['Target', html`${code(target.name)} from ${code(target.spec)}`],
    ['System identifier', code(target.systemIdentifier) ?? 'not known'],
    ['Host', code(host)],
    ['Started', formatTime(started)],
    ['Finished', finished === null ? 'not finished' : formatTime(finished)],
  ];
  if (run) {
    entries.push(
      ['Repository', code(run.repository)],
      ['Run', html`${code(run.runId)}, attempt ${run.attempt}, started by ${run.actor} (${run.event})`],
      ['Workflow and job', `${run.workflow}, ${run.job}`],
      ['Commit', html`${code(run.commit)} of ${code(run.ref)}`],
      ['Address', code(run.url)],
      ['Runner', run.runner],
    );
  }
  return section('identity', 'Run', definitions(entries));
}
